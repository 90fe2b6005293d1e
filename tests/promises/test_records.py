"""What a run writes of each customer, by our catalog or by one that was changed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.records.columns import COLUMNS, CUSTOMER_SCHEMA
from tests.customers import as_promised, with_timestamps_read

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Run, Tap

NAMES = [column.name for column in COLUMNS]


def catalog(tap: Tap, *deselected: str, **by_hand: object) -> dict[str, Any]:
    """Return the catalog without some keys, as `a.b`, and with columns by hand."""
    found: dict[str, Any] = json.loads(tap.output("--discover"))
    (stream,) = found["streams"]
    stream["schema"]["properties"] |= by_hand
    for entry in stream["metadata"]:
        # Every other part is "properties".
        key = ".".join(entry["breadcrumb"][1::2])
        entry["metadata"]["selected"] = key not in deselected
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
    schema = run.messages[0]
    assert schema["type"] == "SCHEMA"
    assert schema["key_properties"] == ["uuid"]
    assert schema["schema"] == CUSTOMER_SCHEMA
    found = [with_timestamps_read(record) for record in run.records]
    assert found == [as_promised(customer) for customer in sandbox.customers]
    assert not run.warnings


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


def test_a_column_has_the_type_that_it_was_given(tap: Tap, sandbox: Sandbox) -> None:
    changed = {"mrr": 3000.5, "attributes": {"custom": {"a": 0.1}}, "score": 5}
    for number, customer in enumerate(sandbox.customers):
        new = {"new": number} if number else {}
        sandbox.put({**customer, **changed, **new})
    by_hand = {
        "mrr": {"type": ["null", "number"]},
        "id": {"type": ["string"]},
        "attributes": {"type": ["string", "null"]},
        "lead_created_at": {"type": "string"},
        "score": {"type": "integer"},
        "new": {"type": "string"},
    }
    run = run_well(tap, catalog=catalog(tap, **by_hand))
    assert [record["new"] for record in run.records] == [None, *map(str, range(1, 60))]
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        assert record["mrr"] == Decimal("3000.5")
        assert record["id"] == str(customer["id"])
        assert record["attributes"] == '{"custom":{"a":0.1}}'
        assert record["lead_created_at"] == customer["lead_created_at"]
        assert record["score"] == 5
    assert not run.warnings


def test_where_some_keys_are_selected_no_other_comes_through(
    tap: Tap, sandbox: Sandbox
) -> None:
    attributes = {"hubspot": {"email": "ada@example.com"}, "tags": ["a"], "custom": {}}
    change(sandbox, attributes=attributes, address={"city": "Paris", "street": "a"})
    kept = catalog(tap, "email", "attributes.custom", "address.city")
    run = run_well(tap, catalog=kept)
    for record in run.records:
        assert list(record) == [name for name in NAMES if name != "email"]
        assert record["attributes"] == {"tags": ["a"]}
        assert record["address"] == {}
    properties = run.messages[0]["schema"]["properties"]
    assert "custom" not in properties["attributes"]["properties"]
    assert not run.warnings


def test_a_key_cannot_be_deselected(tap: Tap) -> None:
    run = run_well(tap, catalog=catalog(tap, "uuid"))
    assert len(set(run.uuids)) == 60


def test_a_column_that_a_catalog_does_not_know_is_left_out(tap: Tap) -> None:
    kept = catalog(tap)
    del kept["streams"][0]["schema"]["properties"]["owner"]
    run = run_well(tap, catalog=kept)
    assert all("owner" not in record for record in run.records)
    assert not run.warnings


def test_a_catalog_cannot_make_the_read_incremental(tap: Tap) -> None:
    kept = catalog(tap)
    kept["streams"][0]["replication_method"] = "INCREMENTAL"
    run = run_well(tap, catalog=kept)
    (warning,) = said(run)
    assert "asks for INCREMENTAL replication, but every run reads every" in warning
    assert "in full_table mode" in run.log
