"""Loads the customers of many ChartMogul accounts, and builds the history of each.

- accounts: the variable `chartmogul_accounts`
- keys: a connection `chartmogul_ACCOUNT` for each
- databases: the connections `warehouse` and `meltano`
- how many at once: the pool `chartmogul`

The README one folder up shows how to set them.
"""

from __future__ import annotations

import logging
import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Variable, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException
from chartmogul_meltano import BuildHistory, LoadAccount

if TYPE_CHECKING:
    from datetime import datetime

# Together they outlast the five minutes in which Meltano takes a run whose machine
# was lost for one that still runs, and refuses another.
RETRIES = int(os.environ.get("CHARTMOGUL_RETRIES", "5"))
RETRY_SECONDS = float(os.environ.get("CHARTMOGUL_RETRY_SECONDS", "300"))

# A name is part of a connection's id and of a state's, and the schema of a table.
ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# Milliseconds since 1970; the loader's other times depend on the server's time zone.
COUNT = """
    SELECT count(*) FILTER (WHERE _sdc_sync_started_at >= %s), count(*) FROM {table}
"""
ROW = "%-30s %-16s %-16s %10s %10s"

log = logging.getLogger(__name__)


# One run at a time, and in it one load of an account: the tap alone stays below
# ChartMogul's 20 connections and 40 requests a second, and waits where an account's
# quota is spent. Each account has these limits to itself, so how many are read at once
# is for the pool to say, whose size is ours.
@dag(
    description="ChartMogul's customers of every account, into PostgreSQL",
    doc_md=__doc__,
    tags=["chartmogul", "meltano"],
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
)
def chartmogul_customers() -> None:
    """Load every account and build its history, then report."""

    @task(doc_md="Reads the names of the accounts from `chartmogul_accounts`.")
    def accounts() -> list[str]:
        names = Variable.get("chartmogul_accounts", deserialize_json=True)
        if wrong := [name for name in names if not ACCOUNT_NAME.fullmatch(name)]:
            message = f"Not lower-case letters, digits and underscores: {wrong}"
            raise AirflowFailException(message)
        return sorted(set(names))

    @task(
        doc_md="Logs what became of each account; fails if one was not built.",
        trigger_rule="all_done_min_one_success",
    )
    def report(names: list[str]) -> None:
        context = get_current_context()
        run = context["dag_run"]
        states = context["ti"].get_task_states(
            dag_id=run.dag_id, task_group_id="account", run_ids=[run.run_id]
        )[run.run_id]
        log.info(ROW, "account", "load", "build", "loaded", "in table")
        for index, name in enumerate(names):
            ended = [states[f"account.{task}_{index}"] for task in ("load", "build")]
            log.info(ROW, name, *ended, *count(name, run.run_after))
        if any(state != "success" for state in states.values()):
            message = "Not every account was loaded and built; see the table above"
            raise AirflowFailException(message)

    @task_group
    def account(name: str) -> None:
        again = {
            "map_index_template": "{{ task.account }}",
            "retries": RETRIES,
            "retry_delay": timedelta(seconds=RETRY_SECONDS),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(hours=1),
        }
        load = LoadAccount(
            task_id="load",
            doc_md="Loads an account. Another try resumes where this one ended.",
            account=name,
            pool="chartmogul",
            **again,
        )
        build = BuildHistory(
            task_id="build",
            doc_md="Adds what was loaded to the account's history, with dbt.",
            account=name,
            **again,
        )
        load >> build

    names = accounts()
    account.expand(name=names) >> report(names)


def count(account: str, since: datetime) -> tuple[int, int]:
    """Count an account's rows: those of the syncs since, and all."""
    warehouse = PostgresHook("warehouse")
    table = f'"{account}".customers'
    if warehouse.get_first("SELECT to_regclass(%s)", (table,)) == (None,):
        return 0, 0
    milliseconds = since.timestamp() * 1000
    loaded, rows = warehouse.get_first(COUNT.format(table=table), (milliseconds,))
    return loaded, rows


chartmogul_customers()
