"""What is measured, and how each is started."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from benchmarks.samples import Loader, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.account import Account

HERE = Path(__file__).parent
ROOT = HERE.parent
PYTHON = [sys.executable, "-m"]
MELTANO = ROOT / ".venv-meltano/bin/meltano"
TARGET = ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres"


class Job(NamedTuple):
    """What a program has to do.

    Args:
        account: The account to read.
        folder: A folder for the program's files, kept from a sync to the next.
        database: URL of the database to load into.
        deletes: Whether rows of customers who have gone are to go.
    """

    account: Account
    folder: Path
    database: str = ""
    deletes: bool = False

    @property
    def state(self) -> Path:
        """The state of the sync before."""
        return self.folder / "state.json"

    @property
    def output(self) -> Path:
        """What the last program writes."""
        return self.folder / "output"

    def config(self, name: str, **settings: object) -> list[str]:
        """Write a program's settings; return its options."""
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(settings))
        return ["--config", str(file)]

    @property
    def api(self) -> dict[str, str]:
        """Where the account is."""
        return {"api_url": self.account.url, "api_key": self.account.api_key}


Commands = list[list[str]]
"""Programs, each of which reads what the one before it writes."""


def tap(job: Job, parallel_requests: int = 4) -> list[str]:
    """Return the tap's command, with the state of the sync before if there is one."""
    settings = job.config(
        "tap",
        **job.api,
        parallel_requests=parallel_requests,
        emit_activate_version_messages=job.deletes,
    )
    state = ["--state", str(job.state)] if job.state.exists() else []
    return [*PYTHON, "tap_chartmogul_customers", *settings, *state]


def _airbyte(job: Job) -> list[str]:
    return [
        str(ROOT / ".venv-airbyte/bin/source-declarative-manifest"),
        *("read", *job.config("airbyte", **job.api)),
        *("--catalog", str(HERE / "airbyte/catalog.json")),
        *("--manifest-path", str(HERE / "airbyte/manifest.yaml")),
    ]


def _piped(job: Job, **settings: object) -> Commands:
    # As README sets the target up.
    definition = yaml.safe_load(
        (ROOT / "examples/meltano/target-postgres.yml").read_text()
    )
    defaults = {
        setting["name"]: setting["value"]
        for setting in definition["settings"]
        if "value" in setting
    }
    target = defaults | {
        "sqlalchemy_url": job.database,
        "default_target_schema": "bench",
        "hard_delete": job.deletes,
    }
    return [tap(job), [str(TARGET), *job.config("target", **target | settings)]]


def _dlt(job: Job) -> Commands:
    how = "replace" if job.deletes else "merge"
    arguments = [*job.api.values(), job.database, str(job.folder), how]
    program = [str(ROOT / ".venv-dlt/bin/python"), str(HERE / "dlt_pipeline.py")]
    return [[*program, *arguments]]


READERS: dict[str, Callable[[Job], list[str]]] = {
    Reader.BARE_LOOP: lambda job: [*PYTHON, "benchmarks.bare_loop", *job.api.values()],
    Reader.TAP: tap,
    Reader.FOUR: tap,
    Reader.EIGHT: lambda job: tap(job, parallel_requests=8),
    Reader.PLAIN_TAP: lambda job: [
        *(*PYTHON, "benchmarks.plain_tap"),
        *job.config("plain", **job.api),
    ],
    Reader.AIRBYTE: _airbyte,
}
"""Those that write customers to standard output."""

LOADERS: dict[str, Callable[[Job], Commands]] = {
    Loader.PIPE: _piped,
    Loader.COPY: lambda job: _piped(job, use_copy=True),
    Loader.BATCH: lambda job: _piped(job, batch_size_rows=2_000),
    Loader.MELTANO: lambda _: [
        [str(MELTANO), "run", "tap-chartmogul-customers", "target-postgres"]
    ],
    Loader.DLT: _dlt,
}
"""Those that load customers into PostgreSQL."""


def environment(job: Job) -> dict[str, str]:
    """Return the environment of all programs: Meltano and dlt have settings there."""
    return os.environ | {
        "PGTZ": "UTC",
        # Where these are set, each start compiles what it imports, and each line is a
        # write of its own.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONUNBUFFERED": "",
        "MELTANO_DATABASE_URI": f"sqlite:///{job.folder}/meltano.db",
        "TAP_CHARTMOGUL_CUSTOMERS_API_URL": job.account.url,
        "TAP_CHARTMOGUL_CUSTOMERS_API_KEY": job.account.api_key,
        "TARGET_POSTGRES_SQLALCHEMY_URL": job.database,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "bench",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
