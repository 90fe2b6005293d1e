"""The targets, as data."""

from __future__ import annotations

from tests.targets.comparison import ROUNDED
from tests.targets.places import csv_rows, files, json_lines, printed_by, table
from tests.targets.target import ROOT, Fault, Target

MELTANO = ROOT / ".meltano/loaders"

FLOATS = Fault(
    ROUNDED,
    "It reads messages by `json.loads` alone, which makes floats of decimals. What is "
    "flattened is text to it, and keeps every digit.",
)

TARGETS = (
    Target(
        name="jsonl",
        package="target-jsonl",
        program="target-jsonl",
        venv=MELTANO / "target-jsonl/venv",
        place=files(json_lines, lambda path: {"destination_path": str(path)}),
        settings={"do_timestamp_file": False},
    ),
    Target(
        name="postgres",
        package="meltanolabs-target-postgres",
        program="target-postgres",
        venv=MELTANO / "target-postgres/venv",
        place=table(lambda database: {"sqlalchemy_url": database.url}),
        settings={"default_target_schema": "public", "hard_delete": True},
        environment={"PGTZ": "UTC"},
    ),
    Target(
        name="csv",
        package="meltanolabs-target-csv",
        program="target-csv",
        place=files(csv_rows, lambda path: {"output_path": str(path)}),
    ),
    Target(
        name="pipelinewise-postgres",
        package="pipelinewise-target-postgres",
        program="target-postgres",
        place=table(
            lambda database: {
                "host": database.folder,
                "port": 5432,
                "user": "postgres",
                "password": "-",  # none is asked for
                "dbname": database.name,
            }
        ),
        settings={"default_target_schema": "public"},
        faults=(
            FLOATS,
            Fault(
                "custom_account_notes",
                "It writes text with JSON's escapes, and they stay: a line break is a "
                "backslash and an n.",
            ),
        ),
        environment={"PGTZ": "UTC"},
    ),
    Target(
        name="duckdb",
        package="target-duckdb",
        program="target-duckdb",
        venv=ROOT / ".venv-target-duckdb",
        place=files(
            printed_by(
                ROOT / ".venv-target-duckdb/bin/python",
                "import sys, json, duckdb\n"
                "rows = duckdb.connect(sys.argv[1]).execute('FROM main.customers')\n"
                "names = [column[0] for column in rows.description]\n"
                "for row in rows.fetchall():\n"
                "    print(json.dumps(dict(zip(names, row)), default=str))\n",
            ),
            lambda path: {"path": str(path / "customers.duckdb")},
        ),
        settings={"default_target_schema": "main"},
        faults=(FLOATS,),
    ),
)
