"""Custom attributes as typed columns of a real PostgreSQL table."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests.postgres import Database, Pipeline, postgres
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = {
    "custom_attributes_sample_size": 100,
    "flattening_enabled": True,
    "flattening_max_depth": 2,
    "flattening_max_key_length": 63,
}
LONG = "a key so long that the name of its column has more than 63 bytes"

CUSTOM: list[dict[str, Any]] = [
    {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": 5,
        "Account Notes": "💎",
        LONG: "long",
    },
    {
        "CAC": 7,
        "score": Decimal("0.5"),
        "convertedAt": "2023-09-08T12:00:00+02:00",
        "pro": True,
        "mixed": "five",
    },
    {"mixed": [1, {"a": Decimal("0.1")}]},
]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres() as database:
        yield database


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(len(CUSTOM), seed=5)
    for customer, custom in zip(customers, CUSTOM, strict=True):
        customer["attributes"] = {"tags": ["a"], "stripe": {"uid": 7}, "custom": custom}
    with Sandbox(customers, rate_limit=None) as sandbox:
        yield sandbox


def load(tap: Tap, warehouse: Database, **options: Any) -> list[dict[str, Any]]:
    """Load, and return the custom columns in the order of the customers' ids."""
    command = tap.command(**{**SETTINGS, **options})
    with Pipeline(command, warehouse, tap.folder) as pipeline:
        run = pipeline.end()
    assert (run.tap_code, run.target_code) == (0, 0)
    return [
        {
            name.removeprefix("attributes__custom__"): value
            for name, value in row.items()
            if "__custom__" in name or "cus__" in name
        }
        for row in warehouse.execute("SELECT * FROM public.customers ORDER BY id")
    ]


def change(sandbox: Sandbox, custom: dict[str, Any]) -> None:
    for customer in sandbox.customers:
        attributes = {**customer["attributes"], "custom": custom}
        sandbox.put({**customer, "attributes": attributes})


def types(warehouse: Database) -> dict[str, str]:
    rows = warehouse.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'customers'"
    )
    return {row["column_name"]: row["data_type"] for row in rows}


def test_custom_attributes_become_typed_columns_with_their_values(
    server: Database, sandbox: Sandbox, tmp_path: Path
) -> None:
    warehouse = server.copy("columns")
    tap = Tap(sandbox, tmp_path)
    first, second, third = load(tap, warehouse)
    (shortened,) = (name for name in first if name.startswith("att__cus__"))
    assert first == {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": datetime(2023, 9, 8),  # noqa: DTZ001 (as the target makes it)
        "pro": False,
        "mixed": "5",
        "Account Notes": "💎",
        shortened: "long",
    }
    assert second["convertedAt"] == datetime(2023, 9, 8, 10)  # noqa: DTZ001
    assert (second["CAC"], second["score"], second["pro"]) == (7, Decimal("0.5"), True)
    assert second["mixed"] == "five"
    assert json.loads(third["mixed"]) == [1, {"a": 0.1}]
    found = types(warehouse)
    assert found["attributes__custom__CAC"] == "bigint"
    assert found["attributes__custom__cac"] == "text"
    assert found["attributes__custom__score"] == "numeric"
    assert found["attributes__custom__convertedAt"].startswith("timestamp")
    assert found["attributes__custom__pro"] == "boolean"
    assert found["attributes__custom__mixed"] == "text"
    assert found["attributes__stripe__uid"] == "bigint"


def test_what_comes_after_discovery_does_not_break_the_load(
    server: Database, sandbox: Sandbox, tmp_path: Path
) -> None:
    warehouse = server.copy("later")
    tap = Tap(sandbox, tmp_path)
    catalog = json.loads(tap.output("--discover", **SETTINGS))
    load(tap, warehouse, catalog=catalog)
    change(sandbox, {"CAC": "much", "pro": 1, "convertedAt": "soon", "brandNew": 1})
    for row in load(tap, warehouse, catalog=catalog):
        assert row["CAC"] is row["pro"] is row["convertedAt"] is None
        assert "brandNew" not in row
    change(sandbox, {"CAC": 5, "brandNew": 1})
    for row in load(tap, warehouse):
        assert (row["CAC"], row["brandNew"]) == (5, 1)
