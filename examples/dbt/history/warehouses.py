"""The two databases that customers are loaded into and dbt builds in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tests import forks
from tests.postgres import ROOT, TARGET
from tests.running import Tap

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sandbox import Sandbox
    from tests.postgres import Database

PROJECT = ROOT / "examples/dbt"
PROGRAMS = ROOT / ".venv-dbt/bin"
TARGET_DUCKDB = ROOT / ".meltano/loaders/target-duckdb/venv/bin/target-duckdb"
SCHEMA = "tap_chartmogul_customers"

Row = dict[str, Any]

# Prints the rows of a query to a file of DuckDB, each as a line of JSON.
_QUERY_DUCKDB = """
import sys, duckdb
for (row,) in duckdb.connect(sys.argv[1]).execute(sys.argv[2]).fetchall():
    print(row)
"""


class Warehouse(ABC):
    """A database with the program that loads it and dbt's connection to it.

    Args:
        folder: For the files of loads and of dbt.
    """

    dialect: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def target(self) -> tuple[Path, dict[str, Any]]:
        """The loader, and its settings."""

    @property
    @abstractmethod
    def connection(self) -> dict[str, str]:
        """The variables that `profiles.yml` reads."""

    def load(self, sandbox: Sandbox, **more: object) -> None:
        """Load all customers: `tap | target`.

        Args:
            sandbox: The account.
            more: More settings of the tap.
        """
        program, settings = self.target
        config = self.folder / "target.json"
        config.write_text(json.dumps(settings))
        more |= {"emit_activate_version_messages": True}
        tap = Tap(sandbox, self.folder).command(**more)
        with (
            (self.folder / "load.log").open("w") as log,
            subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=log) as source,  # noqa: S603
        ):
            subprocess.run(  # noqa: S603 - programs of this project
                [program, "--config", config],
                stdin=source.stdout,
                stdout=subprocess.DEVNULL,
                stderr=log,
                check=True,
            )
        if source.returncode:
            raise subprocess.CalledProcessError(source.returncode, tap)

    def build(self, day: date | None = None, **more: object) -> None:
        """Run `dbt build`.

        Args:
            day: The day that it is to be, at six in the morning; else that of the load.
            more: More variables of the project.
        """
        as_of = {"as_of": f"{day} 06:00:00"} if day else {}
        self.dbt("build", "--quiet", "--vars", json.dumps(as_of | more))

    def dbt(self, *arguments: str, **environ: str) -> str:
        """Run dbt.

        Args:
            arguments: Its arguments.
            environ: More environment variables.

        Returns:
            What it printed.
        """
        return self._run("dbt.cli.main:cli", *arguments, **environ)

    def lint(self) -> None:
        """Check the style of every SQL file, as dbt renders it for this database."""
        options = ("lint", f"--dialect={self.dialect}", str(PROJECT))
        self._run("sqlfluff.cli.commands:cli", *options)

    def _run(self, main: str, *arguments: str, **environ: str) -> str:
        # One process for each database, so that both can be at work at once.
        modules = (main.partition(":")[0], f"dbt.adapters.{self.dialect}.impl")
        program = forks.Program(PROGRAMS / "python", main, modules)
        output, log = self.folder / "program.out", self.folder / "program.err"
        code = forks.run(
            *(program, arguments, output, log),
            folder=PROJECT,
            environment={
                **os.environ,
                "DBT_PROFILES_DIR": str(PROJECT),
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "DBT_LOG_PATH": str(self.folder / "logs"),
                **self.connection,
                **environ,
            },
        )
        printed = output.read_text("utf-8") + log.read_text("utf-8")
        if code:
            raise RuntimeError(printed)
        return printed

    @abstractmethod
    def copy(self, folder: Path) -> Self:
        """Make another with the same content, in an empty folder."""

    @abstractmethod
    def execute(self, statements: str) -> None:
        """Run statements.

        Args:
            statements: SQL, each with a semicolon at its end.
        """

    @abstractmethod
    def query(self, query: str) -> list[Row]:
        """Ask a question.

        Args:
            query: SQL, without a semicolon.

        Returns:
            The rows, with dates and times as text.
        """

    def rows(self, model: str) -> list[Row]:
        """Read a model.

        Args:
            model: Its name.

        Returns:
            Its rows, with dates and times as text.
        """
        return self.query(f"SELECT * FROM chartmogul.{model}")  # noqa: S608


class Postgres(Warehouse):
    """A database of a PostgreSQL server, loaded by target-postgres.

    Args:
        folder: For the files of loads and of dbt.
        database: The database.
    """

    dialect = "postgres"

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder)
        self.database = database

    @cached_property
    @override
    def target(self) -> tuple[Path, dict[str, Any]]:
        return TARGET, {
            "sqlalchemy_url": self.database.url,
            "default_target_schema": SCHEMA,
            "hard_delete": True,
        }

    @cached_property
    @override
    def connection(self) -> dict[str, str]:
        return {
            "TARGET_POSTGRES_HOST": self.database.folder,
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_DATABASE": self.database.name,
        }

    @override
    def copy(self, folder: Path) -> Self:
        return type(self)(folder, self.database.copy(folder.name))

    @override
    def execute(self, statements: str) -> None:
        self.database.execute(statements)

    @override
    def query(self, query: str) -> list[Row]:
        query = f"SELECT to_json(q) AS row FROM ({query}) AS q"  # noqa: S608
        return [row["row"] for row in self.database.execute(query)]


class DuckDB(Warehouse):
    """Two files of DuckDB: what target-duckdb loads, and what dbt makes of it."""

    dialect = "duckdb"

    @property
    def _loaded(self) -> Path:
        return self.folder / "customers.duckdb"

    @property
    def _built(self) -> Path:
        return self.folder / "history.duckdb"

    @override
    def load(self, sandbox: Sandbox, **more: object) -> None:
        # The loader deletes no rows, so each load has a file of its own.
        self._loaded.unlink(missing_ok=True)
        super().load(sandbox, **more)

    @cached_property
    @override
    def target(self) -> tuple[Path, dict[str, Any]]:
        return TARGET_DUCKDB, {
            "path": str(self._loaded),
            "default_target_schema": SCHEMA,
            "add_metadata_columns": True,
        }

    @cached_property
    @override
    def connection(self) -> dict[str, str]:
        return {
            "DBT_TARGET": "duckdb",
            "TARGET_DUCKDB_PATH": str(self._loaded),
            "DBT_DUCKDB_PATH": str(self._built),
        }

    @override
    def copy(self, folder: Path) -> Self:
        for file in (self._loaded, self._built):
            shutil.copy(file, folder)
        return type(self)(folder)

    @override
    def execute(self, statements: str) -> None:
        _printed_by_duckdb(self._built, statements)

    @override
    def query(self, query: str) -> list[Row]:
        return ask_duckdb(self._built, query)


def ask_duckdb(file: Path, query: str) -> list[Row]:
    """Ask a file of DuckDB.

    Args:
        file: The file.
        query: The query.

    Returns:
        Its rows, with dates and times as text.
    """
    query = f"SELECT to_json(q) FROM ({query}) AS q"  # noqa: S608
    printed = _printed_by_duckdb(file, query)
    return [json.loads(row, parse_float=Decimal) for row in printed.splitlines()]


def _printed_by_duckdb(file: Path, query: str) -> bytes:
    return subprocess.run(  # noqa: S603 - programs of this project
        [PROGRAMS / "python", "-c", _QUERY_DUCKDB, str(file), query],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
