"""target-postgres loads the same rows, whether it checks and copies them or not.

README has it check nothing, which is twice as fast.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import simplejson

from sandbox import Sandbox, generate_customers
from tests.postgres import Database, Row, load, row_of
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGETS = {
    "as_in_readme": {},
    "checked": {"validate_records": True},
    "copied": {"use_copy": True},
}

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
        generate_customers(9 * 7, seed=5),
        [*itertools.product(CUSTOM, ODD)] * 7,
        strict=True,
    )
]
SETTINGS = {
    "per_page": 20,
    "emit_activate_version_messages": True,
    "custom_attributes_sample_size": len(CUSTOMERS),
}


class Table(NamedTuple):
    """The rows of a table after a load, and those that it should have."""

    rows: dict[str, Row]
    expected: dict[str, Row]


@pytest.fixture(scope="module")
def tables(
    server: Database, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Table]]:
    """Return the table of each target, after a first load and after a second one."""
    return {
        name: [*loads(server.copy(name), settings, tmp_path_factory.mktemp(name))]
        for name, settings in TARGETS.items()
    }


def loads(
    warehouse: Database, settings: dict[str, bool], folder: Path
) -> Iterator[Table]:
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        state = None
        for _ in range(2):
            tap = Tap(sandbox, folder)
            run = load(tap, warehouse, settings, state=state, **SETTINGS)
            assert (run.tap_code, run.target_code) == (0, 0)
            expected = map(row_of, map(mended, sandbox.customers))
            yield Table(warehouse.customers(), {row["uuid"]: row for row in expected})
            state = run.state
            for gone, changed, _ in zip(*[iter(sandbox.customers)] * 3, strict=True):
                sandbox.remove(gone["uuid"])
                sandbox.put(changed | {"company": "", "attributes": gone["attributes"]})


def mended(customer: dict[str, Any]) -> Any:
    """Return a customer with what the tap puts in the place of NUL."""
    text = simplejson.dumps(customer).replace(r"\u0000", "\ufffd")
    return simplejson.loads(text, use_decimal=True)


@pytest.mark.parametrize("target", TARGETS)
def test_every_column_holds_what_was_sent(
    tables: dict[str, list[Table]], target: str
) -> None:
    for rows, expected in tables[target]:
        assert {
            uuid: {name: row[name] for name in row if not name.startswith("custom_")}
            for uuid, row in rows.items()
        } == expected


def test_numbers_are_loaded_to_the_digit(tables: dict[str, list[Table]]) -> None:
    for rows, _ in tables["as_in_readme"]:
        for row in rows.values():
            sent = row["attributes"]["custom"]
            assert row["custom_exact"] == sent["exact"]
            assert row["custom_long"] == sent.get("long")


def test_a_target_that_checks_every_record_loads_the_same_rows(
    tables: dict[str, list[Table]],
) -> None:
    assert tables["checked"] == tables["as_in_readme"]


def test_copy_rounds_what_is_typed_number_and_loads_the_same_otherwise(
    tables: dict[str, list[Table]],
) -> None:
    def rounded(row: Row) -> Row:
        numbers = {name: row[name] for name in ("custom_exact", "custom_long")}
        return row | {
            name: number and Decimal(repr(float(number)))
            for name, number in numbers.items()
        }

    for copied, exact in zip(tables["copied"], tables["as_in_readme"], strict=True):
        assert copied.rows != exact.rows
        assert copied.rows == {uuid: rounded(row) for uuid, row in exact.rows.items()}
