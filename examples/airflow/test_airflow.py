"""The DAG on a real Airflow, with two sandboxes for two accounts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from stack import Airflow, wait_until

from sandbox import Sandbox, faults, generate_customers
from tests.postgres import Database, Row, postgres, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.exchange import SeenRequest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def warehouse(server: Database) -> Database:
    """Where the customers go: a database that is not set to UTC."""
    warehouse = server.copy("warehouse")
    server.execute("ALTER DATABASE warehouse SET timezone TO 'America/New_York'")
    return warehouse


@pytest.fixture(scope="module")
def own(server: Database) -> Database:
    """What Airflow itself keeps."""
    return server.copy("airflow")


@pytest.fixture(scope="module")
def meltano(server: Database) -> Database:
    """Where Meltano keeps its state."""
    return server.copy("meltano")


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Sandbox]]:
    """Two accounts, of which one breaks once, on its third page."""
    with account("acme", 1000) as acme, account("globex", 700) as globex:
        acme.script({3: faults.status(400)})
        yield {"acme": acme, "globex": globex}


def account(name: str, customers: int) -> Sandbox:
    return Sandbox(
        generate_customers(customers, seed=customers),
        rate_limit=None,
        latency=0.3,
        api_key=f"key-of-{name}",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="module")
def airflow(
    home: Path,
    own: Database,
    warehouse: Database,
    meltano: Database,
    accounts: dict[str, Sandbox],
) -> Iterator[Airflow]:
    """Airflow, set up with the commands of the README."""
    environ = {
        "PATH": f"{ROOT / '.venv-meltano/bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "PGHOST": own.folder,
        "MELTANO_PROJECT_ROOT": str(ROOT),
        "CHARTMOGUL_RETRIES": "1",
        "CHARTMOGUL_RETRY_SECONDS": "1",
    }
    subprocess.run(
        [ROOT / ".venv-meltano/bin/meltano", "state", "list"],
        env=environ | {"MELTANO_DATABASE_URI": meltano.url},
        check=True,
    )
    connections = home.with_name("connections.json")
    connections.write_text(json.dumps(connections_of(accounts, warehouse, meltano)))
    airflow = Airflow(home, own.url.replace("psycopg", "psycopg2"), environ)
    airflow.command("db", "migrate")
    airflow.command("connections", "import", str(connections))
    airflow.command("pools", "set", "chartmogul", "2", "Accounts read at once")
    with airflow:
        yield airflow


def connections_of(
    accounts: dict[str, Sandbox], *databases: Database
) -> dict[str, dict[str, Any]]:
    keys = {name: (sandbox.api_key, sandbox.url) for name, sandbox in accounts.items()}
    keys["closed"] = ("key-of-nobody", accounts["globex"].url)
    return {
        f"chartmogul_{name}": {
            "conn_type": "generic",
            "password": key,
            "extra": {"api_url": url},
        }
        for name, (key, url) in keys.items()
    } | {
        to.name: {"conn_type": "postgres", "login": "postgres", "schema": to.name}
        for to in databases
    }


@pytest.fixture(scope="module")
def run(airflow: Airflow) -> str:
    """A run that meets with the failure: its path in Airflow's API."""
    run = trigger(airflow, "acme", "globex")
    airflow.wait_for(run)
    return run


@pytest.fixture(scope="module")
def next_run(airflow: Airflow, run: str, accounts: dict[str, Sandbox]) -> str:
    """A run whose worker is shut down, and whose other account cannot be read."""
    assert run, "comes first"
    seen = accounts["acme"].requests
    at_first = len(seen)
    next_run = trigger(airflow, "acme", "closed")
    wait_until(lambda: len(seen) >= at_first + 3, 60)
    worker_of("acme").terminate()
    airflow.wait_for(next_run)
    return next_run


def trigger(airflow: Airflow, *names: str) -> str:
    airflow.command("variables", "set", "chartmogul_accounts", json.dumps(names))
    return airflow.trigger("chartmogul_customers")


def worker_of(account: str) -> psutil.Process:
    """The process that Airflow runs a task in: Meltano's, its own, its guard's."""
    for meltano in psutil.process_iter(["cmdline"]):
        if f"--state-id-suffix={account}" in (meltano.info["cmdline"] or ()):
            return meltano.parents()[1]
    raise LookupError(account)


def test_another_try_makes_up_for_a_failure(airflow: Airflow, run: str) -> None:
    loads = airflow.get(f"{run}/taskInstances?task_id=account.load")["task_instances"]
    assert {
        load["rendered_map_index"]: (load["state"], load["try_number"])
        for load in loads
    } == {"acme": ("success", 2), "globex": ("success", 1)}
    assert airflow.get(run)["state"] == "success"


