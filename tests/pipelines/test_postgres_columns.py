"""Custom attributes as columns of a real PostgreSQL table that is there already."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Database, Row
    from tests.running import Tap

CUSTOM: list[dict[str, Any]] = [
    {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": 5,
        "list": [1, {"a": Decimal("0.1")}],
        "looksLikeATime": "0000-00-00",
    },
    {
        "CAC": 7,
        "score": Decimal("0.5"),
        "convertedAt": "2023-09-08T12:00:00+02:00",
        "pro": True,
        "mixed": "💎",
        "list": [],
    },
    {},
]

TYPES = {
    "custom_cac": "bigint",
    "custom_cac_e4bc7fd4": "text",
    "custom_score": "numeric",
    "custom_converted_at": "timestamp without time zone",
    "custom_pro": "boolean",
    "custom_mixed": "text",
    "custom_list": "text",
    "custom_looks_like_a_time": "text",
    "stripe_uid": "bigint",
}

ODD_KEYS = (
    "Средняя стоимость привлечения одного нового клиента в рублях за прошлый квартал",
    *("CAC", "cac", "", "id", 'in "quotes"', "it's", "two\nlines", "\\", "%(a)s"),
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(len(CUSTOM), seed=5)
    for customer, values in zip(customers, CUSTOM, strict=True):
        customer["attributes"] = {"tags": ["a"], "stripe": {"uid": 7}, "custom": values}
    with Sandbox(customers, rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def warehouse(server: Database, tmp_path: Path) -> Database:
    return server.copy(tmp_path.name.lower())


def load(
    tap: Tap, warehouse: Database, *, sample: int = 100, **options: Any
) -> list[Row]:
    """Load, and return the rows in the order of the customers' ids."""
    assert codes(tap, warehouse, sample=sample, **options) == (0, 0)
    return rows(warehouse)


def codes(
    tap: Tap, warehouse: Database, *, sample: int = 100, **options: Any
) -> tuple[int, int]:
    options["custom_attributes_sample_size"] = sample
    run = postgres.load(tap, warehouse, **options)
    return run.tap_code, run.target_code


def rows(warehouse: Database) -> list[Row]:
    return sorted(warehouse.customers().values(), key=lambda row: row["id"])


def types(warehouse: Database) -> dict[str, str]:
    found = warehouse.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'customers' AND column_name NOT LIKE '\\_sdc\\_%'"
    )
    return {row["column_name"]: row["data_type"] for row in found}


def change(sandbox: Sandbox, custom: dict[str, Any]) -> None:
    """Give every customer these custom attributes."""
    for customer in sandbox.customers:
        attributes = {**customer["attributes"], "custom": custom}
        sandbox.put({**customer, "attributes": attributes})


def test_columns_are_added_to_a_table_whose_others_stay(
    tap: Tap, warehouse: Database
) -> None:
    before = load(tap, warehouse, sample=0)
    types_before = types(warehouse)
    assert not types_before.keys() & TYPES.keys()
    after = load(tap, warehouse)
    assert types(warehouse) == {**types_before, **TYPES}
    made = [{name: row.pop(name) for name in TYPES} for row in after]
    assert after == before
    assert made[0] == {
        "custom_cac": 213,
        "custom_cac_e4bc7fd4": "differs only in case",
        "custom_score": 1,
        "custom_converted_at": datetime(2023, 9, 8),  # noqa: DTZ001 (as the target has it)
        "custom_pro": False,
        "custom_mixed": "5",
        "custom_list": '[1,{"a":0.1}]',
        "custom_looks_like_a_time": "0000-00-00",
        "stripe_uid": 7,
    }
    assert made[1] == {
        "custom_cac": 7,
        "custom_cac_e4bc7fd4": None,
        "custom_score": Decimal("0.5"),
        "custom_converted_at": datetime(2023, 9, 8, 10),  # noqa: DTZ001
        "custom_pro": True,
        "custom_mixed": "💎",
        "custom_list": "[]",
        "custom_looks_like_a_time": None,
        "stripe_uid": 7,
    }
    assert made[2] == dict.fromkeys(TYPES) | {"stripe_uid": 7}


def test_a_key_that_is_new_adds_its_column_alone(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    load(tap, warehouse)
    types_before = types(warehouse)
    change(sandbox, {"CAC": 5, "brandNew": Decimal("1.5")})
    for row in load(tap, warehouse):
        assert (row["custom_cac"], row["custom_brand_new"]) == (5, Decimal("1.5"))
    assert types(warehouse) == {**types_before, "custom_brand_new": "numeric"}


def test_a_key_whose_kind_changed_is_null_with_a_catalog_that_was_kept(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    kept = json.loads(tap.output("--discover", custom_attributes_sample_size=100))
    load(tap, warehouse, catalog=kept)
    types_before = types(warehouse)
    change(sandbox, {"CAC": "much", "pro": 1, "convertedAt": "soon", "brandNew": 1})
    for row in load(tap, warehouse, catalog=kept):
        for name in ("cac", "pro", "converted_at"):
            assert row[f"custom_{name}"] is None
        assert row["attributes"]["custom"]["CAC"] == "much"
    assert types(warehouse) == types_before


def test_a_key_whose_kind_changed_loads_once_its_column_is_altered(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    before = load(tap, warehouse)
    change(sandbox, {"CAC": "much"})
    _, target_code = codes(tap, warehouse)
    assert target_code != 0
    assert rows(warehouse) == before
    warehouse.execute("ALTER TABLE customers ALTER COLUMN custom_cac TYPE text")
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"much"}
    # The other way needs nothing: text takes numbers.
    change(sandbox, {"CAC": 5})
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"5"}


@pytest.mark.parametrize("flattening", [False, True])
def test_any_key_loads(
    tap: Tap, sandbox: Sandbox, warehouse: Database, *, flattening: bool
) -> None:
    change(sandbox, {key: number for number, key in enumerate(ODD_KEYS)})
    loaded = load(tap, warehouse, flattening_enabled=flattening, flattening_max_depth=2)
    for row in loaded:
        values = [row[name] for name in row if name.startswith("custom_")]
        assert sorted(values) == list(range(len(ODD_KEYS)))
