"""The project on both databases, over days whose truth the sandbox knows."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from examples.dbt.history.days import Day, live
from examples.dbt.history.test_readme import EXAMPLES, TEXT
from examples.dbt.history.warehouses import (
    PROJECT,
    DuckDB,
    Postgres,
    Row,
    Warehouse,
)
from sandbox import Sandbox
from sandbox.life import Life
from tests.pages import ROOT, blocks
from tests.postgres import Database, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT_FILE = PROJECT / "dbt_project.yml"
RECIPES = ROOT / "docs/recipes.md"
DAYS = 3
CUSTOMERS = 500  # so that every kind of movement is among them


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def warehouses(
    server: Database, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Warehouse]:
    return {
        "postgres": Postgres(
            tmp_path_factory.mktemp("postgres"), server.copy("history")
        ),
        "duckdb": DuckDB(tmp_path_factory.mktemp("duckdb")),
    }


@pytest.fixture(scope="module", autouse=True)
def proxy() -> Iterator[socket.socket]:
    """A proxy that whoever calls another machine would have to call."""
    with (
        socket.create_server(("127.0.0.1", 0)) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for name, value in {
            "HTTP_PROXY": address,
            "HTTPS_PROXY": address,
            "NO_PROXY": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
            patch.setenv(name.lower(), value)
        yield proxy


@pytest.fixture(scope="module")
def days(warehouses: dict[str, Warehouse]) -> list[Day]:
    return list(live(DAYS, CUSTOMERS, *warehouses.values()))


@pytest.fixture(scope="module")
def marts(
    warehouses: dict[str, Warehouse], days: list[Day]
) -> dict[str, dict[str, list[Row]]]:
    """The marts of each database, after the last day."""
    assert len(days) == DAYS
    models = ("mrr_by_day", "mrr_movements", "customer_history")
    return {
        name: {model: warehouse.rows(model) for model in models}
        for name, warehouse in warehouses.items()
    }


both = pytest.mark.parametrize("database", ["postgres", "duckdb"])


@both
def test_the_totals_of_each_day_are_those_of_the_account(
    database: str, days: list[Day], marts: dict[str, dict[str, list[Row]]]
) -> None:
    rows = marts[database]["mrr_by_day"]
    assert {
        (row["day"], row["status"]): (row["customers"], row["mrr_cents"])
        for row in rows
    } == {
        (str(day.date), status): (count, day.mrr[status])
        for day in days
        for status, count in day.customers.items()
    }
    assert {row["currency"] for row in rows} == {"USD"}


@both
def test_the_movements_of_each_day_are_those_of_the_account(
    database: str, days: list[Day], marts: dict[str, dict[str, list[Row]]]
) -> None:
    rows = marts[database]["mrr_movements"]
    assert sorted(
        (row["day"], row["uuid"], row["movement"], row["amount_cents"]) for row in rows
    ) == sorted(
        (str(day.date), *movement) for day in days for movement in day.movements
    )
    assert {row["movement"] for row in rows} == {
        *("new", "expansion", "contraction", "churn", "reactivation")
    }


def test_both_databases_come_to_the_same_history(
    marts: dict[str, dict[str, list[Row]]],
) -> None:
    for model, rows in marts["postgres"].items():
        assert in_order(rows) == in_order(marts["duckdb"][model])


def in_order(rows: list[Row]) -> list[Row]:
    """Rows with their times read, which the databases write differently."""
    times = {"valid_from", "valid_to", "customer_since"}
    read = [
        {
            name: datetime.fromisoformat(value) if value and name in times else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return sorted(read, key=lambda row: str([*row.values()][:3]))


@both
def test_what_is_built_again_is_the_same_and_a_column_more_changes_no_total(
    database: str,
    warehouses: dict[str, Warehouse],
    days: list[Day],
    marts: dict[str, dict[str, list[Row]]],
    tmp_path: Path,
) -> None:
    warehouse = warehouses[database].copy(tmp_path)
    before = {model: in_order(rows) for model, rows in marts[database].items()}
    warehouse.build(days[-1].date)
    again = {model: in_order(warehouse.rows(model)) for model in before}
    assert again == before

    attributes = {"plan": ["custom", "plan"], "seats": ["custom", "seats"]}
    warehouse.build(days[-1].date, attribute_columns=attributes)
    for model in ("mrr_by_day", "mrr_movements"):
        assert in_order(warehouse.rows(model)) == before[model]
    for row in warehouse.rows("customer_history"):
        assert bool(row["seats"]) == row["is_current"]


def said_of(
    warehouse: Warehouse, day: Day, selection: str
) -> dict[str, tuple[str, int]]:
    """Return the verdicts of dbt's tests but "pass", with how many rows each found."""
    as_of = json.dumps({"as_of": f"{day.date} 06:00:00"})
    with suppress(RuntimeError):
        warehouse.dbt("test", "--quiet", "--select", selection, "--vars", as_of)
    results = (warehouse.folder / "target/run_results.json").read_text()
    return {
        result["unique_id"].split(".")[2]: (result["status"], result["failures"])
        for result in json.loads(results)["results"]
        if result["status"] != "pass"
    }