def reads(account: Sandbox) -> list[SeenRequest]:
    """The tap's requests, without those that check a key after a failure."""
    return [seen for seen in account.requests if seen.query["per_page"] != "1"]


@pytest.mark.usefixtures("run")
def test_the_other_try_resumes_at_the_page_that_failed(
    accounts: dict[str, Sandbox],
) -> None:
    seen = reads(accounts["acme"])
    assert [request.status for request in seen] == [200, 200, 400, 200, 200, 200]
    assert seen[3].query["cursor"] == seen[2].query["cursor"]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["acme", "globex"])
def test_a_table_holds_its_account(
    name: str, accounts: dict[str, Sandbox], warehouse: Database
) -> None:
    assert table(warehouse, name) == customers(accounts[name])


def table(warehouse: Database, account: str) -> dict[str, Row]:
    """Return the table of an account by uuid, without the target's own columns."""
    rows = warehouse.execute(f"SELECT * FROM {account}.customers")  # noqa: S608 - ours
    return {
        row["uuid"]: {
            name: value for name, value in row.items() if not name.startswith("_sdc_")
        }
        for row in rows
    }


def customers(account: Sandbox) -> dict[str, Row]:
    return {customer["uuid"]: row_of(customer) for customer in account.customers}


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["acme", "globex"])
def test_the_history_of_an_account_is_built_after_its_load(
    name: str, accounts: dict[str, Sandbox], warehouse: Database
) -> None:
    query = f"SELECT sum(customers), sum(mrr_cents) AS mrr FROM {name}.mrr_by_day"  # noqa: S608 - ours
    (row,) = warehouse.execute(query)
    loaded = accounts[name].customers
    mrr = sum(customer["mrr"] or 0 for customer in loaded)
    assert row == {"sum": len(loaded), "mrr": mrr}


@pytest.mark.usefixtures("run")
def test_each_account_has_its_state_in_the_shared_database(meltano: Database) -> None:
    states = meltano.execute("SELECT state_id FROM state ORDER BY state_id")
    assert [row["state_id"].rpartition(":")[2] for row in states] == ["acme", "globex"]


def test_the_report_counts_the_customers_of_each_account(
    airflow: Airflow, run: str
) -> None:
    assert report(airflow, run) == [
        ["acme", "success", "success", "1000", "1000"],
        ["globex", "success", "success", "700", "700"],
    ]


def report(airflow: Airflow, run: str) -> list[list[str]]:
    """The lines of the report's table, without its heading."""
    log = airflow.get(f"{run}/taskInstances/report/logs/1")["content"]
    lines = [line["event"].split() for line in log]
    start = lines.index(["account", "load", "build", "loaded", "in", "table"])
    return [line for line in lines[start:] if len(line) == 5 and line[3].isdigit()]


@pytest.mark.usefixtures("next_run")
def test_a_worker_that_is_shut_down_leaves_its_place_to_the_next_try(
    accounts: dict[str, Sandbox], warehouse: Database
) -> None:
    cursors = [request.query.get("cursor") for request in reads(accounts["acme"])]
    assert cursors.count(None) == 2
    assert table(warehouse, "acme") == customers(accounts["acme"])


def test_a_lost_account_fails_the_run_and_stands_in_its_report(
    airflow: Airflow, next_run: str
) -> None:
    assert airflow.get(next_run)["state"] == "failed"
    assert report(airflow, next_run) == [
        ["acme", "success", "success", "1000", "1000"],
        ["closed", "failed", "upstream_failed", "0", "0"],
    ]


def test_a_key_that_is_refused_is_not_tried_again(
    airflow: Airflow, next_run: str
) -> None:
    loads = airflow.get(f"{next_run}/taskInstances?task_id=account.load")[
        "task_instances"
    ]
    tries = {load["rendered_map_index"]: load["try_number"] for load in loads}
    assert tries == {"acme": 2, "closed": 1}


@pytest.mark.usefixtures("run")
def test_a_key_is_in_no_log_and_nowhere_readable_in_the_database(
    home: Path, own: Database, accounts: dict[str, Sandbox]
) -> None:
    shown = "".join(path.read_text() for path in home.rglob("*.log")) + dump(own)
    assert "acme" in shown
    assert not [name for name, to in accounts.items() if to.api_key in shown]


def dump(database: Database) -> str:
    tables = database.execute("SELECT relname FROM pg_stat_user_tables")
    return "".join(
        row["row"]
        for table in tables
        for row in database.execute(
            f'SELECT t::text AS row FROM "{table["relname"]}" t'  # noqa: S608 - its own
        )
    )
