"""Custom attributes as columns of a table of DuckDB, which folds case."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from examples.dbt.history.warehouses import TARGET_DUCKDB, ask_duckdb
from tests.running import OUTPUT, Tap
from tests.test_custom_attributes import change, custom
from tests.test_postgres_columns import OFF, SAMPLE, TYPES, account, without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Table:
    """The table of customers.

    Args:
        tap: What is loaded.
    """

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self._file = tap.folder / "customers.duckdb"

    def load(self, **settings: Any) -> list[dict[str, Any]]:
        """Load, and return the rows in the order of the customers' ids."""
        self.tap.output(**settings)
        config = self.tap.folder / "target.json"
        own = {"path": str(self._file), "default_target_schema": "main"}
        config.write_text(json.dumps(own))
        with (self.tap.folder / OUTPUT).open() as messages:
            subprocess.run(
                [TARGET_DUCKDB, "--config", config], stdin=messages, check=True
            )
        return ask_duckdb(self._file, "FROM main.customers ORDER BY id")

    def types(self) -> dict[str, str]:
        """Return the type of each column."""
        columns = ask_duckdb(
            self._file,
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'customers'",
        )
        return {column["column_name"]: column["data_type"] for column in columns}


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    with account() as sandbox:
        yield Table(Tap(sandbox, tmp_path))


def test_columns_come_and_change_beside_others_that_stay(table: Table) -> None:
    before = table.load(**OFF)
    types = table.types()
    assert not types.keys() & TYPES.keys()

    added = table.load(**SAMPLE)
    assert without(added, columns=set(TYPES)) == before
    assert table.types() == {
        **types,
        "custom_cac": "HUGEINT",
        "custom_cac_e4bc7fd4": "VARCHAR",
        "custom_score": "DOUBLE",
        "custom_converted_at": "TIMESTAMP",
        "custom_pro": "BOOLEAN",
        "custom_mixed": "VARCHAR",
        "custom_list": "JSON",
        "custom_object": "JSON",
        "custom_looks_like_a_time": "VARCHAR",
        "stripe_uid": "HUGEINT",
    }
    assert custom(added[0]) == {
        "cac": 213,
        "cac_e4bc7fd4": "differs only in case",
        "score": 1,
        "converted_at": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": "5",
        "list": [1, {"a": Decimal("0.1")}],
        "object": {"a": [1]},
        "looks_like_a_time": "0000-00-00",
    }
    assert set(custom(added[2]).values()) == {None}

    types = table.types()
    change(table.tap, {"CAC": 5, "brandNew": Decimal("1.5")})
    for row in table.load(**SAMPLE):
        assert (row["custom_cac"], row["custom_brand_new"]) == (5, Decimal("1.5"))
    types["custom_brand_new"] = "DOUBLE"
    assert table.types() == types

    change(table.tap, {"CAC": "much", "brandNew": Decimal("1.5")})
    changed = table.load(**SAMPLE)
    # The target keeps the column as it was under another name, with its time.
    (old,) = table.types().keys() - types.keys()
    assert old.startswith("custom_cac_20")
    assert table.types() == {**types, "custom_cac": "VARCHAR", old: "HUGEINT"}
    assert {(row["custom_cac"], row[old]) for row in changed} == {("much", 5)}
    new = {*TYPES, "custom_brand_new", "attributes", old}
    assert without(changed, columns=new) == without(before, columns=new)
