"""The operator that loads one ChartMogul account with Meltano.

It keeps nothing on its machine from one try to the next: what Meltano remembers is in
the database of the connection `meltano`.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil
import requests
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

TAP = "tap-chartmogul-customers"
TARGET = "target-postgres"
TAP_PREFIX = "TAP_CHARTMOGUL_CUSTOMERS_"
API_URL = "https://api.chartmogul.com/v1"
KEY_REFUSED = {401, 403}


class MeltanoRun(BaseOperator):
    """Runs Meltano for one account, in a folder of the run's own."""

    template_fields = ("account",)

    def __init__(self, *, account: str, **kwargs: Any) -> None:  # noqa: ANN401 - an operator's
        super().__init__(**kwargs)
        self.account = account

    @cached_property
    def meltano(self) -> SubprocessHook:
        """The process that `on_kill` may have to stop."""
        return SubprocessHook()

    def run_meltano(self, settings: Mapping[str, Any], *arguments: str) -> int:
        """Run Meltano with settings of the tap, and return its exit code."""
        with TemporaryDirectory() as folder:
            return self.meltano.run_command(
                ["meltano", "run", *arguments],
                env=environment(self.account, settings, folder),
                cwd=folder,
            ).exit_code

    def on_kill(self) -> None:
        """Stop the tap alone, after which Meltano loads what came and keeps its state.

        If Meltano itself were stopped, it would not wait for the target's state.
        """
        if started := self.meltano.sub_process:
            meltano = psutil.Process(started.pid)
            taps = [
                child for child in meltano.children() if TAP in str(child.cmdline())
            ]
            for process in taps or [meltano]:
                process.terminate()


class LoadAccount(MeltanoRun):
    """Loads an account; another try resumes at the state it finds.

    A key that ChartMogul refuses, or an account without a connection, fails at once.
    """

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Load the account, and fail if Meltano does."""
        settings = settings_of(self.account)
        state = f"--state-id-suffix={self.account}"
        if exit_code := self.run_meltano(settings, state, TAP, TARGET):
            if status := refusal(settings):
                message = f"ChartMogul refuses the key of {self.account}: {status}"
                raise AirflowFailException(message)
            message = f"meltano run ended with exit code {exit_code}"
            raise AirflowException(message)


class BuildHistory(MeltanoRun):
    """Builds and tests the models of examples/dbt in the account's schema."""

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Build, and fail if dbt does."""
        if exit_code := self.run_meltano({}, "dbt:build"):
            message = f"dbt build ended with exit code {exit_code}"
            raise AirflowException(message)


def settings_of(account: str) -> dict[str, Any]:
    """Read the tap's settings of an account from its connection."""
    try:
        connection = BaseHook.get_connection(f"chartmogul_{account}")
    except AirflowNotFoundException as error:
        raise AirflowFailException(error) from None
    return connection.extra_dejson | {"api_key": connection.password}


def refusal(settings: Mapping[str, Any]) -> str | None:
    """Ask ChartMogul for one customer, and return the status if it refuses the key."""
    try:
        answer = requests.get(
            f"{settings.get('api_url', API_URL)}/customers",
            params={"per_page": 1},
            auth=(settings["api_key"] or "", ""),
            timeout=60,
            allow_redirects=False,
        )
    except requests.RequestException:
        return None
    refused = answer.status_code in KEY_REFUSED
    return f"{answer.status_code} {answer.reason}" if refused else None


def environment(
    account: str, settings: Mapping[str, Any], folder: str
) -> dict[str, str]:
    """Build Meltano's environment: one account's key, and no secret of Airflow's.

    Meltano hands the tap its state and catalog in files that all runs on a machine
    would share, so each run has a folder of its own, with the plugins linked to it.
    """
    for plugins in ("extractors", "loaders", "utilities"):
        installed = Path(os.environ["MELTANO_PROJECT_ROOT"], ".meltano", plugins)
        Path(folder, plugins).symlink_to(installed)
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")},
        **{f"{TAP_PREFIX}{k.upper()}": as_text(v) for k, v in settings.items()},
        "TARGET_POSTGRES_SQLALCHEMY_URL": database_url("warehouse"),
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": account,
        # The loader writes times as they are in its session's time zone.
        "PGTZ": "UTC",
        "MELTANO_DATABASE_URI": database_url("meltano"),
        "MELTANO_SYS_DIR_ROOT": folder,
        **dbt_settings(account, folder),
    }


def dbt_settings(account: str, folder: str) -> dict[str, str]:
    """Build the environment of dbt, whose profile has the connection in parts."""
    warehouse = PostgresHook("warehouse").sqlalchemy_url
    parts = {
        "HOST": warehouse.host or os.environ.get("PGHOST"),
        "PORT": warehouse.port,
        "USER": warehouse.username,
        "PASSWORD": warehouse.password,
        "DATABASE": warehouse.database,
    }
    return {
        **{f"TARGET_POSTGRES_{k}": str(v) for k, v in parts.items() if v},
        "DBT_SOURCE_SCHEMA": account,
        "DBT_SCHEMA": account,
        "DBT_TARGET_PATH": f"{folder}/target",
        "DBT_LOG_PATH": f"{folder}/logs",
    }


def as_text(setting: object) -> str:
    """Give a setting as Meltano reads it from the environment."""
    return setting if isinstance(setting, str) else json.dumps(setting)


def database_url(conn_id: str) -> str:
    """Give a PostgreSQL connection as a URL for SQLAlchemy and psycopg 3."""
    url = PostgresHook(conn_id).sqlalchemy_url.set(drivername="postgresql+psycopg")
    return str(url.render_as_string(hide_password=False))
