"""Values that nobody can store, in a real PostgreSQL."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.postgres import Database, load
from tests.running import Tap

if TYPE_CHECKING:
    from pathlib import Path

encode = msgspec.json.Encoder(decimal_format="number").encode

ODD = {
    "nul": rb'"a\u0000b"',
    "surrogate": rb'"a\ud83db"',
    "bytes": b'"a\xffb"',
    "integer": b"9" * 5_000,
    "long": b"9" * 4_300,
    "exponent": b"1e999999999",
    "large": b"1e4299",
    "small": b"1e-4299",
    "nested": b"[" * 20_000 + b"]" * 20_000,
    r"key\u0000": b"1",
}
"""Custom attributes of one customer, as JSON."""

STORED = {
    "nul": "a\ufffdb",
    "surrogate": "a\ufffdb",
    "bytes": "a\ufffdb",
    "integer": "9" * 5_000,
    "long": 10**4_300 - 1,
    "exponent": "1e999999999",
    "large": Decimal("1e4299"),
    "small": Decimal("1e-4299"),
    "key\ufffd": 1,
}

FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}


def body() -> bytes:
    """Return a page of 20 customers, of whom one has odd values wherever it can."""
    customers = generate_customers(20, seed=1)
    customers[7] |= {"attributes": {"custom": "ODD"}, "name": "NUL", "city": "NUL"}
    customers[7]["address"] = {"city": "NUL", "state": ["NUL"]}
    odd = b",".join(b'"%s":%s' % (key.encode(), value) for key, value in ODD.items())
    page = encode({"entries": customers, "has_more": False})
    return page.replace(b'"ODD"', b"{%s}" % odd).replace(b"NUL", rb"\u0000")


@pytest.mark.parametrize("settings", [{}, FLAT])
def test_a_value_that_nobody_can_store_costs_no_load(
    server: Database, tmp_path: Path, settings: dict[str, Any]
) -> None:
    warehouse = server.copy(f"values_{len(settings)}")
    with Sandbox(rate_limit=None) as sandbox:
        sandbox.script({1: faults.body(body())})
        run = load(Tap(sandbox, tmp_path), warehouse, **settings)
    assert (run.tap_code, run.target_code) == (0, 0)
    rows = warehouse.customers()
    assert len(rows) == 20
    (row,) = (row for row in rows.values() if row["name"] == "\ufffd")
    assert row["city"] == "\ufffd"
    if settings:
        custom = json.loads(row["attributes__custom"], parse_float=Decimal)
        address = {"city": row["address__city"], "state": row["address__state"]}
    else:
        custom = row["attributes"]["custom"]
        address = row["address"]
    assert address == {"city": "\ufffd", "state": '["\ufffd"]'}
    assert isinstance(custom.pop("nested"), list)
    assert custom == STORED