def test_what_looks_odd_in_the_source_is_a_warning(
    warehouses: dict[str, Warehouse], days: list[Day], tmp_path: Path
) -> None:
    warehouse = warehouses["postgres"].copy(tmp_path)
    warehouse.execute(
        "UPDATE tap_chartmogul_customers.customers AS c SET"
        " arr = CASE WHEN n <= 2 THEN 1 ELSE arr END,"
        " status = CASE WHEN n = 3 THEN 'Pausing' ELSE status END,"
        " currency = CASE WHEN n > 3 THEN NULL ELSE currency END"
        " FROM (SELECT uuid, row_number() OVER (ORDER BY uuid) AS n"
        "       FROM tap_chartmogul_customers.customers) AS numbered"
        " WHERE numbered.uuid = c.uuid AND n <= 7"
    )
    said = said_of(warehouse, days[-1], "source:chartmogul")
    status, arr, currency = sorted(said)
    assert status.startswith("source_accepted_values_chartmogul_customers_status_")
    assert said[status] == ("warn", 1)
    assert arr.startswith("source_arr_is_twelve_months_of_mrr_")
    assert said[arr] == ("warn", 2)
    assert currency.startswith("source_not_null_chartmogul_customers_currency")
    assert said[currency] == ("warn", 4)


def test_a_history_that_breaks_a_rule_is_an_error(
    warehouses: dict[str, Warehouse], days: list[Day], tmp_path: Path
) -> None:
    warehouse = warehouses["postgres"].copy(tmp_path)
    assert said_of(warehouse, days[-1], "test_type:singular") == {}
    warehouse.execute(
        # Of three customers with two versions: no time, too long a one, no end.
        "UPDATE chartmogul.customer_history AS h SET valid_to = CASE n"
        " WHEN 1 THEN valid_from WHEN 2 THEN valid_to + interval '1 day' END"
        " FROM (SELECT uuid, row_number() OVER (ORDER BY uuid) AS n"
        "       FROM chartmogul.customer_history WHERE version = 2) AS numbered"
        " WHERE numbered.uuid = h.uuid AND h.version = 1 AND n <= 3;"
        "UPDATE chartmogul.mrr_movements SET amount_cents = amount_cents + 1"
        " WHERE ctid = (SELECT min(ctid) FROM chartmogul.mrr_movements);"
        # A customer too many, and MRR with another status than it should be.
        "UPDATE chartmogul.mrr_by_day SET"
        " customers = customers + CASE status WHEN 'Cancelled' THEN 1 ELSE 0 END,"
        " mrr_cents = mrr_cents"
        "   + CASE status WHEN 'Active' THEN 1 WHEN 'Past Due' THEN -1 ELSE 0 END"
        " WHERE day = (SELECT max(day) FROM chartmogul.mrr_by_day)"
    )
    assert said_of(warehouse, days[-1], "test_type:singular") == {
        "versions_follow_one_another": ("fail", 3),
        "movements_are_the_difference_of_the_totals": ("fail", 1),
        "the_last_day_is_the_table": ("fail", 3),
    }


def documented(warehouse: Warehouse, **variables: object) -> dict[str, dict[str, Any]]:
    """The columns that there are, by `model.column`, each as dbt documents it."""
    options = ("--quiet", "--no-compile", "--vars", json.dumps(variables))
    warehouse.dbt("docs", "generate", *options)
    manifest, catalog = (
        json.loads((warehouse.folder / "target" / f"{name}.json").read_text())
        for name in ("manifest", "catalog")
    )
    described = manifest["nodes"] | manifest["sources"]
    return {
        f"{described[node]['name']}.{column}": described[node]["columns"].get(
            column, {"description": "", "config": {"meta": {}}}
        )
        for kind in ("nodes", "sources")
        for node, table in catalog[kind].items()
        for column in table["columns"]
    }


