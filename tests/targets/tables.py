"""Tables that targets write into a PostgreSQL server of the tests' own."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.postgres import Database, postgres
from tests.targets.servers import started_once
from tests.targets.target import Destination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Place, Settings

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


def one_table(database: Database) -> list[Row]:
    """Read a table that holds everything of a customer."""
    return database.execute("SELECT * FROM public.customers")


def with_tables_of_lists(database: Database) -> list[Row]:
    """Read a table, and the tables of what is a list in it."""
    rows = one_table(database)
    for name in ("external_ids", "data_source_uuids"):
        table = f"public.customers__{name}"
        if not database.execute(f"SELECT to_regclass('{table}') AS it")[0]["it"]:
            continue
        items: dict[str, list[str]] = {}
        for item in database.execute(f"TABLE {table} ORDER BY _sdc_level_0_id"):
            items.setdefault(item["_sdc_source_key_uuid"], []).append(
                item["_sdc_value"]
            )
        for row in rows:
            row[name] = items.get(row["uuid"], [])
    return rows


def database(
    named: Callable[[Database], Settings],
    read: Callable[[Database], list[Row]] = one_table,
) -> Place:
    """Make a place of a database.

    Args:
        named: The settings that say where, from the database.
        read: What reads it back.
    """

    @contextmanager
    def place(_: Path) -> Iterator[Destination]:
        own = _database()
        yield Destination(named(own), lambda: read(own))

    return place
