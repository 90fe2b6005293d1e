"""Targets that write into databases, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.targets.common import (
    FLOATS,
    MELTANO,
    NO_PROPERTIES,
    OLD_PYTHON,
    ON_OLD_PYTHON,
)
from tests.targets.places import files, json_lines, printed_by, sqlite_rows
from tests.targets.tables import database, with_tables_of_lists
from tests.targets.target import FLAT, ROOT, Fault, Settings, Target

if TYPE_CHECKING:
    from tests.postgres import Database

DUCKDB = ROOT / ".venv-target-duckdb"
DUCKDB_ROWS = """
import json, sys, duckdb
rows = duckdb.connect(sys.argv[1]).execute("FROM main.customers")
names = [column[0] for column in rows.description]
for row in rows.fetchall():
    print(json.dumps(dict(zip(names, row)), default=str))
"""


def pipelinewise(own: Database) -> Settings:
    """Tell a target of PipelineWise's where to write."""
    return {
        "host": own.folder,
        "port": 5432,
        "user": "postgres",
        "password": "-",  # none is asked for
        "dbname": own.name,
    }


DATABASES = (
    Target(
        name="postgres",
        package="meltanolabs-target-postgres",
        program="target-postgres",
        venv=MELTANO / "target-postgres/venv",
        place=database(lambda own: {"sqlalchemy_url": own.url}),
        settings={"default_target_schema": "public", "hard_delete": True},
        environment={"PGTZ": "UTC"},
    ),
    Target(
        name="pipelinewise-postgres",
        package="pipelinewise-target-postgres",
        program="target-postgres",
        place=database(pipelinewise),
        settings={"default_target_schema": "public"},
        environment={"PGTZ": "UTC"},
        faults=(
            FLOATS,
            Fault(
                "custom_account_notes",
                "It writes text with JSON's escapes, and they stay: a line break is a "
                "backslash and an n.",
            ),
        ),
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
            with_tables_of_lists,
        ),
        settings={"postgres_schema": "public", "disable_collection": True},
        tap=FLAT,
        faults=(
            Fault(
                "`attributes__",
                "It makes a column of each key that the schema names, and drops what "
                "else is in an object without a word.",
            ),
            FLOATS,
        ),
    ),
    Target(
        name="statsbot-postgres",
        package="target-postgres",
        program="target-postgres",
        place=database(pipelinewise),
        settings={"schema": "public"},
        environment={"PGTZ": "UTC"},
        tap=FLAT,
        prefix=OLD_PYTHON,
        faults=(
            NO_PROPERTIES,
            Fault(
                "is wrong",
                "It takes 0 and false for null, and writes text with JSON's escapes, "
                "which stay.",
            ),
            FLOATS,
        ),
        notes=ON_OLD_PYTHON,
    ),
    Target(
        name="duckdb",
        package="target-duckdb",
        program="target-duckdb",
        venv=DUCKDB,
        place=files(
            printed_by(DUCKDB / "bin/python", DUCKDB_ROWS),
            lambda path: {"path": str(path / "customers.duckdb")},
        ),
        settings={"default_target_schema": "main"},
        faults=(FLOATS,),
    ),
    Target(
        name="sqlite",
        package="target-sqlite",
        program="target-sqlite",
        prefix=OLD_PYTHON,
        place=files(sqlite_rows, lambda path: {"database": str(path / "customers")}),
        notes=ON_OLD_PYTHON,
        faults=(FLOATS,),
    ),
    Target(
        name="snowflake",
        package="meltanolabs-target-snowflake",
        program="target-snowflake",
        prefix=("fakesnow",),
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
        },
        is_tried_in_part=True,
        faults=(
            Fault("Creating empty table", "It takes the schema, and makes the table."),
            Fault("Processing batch of files", "It takes every record into its files."),
            Fault(
                "does not start with @",
                "fakesnow, which stands in for Snowflake, has no user stage `@~` for "
                "the target's files.",
            ),
        ),
    ),
)
