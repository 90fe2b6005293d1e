"""Where targets write, and how that is read back."""

from __future__ import annotations

import csv
import itertools
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tests.postgres import Database, postgres
from tests.targets.comparison import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Destination, Place, Settings

Read: TypeAlias = "Callable[[Path], list[Row]]"
"""Reads one file."""

servers = ExitStack()
"""Stops what the places have started, once for all targets."""


@dataclass(frozen=True)
class Folder:
    """A folder of files.

    Args:
        path: The folder.
        named: The settings that say where, from the folder.
        read: What reads a file.
    """

    path: Path
    named: Callable[[Path], Settings]
    read: Read

    def settings(self) -> Settings:
        """Return the settings that tell a target of it."""
        return self.named(self.path)

    def rows(self) -> list[Row]:
        """Return what its files hold, the oldest file first."""
        paths = [path for path in self.path.rglob("*") if path.is_file()]
        paths.sort(key=lambda path: path.stat().st_mtime_ns)
        return [row for path in paths for row in self.read(path)]


def files(read: Read, named: Callable[[Path], Settings]) -> Place:
    """Make a place of files in a folder."""

    @contextmanager
    def place(folder: Path) -> Iterator[Destination]:
        path = folder / "written"
        path.mkdir()
        yield Folder(path, named, read)

    return place


def json_lines(path: Path) -> list[Row]:
    """Read a file with an object on each line."""
    with path.open(encoding="utf-8") as lines:
        return [read_json(line) for line in lines]


def csv_rows(path: Path) -> list[Row]:
    """Read a file with a head and a row for each customer."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def printed_by(python: Path, script: str) -> Read:
    """Read a file by a script in an environment that knows its format.

    Args:
        python: The Python of that environment.
        script: It prints each row of the file in its first argument, as JSON.
    """

    def read(path: Path) -> list[Row]:
        command = [str(python), "-c", script, str(path)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        return [read_json(line) for line in printed.splitlines()]

    return read


_lock = threading.Lock()
_numbers = itertools.count(1)


@cache
def _server() -> Database:
    return servers.enter_context(postgres())


def _database() -> Database:
    """Make an empty database, whose time zone is not UTC."""
    with _lock:
        server = _server()
        database = server.copy(f"target_{next(_numbers)}")
    server.execute(f"ALTER DATABASE {database.name} SET timezone TO 'Asia/Kolkata'")
    return database


@dataclass(frozen=True)
class Table:
    """The table of customers in a database of PostgreSQL.

    Args:
        database: The database.
        named: The settings that say where, from the database.
    """

    database: Database
    named: Callable[[Database], Settings]

    def settings(self) -> Settings:
        """Return the settings that tell a target of it."""
        return self.named(self.database)

    def rows(self) -> list[Row]:
        """Return its rows."""
        return self.database.execute("SELECT * FROM public.customers")


def table(named: Callable[[Database], Settings]) -> Place:
    """Make a place of a database of PostgreSQL."""

    @contextmanager
    def place(_: Path) -> Iterator[Destination]:
        yield Table(_database(), named)

    return place
