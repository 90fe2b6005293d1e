"""target-postgres loads every value, whether it checks records or not.

README has it check nothing, which is twice as fast.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import simplejson

from sandbox import Sandbox, generate_customers
from tests.postgres import Database, load, row_of
from tests.running import Tap

if TYPE_CHECKING:
    from pathlib import Path

EXACT = Decimal("0.2698671995800051722050")  # more digits than 64 bits hold
LONG = 12345678901234567890  # more than an integer of a database holds

CUSTOM: list[dict[str, Any]] = [
    {"exact": EXACT, "long": LONG, "text": "a\x00b", "empty": "", "list": ["\x00"]},
    {"exact": 1, "long": 2, "text": None, "empty": None, "list": []},
    {"exact": Decimal("0.1"), "object": {"deep": [EXACT, LONG, None, ""]}},
]
ODD: list[dict[str, Any]] = [
    {"company": "a\x00b", "city": "", "zip": None, "external_ids": ["", "💎"]},
    {"company": None, "city": None, "data_source_uuids": [], "mrr": None, "arr": 0},
    {
        "free_trial_started_at": "0001-01-01T00:00:00Z",
        "lead_created_at": "9999-12-31T23:59:59.999999Z",
        "mrr": 2**63 - 1,
        "arr": -(2**63),
    },
]
CUSTOMERS = [
    customer | {"attributes": {"tags": [""], "custom": custom}} | odd
    for customer, (custom, odd) in zip(
        generate_customers(9 * 3, seed=5),
        [*itertools.product(CUSTOM, ODD)] * 3,
        strict=True,
    )
]
SETTINGS = {
    "per_page": 10,
    "emit_activate_version_messages": True,
    "custom_attributes_sample_size": len(CUSTOMERS),
}


def mended(customer: dict[str, Any]) -> Any:
    """Return a customer with what the tap puts in the place of NUL."""
    text = simplejson.dumps(customer).replace(r"\u0000", "\ufffd")
    return simplejson.loads(text, use_decimal=True)


@pytest.mark.parametrize("checks", [False, True])
def test_every_value_is_loaded_and_loaded_again(
    server: Database,
    tmp_path: Path,
    checks: bool,  # noqa: FBT001 (a setting)
) -> None:
    warehouse = server.copy(f"checks_{checks}".lower())
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        tap, state = Tap(sandbox, tmp_path), None
        for _ in range(2):
            target = {"validate_records": checks}
            state = load(tap, warehouse, target, state=state, **SETTINGS)
            loaded = warehouse.customers()
            assert loaded.keys() == {customer["uuid"] for customer in sandbox.customers}
            for customer in map(mended, sandbox.customers):
                row, custom = loaded[customer["uuid"]], customer["attributes"]["custom"]
                assert row.items() >= row_of(customer).items()
                assert row["custom_exact"] == custom["exact"]
                assert row["custom_long"] == custom.get("long")
            for gone, changed, _ in zip(*[iter(sandbox.customers)] * 3, strict=True):
                sandbox.remove(gone["uuid"])
                sandbox.put(changed | {"company": "", "attributes": gone["attributes"]})
