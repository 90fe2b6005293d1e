"""Meltano as the pages have it: from an empty home to rows by cron."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.pages import CLONE, README, Reader, clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Database

# It makes environments, from packages that are downloaded.
pytestmark = pytest.mark.timeout(1200)

TAP = "tap-chartmogul-customers"
CUSTOMERS = "tap_chartmogul_customers.customers"
PAST_DUE = "tap_chartmogul_customers__past_due.past_due_customers"
WITHOUT_PERSONAL_DATA = (
    "tap_chartmogul_customers__no_personal_data.customers_without_personal_data"
)
STATE = "dev:tap-chartmogul-customers-to-target-postgres"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(450, seed=6)
    with Sandbox(customers, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def warehouse(server: Database) -> Database:
    warehouse = server.copy("warehouse")
    # As most are not in UTC: the page has to see to it that times are.
    warehouse.execute("ALTER DATABASE warehouse SET timezone TO 'Asia/Tokyo'")
    return warehouse


@pytest.fixture(scope="module")
def reader(
    sandbox: Sandbox, warehouse: Database, tmp_path_factory: pytest.TempPathFactory
) -> Reader:
    """Someone who has followed README up to the job, which is to run by cron."""
    home = tmp_path_factory.mktemp("meltano")
    clone(home)
    reader = Reader(README, home, filled_in(sandbox, warehouse))
    reader.type("meltano-project", "meltano-add")
    reader.save(".env")
    reader.type("meltano-run", "meltano-schedule")
    return reader


def filled_in(sandbox: Sandbox, database: Database) -> dict[str, str]:
    url = f"TAP_CHARTMOGUL_CUSTOMERS_API_URL={sandbox.url}"
    return {
        "YOUR_API_KEY": f"YOUR_API_KEY\n{url}",
        "user:password@host:5432/database": (
            f"postgres@/{database.name}?host={database.folder}"
        ),
    }


def rows(
    database: Database, columns: str = "count(*)", end: str = "", table: str = CUSTOMERS
) -> list[dict[str, object]]:
    return database.execute(
        f"SELECT {columns} FROM {table} {end}"  # noqa: S608 - ours
    )


@pytest.mark.usefixtures("reader")
def test_loads_into_postgresql_in_utc(sandbox: Sandbox, warehouse: Database) -> None:
    (row,) = rows(warehouse, "count(*), min(customer_since)::text AS first")
    moments = [customer["customer-since"] for customer in sandbox.customers]
    first = min(datetime.fromisoformat(moment) for moment in moments if moment)
    assert row == {"count": 450, "first": f"{first.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}


def test_the_test_of_the_key_says_at_once_what_is_wrong(
    reader: Reader, sandbox: Sandbox
) -> None:
    sandbox.script({len(sandbox.requests) + 1: faults.status(503)})
    assert "503 Service Unavailable" in reader.type("meltano-run", code=1)


def test_one_line_says_whether_the_database_takes_a_table(
    reader: Reader, warehouse: Database
) -> None:
    operations = reader.on("docs/operations.md")
    (line,) = operations.type("check-database").splitlines()
    assert "completed processing 1 lines" in line
    env = operations.folder / ".env"
    right = env.read_text("utf-8")
    env.write_text(right.replace(warehouse.folder, "127.0.0.1&port=1"), "utf-8")
    for block in ("check-database", "first-error"):
        (line,) = operations.type(block).splitlines()
        assert "(psycopg.OperationalError) connection failed" in line
    env.write_text(right, "utf-8")


def test_cron_learns_of_a_run_that_failed_and_the_next_one_resumes(
    reader: Reader, sandbox: Sandbox, warehouse: Database
) -> None:
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    sandbox.script({len(sandbox.requests) + 3: faults.status(422)})
    code, _ = reader.cron("meltano-cron")
    assert code == 1
    log = (reader.folder / "output/nightly.log").read_text("utf-8")
    first = next(line for line in log.splitlines() if "[error" in line)
    assert "422 Unprocessable Entity" in first
    sandbox.script({})
    sandbox.requests.clear()
    assert reader.cron("meltano-cron") == (0, "")
    assert "cursor" in sandbox.requests[0].query
    assert rows(warehouse) == [{"count": len(sandbox.customers)}]


def test_shows_the_state(reader: Reader) -> None:
    shown = reader.on("docs/meltano.md").type("state")
    assert STATE in shown
    state = json.loads(shown.splitlines()[-1])["singer_state"]
    assert "customers" in state["bookmarks"]


def test_starts_over_when_asked_to_without_a_column_and_with_a_setting(
    reader: Reader, sandbox: Sandbox, warehouse: Database
) -> None:
    further = reader.on("docs/meltano.md")
    assert "YOUR_API_KEY" not in further.type("config")
    shown = further.type("select")
    assert "[selected   ] customers.zip" in shown
    assert "] customers.owner" not in shown
    warehouse.execute("UPDATE tap_chartmogul_customers.customers SET owner = 'before'")
    sandbox.requests.clear()
    further.type("start-over")
    assert "cursor" not in sandbox.requests[0].query
    assert {request.query["per_page"] for request in sandbox.requests} == {"100"}
    assert rows(warehouse, "DISTINCT owner") == [{"owner": "before"}]
    further.type("unselect", "start-over")
    assert len(rows(warehouse, "DISTINCT owner")) > 1


def test_a_recipe_fills_a_table_beside_the_other_until_it_is_undone(
    reader: Reader, warehouse: Database
) -> None:
    recipes = reader.on("docs/recipes.md")
    recipes.type("set")
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    assert reader.cron("meltano-cron") == (0, "")
    by_status = "status, count(*)", "GROUP BY 1 ORDER BY 1"
    everyone = rows(warehouse, *by_status)
    assert len(everyone) > 5
    past_due = [row for row in everyone if row["status"] == "Past Due"]
    assert rows(warehouse, *by_status, table=PAST_DUE) == past_due

    removed = f"Removed extractor '{TAP}--past-due' from meltano.yml"
    assert removed in recipes.type("unset")
    assert removed in recipes.page.read_text("utf-8")
    warehouse.execute(f"DELETE FROM {PAST_DUE}")  # noqa: S608 - ours
    assert reader.cron("meltano-cron") == (0, "")
    assert rows(warehouse, table=PAST_DUE) == [{"count": 0}]
    assert "past" not in (reader.folder / "meltano.yml").read_text("utf-8")


def test_the_job_loads_no_personal_data_with_the_recipe_against_it(
    reader: Reader, warehouse: Database
) -> None:
    recipes = reader.on("docs/recipes.md")
    recipes.save("no-personal-data.json")
    recipes.type("personal")
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    assert reader.cron("meltano-cron") == (0, "")
    assert rows(warehouse) == [{"count": 0}]
    loaded = rows(warehouse, "*", table=WITHOUT_PERSONAL_DATA)
    kept = json.loads(recipes.text("no-personal-data.json"))["customers"]
    assert {name for name in loaded[0] if not name.startswith("_sdc_")} == {
        name for name in kept if not name.startswith("__")
    }
    assert len(loaded) == 450


def test_upgrades_to_a_new_version(reader: Reader, warehouse: Database) -> None:
    further = reader.on("docs/meltano.md")
    project = further.home / CLONE / "pyproject.toml"
    version = re.compile(r'^version = ".*"$', flags=re.MULTILINE)
    project.write_text(version.sub('version = "99.0.0"', project.read_text("utf-8")))
    # In a new terminal, after a try that failed.
    session = further.home / ".session"
    session.write_text(session.read_text().replace("declare -x TAP=", "OLD="))
    (wheel,) = (further.folder / "extract").glob("*.whl")
    wheel.unlink()
    further.type("upgrade")
    plugin = further.folder / ".meltano/extractors/tap-chartmogul-customers"
    (installed,) = plugin.rglob("tap_chartmogul_customers-*.dist-info")
    assert installed.name == "tap_chartmogul_customers-99.0.0.dist-info"
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    further.type("start-over")
    assert rows(warehouse) == [{"count": 450}]
