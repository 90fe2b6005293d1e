"""The project on both databases, over days whose truth the sandbox knows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from examples.dbt.history.days import Day, live
from examples.dbt.history.warehouses import DuckDB, Postgres, Row, Warehouse
from tests.postgres import Database, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = 4
CUSTOMERS = 400


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
def test_the_sql_has_the_style_of_its_database(
    database: str, warehouses: dict[str, Warehouse], days: list[Day]
) -> None:
    assert days
    warehouses[database].lint()
