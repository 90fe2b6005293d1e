"""Custom attributes as columns of a real PostgreSQL table that is there already."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests import postgres
from tests.running import Tap
from tests.test_custom_attributes import ODD_KEYS, catalog, change, custom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Database

SAMPLE = {"custom_attributes_sample_size": 100}
OFF = {"custom_attributes_sample_size": 0}

CUSTOM: list[dict[str, Any]] = [
    {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": 5,
        "list": [1, {"a": Decimal("0.1")}],
        "object": {"a": [1]},
        "looksLikeATime": "0000-00-00",
    },
    {
        "CAC": 7,
        "score": Decimal("0.5"),
        "convertedAt": "2023-09-08T12:00:00+02:00",
        "pro": True,
        "mixed": "💎",
        "list": [],
        "object": {},
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
    "custom_list": "jsonb",
    "custom_object": "jsonb",
    "custom_looks_like_a_time": "text",
    "stripe_uid": "bigint",
}


def account() -> Sandbox:
    customers = generate_customers(len(CUSTOM), seed=5)
    for customer, values in zip(customers, CUSTOM, strict=True):
        customer["attributes"] = {"tags": ["a"], "stripe": {"uid": 7}, "custom": values}
    return Sandbox(customers, rate_limit=None)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with account() as sandbox:
        yield sandbox


@pytest.fixture
def tap(sandbox: Sandbox, tmp_path: Path) -> Tap:
    return Tap(sandbox, tmp_path)


@pytest.fixture
def warehouse(server: Database, request: pytest.FixtureRequest) -> Database:
    return server.copy(request.function.__name__[-60:])


def load(tap: Tap, warehouse: Database, **options: Any) -> list[dict[str, Any]]:
    """Load, and return the rows in the order of the customers' ids."""
    assert codes(tap, warehouse, **options) == (0, 0)
    return rows(warehouse)


def codes(tap: Tap, warehouse: Database, **options: Any) -> tuple[int, int]:
    run = postgres.load(tap, warehouse, **{**SAMPLE, **options})
    return run.tap_code, run.target_code


def rows(warehouse: Database) -> list[dict[str, Any]]:
    return sorted(warehouse.customers().values(), key=lambda row: row["id"])


def types(warehouse: Database) -> dict[str, str]:
    found = warehouse.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'customers' AND column_name NOT LIKE '\\_sdc\\_%'"
    )
    return {row["column_name"]: row["data_type"] for row in found}


def without(rows: list[dict[str, Any]], *, columns: set[str]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in columns}
        for row in rows
    ]


def test_columns_are_added_to_a_table_whose_others_stay(
    tap: Tap, warehouse: Database
) -> None:
    before = load(tap, warehouse, **OFF)
    types_before = types(warehouse)
    assert not types_before.keys() & TYPES.keys()
    after = load(tap, warehouse)
    assert types(warehouse) == {**types_before, **TYPES}
    assert without(after, columns=set(TYPES)) == before
    first, second, third = map(custom, after)
    assert first == {
        "cac": 213,
        "cac_e4bc7fd4": "differs only in case",
        "score": 1,
        "converted_at": datetime(2023, 9, 8),  # noqa: DTZ001 (as the target makes it)
        "pro": False,
        "mixed": "5",
        "list": [1, {"a": Decimal("0.1")}],
        "object": {"a": [1]},
        "looks_like_a_time": "0000-00-00",
    }
    assert second["converted_at"] == datetime(2023, 9, 8, 10)  # noqa: DTZ001
    assert (second["cac"], second["score"], second["pro"]) == (7, Decimal("0.5"), True)
    assert (second["mixed"], second["list"], second["object"]) == ("💎", [], {})
    assert set(third.values()) == {None}
    assert [row["stripe_uid"] for row in after] == [7, 7, 7]


def test_a_key_that_is_new_adds_its_column_alone(tap: Tap, warehouse: Database) -> None:
    load(tap, warehouse)
    types_before = types(warehouse)
    change(tap, {"CAC": 5, "brandNew": Decimal("1.5")})
    for row in load(tap, warehouse):
        assert (row["custom_cac"], row["custom_brand_new"]) == (5, Decimal("1.5"))
    assert types(warehouse) == {**types_before, "custom_brand_new": "numeric"}


def test_a_key_whose_kind_changed_is_null_with_a_catalog_that_was_kept(
    tap: Tap, warehouse: Database
) -> None:
    kept = catalog(tap)
    load(tap, warehouse, catalog=kept)
    types_before = types(warehouse)
    change(
        tap,
        {"CAC": "much", "pro": 1, "convertedAt": "soon", "list": {}, "brandNew": 1},
    )
    for row in load(tap, warehouse, catalog=kept):
        for name in ("cac", "pro", "converted_at", "list"):
            assert row[f"custom_{name}"] is None
        assert row["attributes"]["custom"]["CAC"] == "much"
    assert types(warehouse) == types_before


def test_a_key_whose_kind_changed_loads_once_its_column_is_altered(
    tap: Tap, warehouse: Database
) -> None:
    load(tap, warehouse)
    before = rows(warehouse)
    change(tap, {"CAC": "much"})
    _, target_code = codes(tap, warehouse)
    assert target_code != 0
    assert rows(warehouse) == before
    warehouse.execute("ALTER TABLE customers ALTER COLUMN custom_cac TYPE text")
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"much"}
    # The other way needs nothing: text takes numbers.
    change(tap, {"CAC": 5})
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"5"}
    assert types(warehouse)["custom_cac"] == "text"


@pytest.mark.parametrize("flattening", [False, True])
def test_any_key_loads(server: Database, tap: Tap, *, flattening: bool) -> None:
    warehouse = server.copy(f"any_key_{flattening}".lower())
    change(tap, {key: number for number, key in enumerate(ODD_KEYS)})
    loaded = load(tap, warehouse, flattening_enabled=flattening, flattening_max_depth=2)
    for row in loaded:
        assert sorted(custom(row).values()) == list(range(len(ODD_KEYS)))
