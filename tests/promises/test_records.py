"""What a run writes of each customer, by our catalog or by one that was changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.records.columns import COLUMNS
from tests.customers import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Run, Tap

NAMES = [column.name for column in COLUMNS]


def catalog(
    tap: Tap, selected: dict[str, bool] | None = None, **by_hand: object
) -> dict[str, Any]:
    """Return the catalog with columns and selected keys by hand."""
    found: dict[str, Any] = json.loads(tap.output("--discover"))
    (stream,) = found["streams"]
    stream["schema"]["properties"] |= by_hand
    for key, is_selected in (selected or {}).items():
        column, _, inner = key.partition(".")
        place = ["properties", column, *(["properties", inner] if inner else [])]
        stream["metadata"] = [
            *(entry for entry in stream["metadata"] if entry["breadcrumb"] != place),
            {"breadcrumb": place, "metadata": {"selected": is_selected}},
        ]
    return found


def change(sandbox: Sandbox, **fields: object) -> None:
    for customer in sandbox.customers:
        sandbox.put({**customer, **fields})


def run_well(tap: Tap, **options: Any) -> Run:
    run = tap.run(per_page=20, **options)
    assert run.code == 0, run.log
    assert len(run.records) == len(tap.sandbox.customers)
    (schema,) = run.of_type("SCHEMA")
    columns = list(schema["schema"]["properties"])
    assert all(list(record) == columns for record in run.records)
    return run


def said(run: Run) -> list[str]:
    return [line.split(" | ")[-1] for line in run.warnings]


def test_records_are_the_customers_field_by_field(tap: Tap, sandbox: Sandbox) -> None:
    run = run_well(tap)
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        assert list(record) == NAMES
        for column in COLUMNS:
            sent, got = customer.get(column.field), record[column.name]
            if column.kind == "timestamp" and sent:
                assert datetime.fromisoformat(got) == datetime.fromisoformat(sent)
                assert datetime.fromisoformat(got).utcoffset() == UTC.utcoffset(None)
            else:
                assert got == sent
    assert not run.warnings


@pytest.mark.parametrize(
    "number", ["0.1", "1.10", "12345678901234567890", "-0.0", "1E+400", "1" * 40]
)
def test_numbers_keep_their_digits(
    tap_on: Callable[[Sandbox], Tap], number: str
) -> None:
    customer = generate_customers(1, seed=1)[0]
    body = encode({"entries": [customer], "has_more": False})
    body = body.replace(b'"attributes":{', b'"attributes":{"n":%s,' % number.encode())
    with Sandbox() as sandbox:
        sandbox.script({1: faults.body(body)})
        output = tap_on(sandbox).output()
    assert f'"attributes":{{"n":{number},' in output


def test_what_becomes_null_is_warned_of_once_for_each_column_and_counted(
    tap: Tap, sandbox: Sandbox
) -> None:
    first = sandbox.customers[0]["uuid"]
    change(sandbox, lead_created_at="soon", mrr="much", attributes={"tags": "a secret"})
    run = run_well(tap)
    null = f"Customer {first!r}: `%s` becomes null: it %s"
    assert said(run) == [
        null % ("lead_created_at", 'cannot be read as a time: "soon"'),
        null % ("attributes.tags", "does not fit the type of its column"),
        null % ("mrr", "does not fit the type of its column"),
        "Values that became null in `lead_created_at`: 60",
        "Values that became null in `attributes.tags`: 60",
        "Values that became null in `mrr`: 60",
    ]


def test_a_field_that_is_unknown_is_left_out_with_one_warning(
    tap: Tap, sandbox: Sandbox
) -> None:
    change(sandbox, brand_new="a value", newer=None)
    run = run_well(tap)
    assert all(list(record) == NAMES for record in run.records)
    assert [line.split(" of the API")[0] for line in said(run)] == [
        "Field 'brand_new'",
        "Field 'newer'",
    ]
    assert "a value" not in run.log


def test_a_field_that_is_declared_by_hand_is_in_every_record(
    tap: Tap, sandbox: Sandbox
) -> None:
    for number, customer in enumerate(sandbox.customers):
        sandbox.put({**customer, "score": 0.5, **({"new": number} if number else {})})
    run = run_well(
        tap, catalog=catalog(tap, score={"type": "number"}, new={"type": "string"})
    )
    assert [record["new"] for record in run.records] == [None, *map(str, range(1, 60))]
    assert {record["score"] for record in run.records} == {Decimal("0.5")}
    assert not run.warnings


def test_a_column_of_ours_has_the_type_that_it_was_given(
    tap: Tap, sandbox: Sandbox
) -> None:
    change(sandbox, mrr=3000.5, attributes={"custom": {"a": 0.1}, "tags": []})
    kept = catalog(
        tap,
        mrr={"type": ["null", "number"]},
        id={"type": ["string"]},
        attributes={"type": ["string", "null"]},
        lead_created_at={"type": "string"},
    )
    run = run_well(tap, catalog=kept)
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        assert record["mrr"] == Decimal("3000.5")
        assert record["id"] == str(customer["id"])
        assert record["attributes"] == '{"custom":{"a":0.1},"tags":[]}'
        assert record["lead_created_at"] == customer["lead_created_at"]
    assert not run.warnings


@pytest.mark.parametrize("flat", [False, True])
def test_a_key_that_comes_later_is_no_more_selected_than_others(
    tap: Tap, sandbox: Sandbox, *, flat: bool
) -> None:
    later = {"hubspot": {"email": "ada@example.com"}, "tags": ["a"], "custom": {"a": 1}}
    change(sandbox, attributes=later, address={"city": "Paris", "street": "secret"})
    kept = catalog(
        tap,
        {
            "attributes": True,
            "attributes.tags": True,
            "attributes.stripe": False,
            "attributes.clearbit": False,
            "attributes.custom": False,
            "address.city": False,
        },
    )
    run = run_well(tap, catalog=kept, flattening_enabled=flat, flattening_max_depth=1)
    for record in run.records:
        if flat:
            inner = [name for name in record if name.startswith("attributes")]
            assert inner == ["attributes__tags"]
            assert "address__city" not in record
        else:
            assert record["attributes"] == {"tags": ["a"]}
            assert record["address"] == {}
    assert not run.warnings
