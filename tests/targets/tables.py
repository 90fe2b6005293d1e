"""Tables that targets write, into databases and what stands in for warehouses."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import requests

from tests.postgres import Database, postgres
from tests.targets.comparison import read_json
from tests.targets.places import printed
from tests.targets.serving import running, serving, started_once
from tests.targets.stand_ins.bigquery import DATASET, PROJECT, BigQuery
from tests.targets.target import Destination, venv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Place, Settings

ICEBERG_ROWS = """
import json, sys
from pyarrow import parquet
from pyiceberg.catalog.rest import RestCatalog
address, namespace = sys.argv[1:]
table = RestCatalog("lake", uri=address).load_table((namespace, "customers"))
for task in reversed([*table.scan().plan_files()]):  # the newest comes first
    rows = parquet.read_table(task.file.file_path.removeprefix("file://"))
    for row in rows.to_pylist(maps_as_pydicts="strict"):
        print(json.dumps(row, default=str))
"""
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
"""Else the client for S3 waits for an address that only Amazon's machines have."""

_numbers = itertools.count(1)
_server = started_once(postgres)
_copying = threading.Lock()


def _database() -> Database:
    """Make an empty database, whose time zone is not UTC."""
    server = _server()
    with _copying:
        database = server.copy(f"target_{next(_numbers)}")
    server.execute(f"ALTER DATABASE {database.name} SET timezone TO 'Asia/Kolkata'")
    return database


def database(named: Callable[[Database], Settings]) -> Place:
    """Make a place of a database.

    Args:
        named: The settings that say where, from the database.
    """

    @contextmanager
    def place(_: Path) -> Iterator[Destination]:
        own = _database()
        yield Destination(named(own), partial(own.execute, "TABLE public.customers"))

    return place


def _stand_in(name: str) -> Callable[[], str]:
    """Return a function that gives the address of a stand-in, and starts it once."""

    @contextmanager
    def start() -> Iterator[str]:
        python, module = venv(name).program("python"), f"tests.targets.stand_ins.{name}"
        with (
            TemporaryDirectory() as folder,
            running(python, "-m", module, folder) as address,
        ):
            yield address

    return started_once(start)


_clickhouse = _stand_in("clickhouse")
_iceberg = _stand_in("iceberg")


@contextmanager
def clickhouse(_: Path) -> Iterator[Destination]:
    """Make a database in ClickHouse."""
    address, database = _clickhouse(), f"target_{next(_numbers)}"

    def run(statement: str, where: str) -> list[Row]:
        parameters = {"database": where}
        said = requests.post(address, params=parameters, data=statement, timeout=60)
        said.raise_for_status()
        return [read_json(line) for line in said.text.splitlines()]

    run(f"CREATE DATABASE {database}", "default")
    yield Destination(
        {"sqlalchemy_url": f"clickhouse+http{address[4:]}/{database}"},
        partial(
            run,
            # In the order in which they came.
            "SELECT * FROM customers ORDER BY _part, _part_offset FORMAT JSONEachRow",
            database,
        ),
    )


@contextmanager
def iceberg(_: Path) -> Iterator[Destination]:
    """Make a namespace in a catalog of Iceberg."""
    address, namespace = _iceberg(), f"target_{next(_numbers)}"
    python = venv("iceberg").program("python")
    yield Destination(
        {"s3tables_uri": address, "namespace": namespace},
        partial(printed, python, ICEBERG_ROWS, address, namespace),
        NO_METADATA,
    )


@contextmanager
def bigquery(folder: Path) -> Iterator[Destination]:
    """Make a data set of what stands in for BigQuery."""
    key = {
        **dict.fromkeys(("client_id", "client_secret", "refresh_token", "token"), "-"),
        "type": "authorized_user",
        "expiry": "2999-01-01T00:00:00Z",  # so that no other token is asked for
    }
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(key))
    own = BigQuery()

    def rows() -> list[Row]:
        # Its default is one column of JSON for all.
        return [row.get("data", row) for row in own.tables.get("customers", [])]

    with serving(own.answer) as address:
        yield Destination(
            {"project": PROJECT, "dataset": DATASET},
            rows,
            {
                "BIGQUERY_EMULATOR_HOST": address,
                "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
            },
        )