@pytest.fixture(scope="module")
def documentation(
    warehouses: dict[str, Warehouse], days: list[Day]
) -> dict[str, dict[str, dict[str, Any]]]:
    """The documented columns of each database."""
    assert days
    return {name: documented(warehouse) for name, warehouse in warehouses.items()}


@both
def test_every_column_is_documented(
    database: str, documentation: dict[str, dict[str, dict[str, Any]]]
) -> None:
    columns = documentation[database]
    # Save those that the loader adds.
    own = [name for name in columns if "._sdc_" not in name]
    assert len(own) > 90
    assert [name for name in own if not columns[name]["description"]] == []


PERSONAL = {*yaml.safe_load(PROJECT_FILE.read_text())["vars"]["personal_columns"]}
WITHOUT: dict[str, Any] = {"personal_columns": [], "attribute_columns": {}}


def test_personal_columns_are_marked(
    documentation: dict[str, dict[str, dict[str, Any]]],
) -> None:
    personal = {
        name: column["config"]["meta"].get("personal")
        for name, column in documentation["duckdb"].items()
        if name.partition(".")[2] in PERSONAL
    }
    assert personal.keys() > {"customers.email", "stg_customers.email"}
    assert [name for name, marked in personal.items() if not marked] == []


@both
def test_a_history_can_be_continued_without_personal_data(
    database: str,
    warehouses: dict[str, Warehouse],
    days: list[Day],
    marts: dict[str, dict[str, list[Row]]],
    tmp_path: Path,
) -> None:
    warehouse = warehouses[database].copy(tmp_path)
    warehouse.build(days[-1].date, **WITHOUT)
    assert any(row["owner"] for row in warehouse.rows("customers_snapshot"))
    warehouse.execute(EXAMPLES["personal"])
    # Nothing comes back, or is missed, on the next day.
    warehouse.build(days[-1].date, **WITHOUT)
    columns = warehouse.query(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'chartmogul'"
    )
    assert len(columns) > 30
    assert not {column["column_name"] for column in columns} & {*PERSONAL, "plan"}
    assert not {column["table_name"] for column in columns} & {
        *("stg_tags", "stg_custom_attributes")
    }
    for model in ("mrr_by_day", "mrr_movements"):
        assert in_order(warehouse.rows(model)) == in_order(marts[database][model])


@both
def test_works_on_the_table_of_the_recipe_against_personal_data(
    database: str, server: Database, tmp_path: Path
) -> None:
    warehouse: Warehouse = DuckDB(tmp_path)
    if database == "postgres":
        warehouse = Postgres(tmp_path, server.copy("recipe"))
    stream_maps = json.loads(blocks(RECIPES)["no-personal-data.json"])
    with Sandbox(rate_limit=None) as account:
        Life(account, customers=60)
        warehouse.load(account, stream_maps=stream_maps)
        customers = account.customers
    table = stream_maps["customers"]["__alias__"]
    assert f"`DBT_SOURCE_TABLE={table}`" in TEXT
    options = ("--quiet", "--vars", json.dumps(WITHOUT))
    warehouse.dbt("build", *options, DBT_SOURCE_TABLE=table)
    history = warehouse.rows("customer_history")
    assert {row["uuid"]: row["mrr_cents"] for row in history} == {
        customer["uuid"]: customer["mrr"] for customer in customers
    }


def test_an_old_load_is_not_fresh(
    warehouses: dict[str, Warehouse], days: list[Day], tmp_path: Path
) -> None:
    assert days
    warehouse = warehouses["postgres"].copy(tmp_path)
    assert isinstance(warehouse, Postgres)
    warehouse.dbt("source", "freshness")
    warehouse.database.execute(
        "UPDATE tap_chartmogul_customers.customers"
        " SET _sdc_extracted_at = _sdc_extracted_at - interval '51 hours'"
    )
    with pytest.raises(RuntimeError, match="ERROR STALE"):
        warehouse.dbt("source", "freshness")


@both
def test_the_sql_has_the_style_of_its_database(
    database: str, warehouses: dict[str, Warehouse], days: list[Day]
) -> None:
    assert days
    warehouses[database].lint()


def test_dbt_calls_nobody(days: list[Day], proxy: socket.socket) -> None:
    assert days
    proxy.settimeout(0)
    with pytest.raises(BlockingIOError):
        proxy.accept()
