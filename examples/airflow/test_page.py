"""README, from a machine without Airflow to a green run in the web interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from stack import free_port, wait_until

from sandbox import Sandbox, generate_customers
from tests.pages import Reader, changed, clone
from tests.postgres import Database, postgres, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# It makes environments, from packages that are downloaded.
pytestmark = pytest.mark.timeout(1200)

CUSTOMERS = generate_customers(300, seed=3)
DAG = "chartmogul_customers"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with postgres() as server:
        yield server.copy("page")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    key = "YOUR_API_KEY"
    with Sandbox(CUSTOMERS, api_key=key, rate_limit=None) as sandbox:
        yield sandbox


class Web:
    """The web interface, as a browser has it after its log-in."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self._passwords = home / "airflow/simple_auth_manager_passwords.json.generated"

    def is_up(self) -> bool:
        try:
            return requests.get(self.url, timeout=60).ok and self._passwords.exists()
        except requests.RequestException:
            return False

    def get(self, path: str) -> Any:
        password = json.loads(self._passwords.read_text())["admin"]
        token = requests.post(
            f"{self.url}/auth/token",
            json={"username": "admin", "password": password},
            timeout=60,
        ).json()["access_token"]
        answer = requests.get(
            f"{self.url}/api/v2/dags/{DAG}{path}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="module")
def reader(
    sandbox: Sandbox, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("page")
    clone(home)
    with database.on_a_port() as port:
        url = f"postgres:any@127.0.0.1:{port}/page"
        key = '"password": "YOUR_API_KEY"'
        yield Reader(
            Path(__file__).with_name("README.md"),
            home,
            {
                key: f'{key}, "extra": {{"api_url": "{sandbox.url}"}}',
                "user:password@host:5432/database": url,
                "8080": str(free_port()),
            },
        )


@pytest.fixture(scope="module")
def web(reader: Reader) -> Iterator[Web]:
    """The web interface, once a run that the reader triggered is over."""
    reader.type("airflow-install", "airflow-settings")
    reader.save("connections.json")
    reader.type("airflow-connections")
    url = reader.text("airflow-settings").rpartition("=")[2].split()[0]
    web = Web(url, reader.home)
    with reader.typing("airflow-standalone"):
        wait_until(web.is_up, 400)
        reader.type("airflow-trigger")
        wait_until(
            lambda: {"success", "failed"} & {run["state"] for run in runs(web)}, 400
        )
        yield web


def runs(web: Web) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get("/dagRuns")["dag_runs"]
    return found


def test_the_run_is_green(web: Web) -> None:
    assert [run["state"] for run in runs(web) if run["run_type"] == "manual"] == [
        "success"
    ]


def test_the_web_interface_says_what_the_dag_and_its_tasks_do(web: Web) -> None:
    details = web.get("/details")
    assert details["description"]
    assert details["doc_md"]
    assert {tag["name"] for tag in details["tags"]} == {"chartmogul", "meltano"}
    tasks = web.get("/tasks")["tasks"]
    assert [task["task_id"] for task in tasks if not task["doc_md"]] == []
    assert len(tasks) == 4


@pytest.mark.usefixtures("web")
def test_the_customers_are_in_the_table_that_the_page_names(
    database: Database,
) -> None:
    rows = database.execute("SELECT uuid, mrr FROM acme.customers")
    assert {row["uuid"]: row["mrr"] for row in rows} == {
        customer["uuid"]: row_of(customer)["mrr"] for customer in CUSTOMERS
    }


@pytest.mark.usefixtures("web")
def test_git_sees_nothing_of_what_the_page_made(reader: Reader) -> None:
    assert changed(reader.home / "tap-chartmogul-customers") == ""
