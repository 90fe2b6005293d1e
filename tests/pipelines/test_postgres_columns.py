"""Custom attributes as columns of a real PostgreSQL table that is there already."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox
from tests import postgres
from tests.customers import ODD_KEYS, change_custom, custom_columns, with_custom
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Database, Row

CUSTOM: list[dict[str, Any]] = [
    {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": 5,
        "list": [1, {"a": Decimal("0.1")}],
    },
    {
        "CAC": 7,
        "score": Decimal("0.5"),
        "convertedAt": "2023-09-08T12:00:00+02:00",
        "mixed": "💎",
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
}


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    with Sandbox(with_custom(*CUSTOM), rate_limit=None) as sandbox:
        yield Tap(sandbox, tmp_path)


@pytest.fixture
def warehouse(server: Database, tmp_path: Path) -> Database:
    return server.copy(tmp_path.name.lower())


def load(tap: Tap, warehouse: Database, *, code: int = 0, **options: Any) -> list[Row]:
    """Load, and return the rows in the order of the customers."""
    options = {"custom_attributes_sample_size": 100, **options}
    postgres.load(tap, warehouse, target_code=code, **options)
    rows = warehouse.customers()
    return sorted(rows.values(), key=lambda row: row["id"])


def types(warehouse: Database) -> dict[str, str]:
    found = warehouse.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'customers' AND column_name NOT LIKE '\\_sdc\\_%'"
    )
    return {row["column_name"]: row["data_type"] for row in found}


def test_columns_are_added_to_a_table_whose_others_stay(
    tap: Tap, warehouse: Database
) -> None:
    before = load(tap, warehouse, custom_attributes_sample_size=0)
    types_before = types(warehouse)
    after = load(tap, warehouse)
    assert types(warehouse) == {**types_before, **TYPES}
    for old, new in zip(before, after, strict=True):
        assert {name: new[name] for name in old} == old
        assert not custom_columns(old)
    first, second, third = map(custom_columns, after)
    assert first == {
        "cac": 213,
        "cac_e4bc7fd4": "differs only in case",
        "score": 1,
        "converted_at": datetime(2023, 9, 8),  # noqa: DTZ001 (as the target makes it)
        "pro": False,
        "mixed": "5",
        "list": '[1,{"a":0.1}]',
    }
    assert second == {
        **dict.fromkeys(["cac_e4bc7fd4", "pro", "list"]),
        "cac": 7,
        "score": Decimal("0.5"),
        "converted_at": datetime(2023, 9, 8, 10),  # noqa: DTZ001
        "mixed": "💎",
    }
    assert third == dict.fromkeys(first)


def test_a_key_whose_kind_changed_loads_once_its_column_is_altered(
    tap: Tap, warehouse: Database
) -> None:
    before = load(tap, warehouse)
    change_custom(tap, {"CAC": "much"})
    assert load(tap, warehouse, code=1) == before
    warehouse.execute("ALTER TABLE customers ALTER COLUMN custom_cac TYPE text")
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"much"}
    # The other way needs nothing: text takes numbers.
    change_custom(tap, {"CAC": 5})
    assert {row["custom_cac"] for row in load(tap, warehouse)} == {"5"}


def test_any_key_loads(tap: Tap, warehouse: Database) -> None:
    keys = [*ODD_KEYS, "a" * 70, "a" * 70 + "b"]
    change_custom(tap, {key: number for number, key in enumerate(keys)})
    for row in load(tap, warehouse):
        assert sorted(custom_columns(row).values()) == list(range(len(keys)))
