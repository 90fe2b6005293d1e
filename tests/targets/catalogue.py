"""All targets as data, in the order of the page; those that write files in `stores`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.targets.comparison import ROUNDED
from tests.targets.places import (
    bigquery,
    clickhouse,
    database,
    files,
    iceberg,
    json_lines,
    printed,
)
from tests.targets.stores import STORES
from tests.targets.target import (
    FLAT,
    FLOATS,
    UNCHECKED,
    Target,
    loader,
    venv,
)

DUCKDB_ROWS = """
import json, sys, duckdb
rows = duckdb.connect(sys.argv[1]).execute("FROM main.customers")
names = [column[0] for column in rows.description]
for row in rows.fetchall():
    print(json.dumps(dict(zip(names, row)), default=str))
"""


POSTGRES = Target(
    name="postgres",
    package="meltanolabs-target-postgres",
    venv=loader("postgres"),
    program="target-postgres",
    place=database(lambda own: {"sqlalchemy_url": own.url}),
    settings={"default_target_schema": "public", "hard_delete": True, **UNCHECKED},
    environment={"PGTZ": "UTC"},
)
BIGQUERY = Target(
    name="bigquery",
    package="z3-target-bigquery",
    venv=venv("bigquery"),
    program="target-bigquery",
    place=bigquery,
    settings={"method": "batch_job"},
    tap=FLAT,
    is_tried_in_part=True,
    faults={
        "Integer exceeds 64-bit range": "`orjson`, by which it writes, takes no "
        "integer over 64 bits. In text it does.",
        **FLOATS,
    },
    notes="""\
A small server of the tests stands in for BigQuery. It takes the calls that
`method: batch_job` makes, refuses a file whose rows don't fit the schema of their
table, and merges by `uuid`. What BigQuery itself makes of the rows was not seen.

**It can lose rows without a word.** Where BigQuery refuses the last file, the target
says so in its log alone, hands on the state and exits with 0. With
`denormalized: true` and `method: streaming_insert`, an integer over 64 bits loses its
whole batch in the same way, where that is the last. So flatten, and count the rows.""",
)

TARGETS = (
    POSTGRES,
    replace(
        POSTGRES,
        name="postgres-copy",
        settings=POSTGRES.settings | {"use_copy": True},
        faults={ROUNDED: "It copies what is typed `number` as a float."},
    ),
    Target(
        name="pipelinewise-postgres",
        package="pipelinewise-target-postgres",
        venv=venv("pipelinewise-postgres"),
        program="target-postgres",
        place=database(
            lambda own: {
                "host": own.folder,
                "port": 5432,
                "user": "postgres",
                "password": "-",  # none is asked for
                "dbname": own.name,
            }
        ),
        settings={"default_target_schema": "public"},
        environment={"PGTZ": "UTC"},
        faults={
            **FLOATS,
            "custom_account_notes": "It writes text with JSON's escapes, and they "
            "stay: a line break is a backslash and an n.",
        },
    ),
    Target(
        name="snowflake",
        package="meltanolabs-target-snowflake",
        venv=venv("snowflake"),
        program="target-snowflake",
        run='fakesnow "$@"',
        place=files(
            json_lines,
            lambda path: {
                "batch_config": {
                    "encoding": {"format": "jsonl", "compression": "gzip"},
                    "storage": {"root": path.as_uri()},
                }
            },
        ),
        settings={
            "account": "test",
            "user": "test",
            "password": "test",
            "database": "LAKE",
            "default_target_schema": "PUBLIC",
            **UNCHECKED,
        },
        is_tried_in_part=True,
        faults={
            "Creating empty table": "It takes the schema, and makes the table.",
            "Processing batch of files": "It takes every record into its files.",
            "does not start with @": "fakesnow, which stands in for Snowflake, has no "
            "user stage `@~` for the target's files.",
        },
    ),
    BIGQUERY,
    replace(
        BIGQUERY,
        name="bigquery-denormalized",
        settings=BIGQUERY.settings | {"denormalized": True, "upsert": True},
    ),
    Target(
        name="datamill-postgres",
        package="singer-target-postgres",
        venv=venv("datamill-postgres"),
        program="target-postgres",
        place=database(
            lambda own: {
                "postgres_host": own.folder,
                "postgres_database": own.name,
                "postgres_username": "postgres",
                "postgres_password": "-",
            },
        ),
        settings={"postgres_schema": "public", "disable_collection": True},
        tap=FLAT,
        faults={
            "is missing": "It makes a column of each key that the schema names, and a "
            "table of each list. It drops all other keys of an object without a word.",
            **FLOATS,
        },
        notes="`target-redshift` 0.2.4 is this target with another way to write. It "
        "has the same code for schema and values. Redshift itself was not tried.",
    ),
    Target(
        name="duckdb",
        package="target-duckdb",
        venv=loader("duckdb"),
        program="target-duckdb",
        place=files(
            partial(printed, loader("duckdb"), DUCKDB_ROWS),
            lambda path: {"path": str(path / "customers.duckdb")},
        ),
        settings={"default_target_schema": "main"},
        faults=FLOATS,
    ),
    Target(
        name="clickhouse",
        package="shaped-target-clickhouse",
        venv=venv("clickhouse"),
        program="target-clickhouse",
        place=clickhouse,
        faults={
            "is wrong": "Only its columns of times take null. In other columns null "
            "becomes 0, false or empty text. What is typed `number` keeps 7 digits.",
        },
        notes="chDB stands in for ClickHouse's server: its engine as a library, "
        "behind a small HTTP interface of the tests. With `validate_records: false` "
        "the target ends with an error. Leave "
        "`emit_activate_version_messages` off: the "
        "target marks every row as deleted, new ones too.",
    ),
    Target(
        name="iceberg",
        package="target-s3tables",
        venv=venv("iceberg"),
        program="target-s3tables",
        place=iceberg,
        settings={
            "catalog_mode": "s3tables_rest",
            "region": "us-east-1",
            "table_bucket_arn": "arn:aws:s3tables:us-east-1:123456789012:bucket/lake",
            "sigv4_enabled": False,
            "sanitize_names": False,
            **UNCHECKED,
        },
        faults={ROUNDED: "It makes floats of what is typed `number`."},
        notes="PyIceberg's catalog in SQLite, behind a small HTTP interface of the "
        "tests, stands in for Amazon S3 Tables. What is under keys that the schema "
        "doesn't name is text: `True`. Without `sanitize_names: false` flattened "
        "columns have one underscore where the tap has two.",
    ),
    *STORES,
)
