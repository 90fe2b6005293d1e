"""All targets as data, in the order of the page."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.targets.comparison import ROUNDED
from tests.targets.places import (
    bigquery,
    clickhouse,
    csv_rows,
    database,
    files,
    iceberg,
    json_lines,
    objects,
    printed,
    singer_records,
)
from tests.targets.target import FLAT, Settings, Target, loader, venv

UNCHECKED = {"validate_records": False}
"""The setting of the SDK's targets that saves a check of what the tap has checked."""

FLOATS = {
    ROUNDED: "It makes floats of decimals, by `json.loads`. What is flattened is text "
    "to it, and keeps every digit."
}
NO_VERSION = {"Unknown message type ACTIVATE_VERSION": "It knows no such message."}

DUCKDB_ROWS = """
import json, sys, duckdb
rows = duckdb.connect(sys.argv[1]).execute("FROM main.customers")
names = [column[0] for column in rows.description]
for row in rows.fetchall():
    print(json.dumps(dict(zip(names, row)), default=str))
"""
AVRO_ROWS = """
import json, sys, fastavro
for row in fastavro.reader(open(sys.argv[1], "rb")):
    print(json.dumps(row, default=str))
"""
PARQUET_ROWS = """
import json, sys
from pyarrow import parquet
for row in parquet.read_table(sys.argv[1]).to_pylist():
    print(json.dumps(row, default=str))
"""
TRANSFORM = """
import json, sys, singer
messages = [singer.parse_message(line) for line in sys.stdin]
schema = next(m.schema for m in messages if isinstance(m, singer.SchemaMessage))
with open("written/rows.jsonl", "a") as rows, singer.Transformer() as transformer:
    for message in messages:
        if isinstance(message, singer.RecordMessage):
            row = transformer.transform(message.record, schema)
            print(json.dumps(row, default=str), file=rows)
"""

INTO_JSONL = f'"$@" | (cd written && {loader("jsonl")}/bin/target-jsonl)'
"""How the shell runs a mapper."""

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


def on_s3(address: str, bucket: str) -> Settings:
    """Tell a target where to write."""
    return {"aws_endpoint_url": address, "s3_bucket": bucket, **KEYS}


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
    Target(
        name="jsonl",
        package="target-jsonl",
        venv=loader("jsonl"),
        place=files(json_lines, lambda path: {"destination_path": str(path)}),
        settings={"do_timestamp_file": False},
    ),
    Target(
        name="csv",
        package="meltanolabs-target-csv",
        program="target-csv",
        place=files(csv_rows, lambda path: {"output_path": str(path)}),
        settings=UNCHECKED,
    ),
    Target(
        name="avro",
        package="target-avro",
        place=files(
            partial(printed, venv("avro"), AVRO_ROWS),
            lambda path: {"prefix": f"{path}/"},
        ),
        settings={"disable_collection": True},
        tap=FLAT,
        faults={
            "KeyError: 'properties'": "It takes no object whose keys the schema "
            "doesn't name.",
            **NO_VERSION,
            **FLOATS,
        },
    ),
    Target(
        name="universal-file",
        package="target-universal-file",
        place=files(csv_rows, lambda path: {"path": str(path)}),
        settings={"protocol": "local", "file_type": "csv", **UNCHECKED},
        notes="Its other kinds of file end with an error, flattened or not: `jsonl` "
        "and `xlsx` at the first date, `parquet` at columns that may be null.",
    ),
    Target(
        name="singer-jsonl",
        package="target-singer-jsonl",
        place=files(singer_records, lambda path: {"local": {"folder": str(path)}}),
        settings={"destination": "local"},
        faults=FLOATS | NO_VERSION,
    ),
    Target(
        name="s3-jsonl",
        package="target-s3-jsonl",
        venv=venv("singer-jsonl"),
        place=objects(json_lines, on_s3),
        faults=FLOATS,
        notes="Into a bucket that isn't there it writes nothing, and exits with 0.",
    ),
    Target(
        name="pipelinewise-s3-csv",
        package="pipelinewise-target-s3-csv",
        venv=venv("pipelinewise"),
        program="target-s3-csv",
        place=objects(csv_rows, on_s3),
        tap=FLAT,
        faults={
            "Object of type Decimal is not JSON serializable": "It can't write a list "
            "that has a decimal in it."
        },
    ),
    Target(
        name="s3-parquet",
        package="plinxore-target-s3",
        program="target-s3",
        place=objects(
            partial(printed, venv("s3-parquet"), PARQUET_ROWS),
            lambda address, bucket: {
                "cloud_provider": {
                    "cloud_provider_type": "aws",
                    "aws": {
                        "aws_endpoint_override": address,
                        "aws_bucket": bucket,
                        "aws_region": "us-east-1",
                        **KEYS,
                    },
                },
            },
        ),
        settings={"format": {"format_type": "parquet"}, "prefix": "lake"},
        tap=FLAT,
        faults={
            "'NoneType' object has no attribute 'items'": "It takes no object whose "
            "keys the schema doesn't name.",
            ROUNDED: "It keeps numbers as floats.",
        },
    ),
    Target(
        name="map-transform",
        package="meltano-map-transform",
        venv=venv("csv"),
        place=files(json_lines, lambda _: {}),
        settings={"stream_maps": {"customers": {"company": "company"}}},
        run=INTO_JSONL,
    ),
    Target(
        name="transform-field",
        package="pipelinewise-transform-field",
        venv=venv("pipelinewise"),
        program="transform-field",
        place=files(json_lines, lambda _: {}),
        settings={"transformations": []},
        run=INTO_JSONL,
    ),
    Target(
        name="singer-check-tap",
        package="singer-tools",
        venv=venv("singer-tools"),
        program="singer-check-tap",
        place=files(singer_records, lambda _: {}),
        # It checks what it reads, and keeps nothing.
        run='tee -a written/messages.jsonl | "$@"',
    ),
    Target(
        name="singer-transformer",
        package="singer-python",
        venv=venv("singer-tools"),
        program="python",
        place=files(json_lines, lambda _: {}),
        run=f"python -c '{TRANSFORM}'",
        faults={
            "is wrong": "It makes false of a boolean that is null.",
            ROUNDED: "It makes floats of what is typed `number`.",
        },
    ),
)
