"""Flattened records: each has every column of the schema, and no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.customers import ODD_KEYS

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Run, Tap

ODD: list[Any] = [
    *(None, "Paris", 5, True, [], [1], {}, {"tags": None, "city": None}),
    {"tags": [1.5], "stripe": [], "clearbit": {"a": {"b": 1}}, "custom": "a"},
    {"tags": "a", "stripe": 1, "clearbit": True, "custom": {}, "city": {"a": 0.1}},
    {"custom": {key: {"a": 1} for key in ODD_KEYS}, "city": 75001},
]


def flat(depth: int = 1) -> dict[str, Any]:
    return {"flattening_enabled": True, "flattening_max_depth": depth}


def change(sandbox: Sandbox, *changes: dict[str, Any]) -> None:
    for customer, changed in zip(sandbox.customers, changes, strict=False):
        sandbox.put({**customer, **changed})


def check(run: Run) -> None:
    """Check that each record has the columns of its SCHEMA, and fits it."""
    assert run.code == 0, run.log
    schemas = {each["stream"]: each["schema"] for each in run.of_type("SCHEMA")}
    for message in run.of_type("RECORD"):
        schema = schemas[message["stream"]]
        assert list(message["record"]) == list(schema["properties"])
        jsonschema.validate(
            json.loads(json.dumps(message, default=float)),
            {"properties": {"record": schema}},
        )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_whatever_a_customer_has_its_record_has_the_columns_of_the_schema(
    tap: Tap, sandbox: Sandbox, depth: int
) -> None:
    change(sandbox, *({"attributes": odd, "address": odd} for odd in ODD))
    run = tap.run(**flat(depth))
    check(run)
    whole, *others = run.records[len(ODD) - 1 :]
    assert whole["address__city"] == "75001"
    assert json.loads(whole["attributes__custom"]) == ODD[-1]["custom"]
    assert run.records[8]["attributes__tags"] == '["1.5"]'
    assert run.records[8]["attributes__stripe"] == "{}"
    assert {
        value
        for record in run.records[:8]
        for name, value in record.items()
        if "__" in name
    } == {None}
    assert [each["mrr"] for each in others] == [
        customer["mrr"] for customer in sandbox.customers[len(ODD) :]
    ]


def test_names_of_columns_are_joined_by_the_separator(
    tap: Tap, sandbox: Sandbox
) -> None:
    change(sandbox, {"attributes": {"tags": ["a"]}, "address": {"city": "Paris"}})
    run = tap.run(flattening_separator="_of_", **flat())
    check(run)
    assert run.records[0]["attributes_of_tags"] == '["a"]'
    assert run.records[0]["address_of_city"] == "Paris"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"flattening_max_key_length": 10}, "cs"),
        ({"stream_maps": {"customers": {"address__city": "city"}}}, "address__city"),
    ],
)
def test_two_columns_of_one_name_end_the_run_before_the_first_request(
    tap: Tap, settings: dict[str, Any], name: str
) -> None:
    run = tap.run(**flat(), **settings)
    assert run.code == 1
    (error,) = run.errors
    assert error.endswith(
        f"Duplicate column name produced in schema: {name}. Change "
        "`flattening_max_key_length`, `flattening_separator` or `stream_maps`"
    )
    assert not run.messages
    assert not tap.sandbox.requests


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_keys_without_a_column_are_left_out_with_one_warning(
    tap: Tap, sandbox: Sandbox, depth: int
) -> None:
    for customer in sandbox.customers:
        new = {customer["uuid"]: "a secret"}
        attributes = {"tags": ["a"], "new": new, "none": None}
        sandbox.put({**customer, "attributes": attributes})
    run = tap.run(**flat(depth))
    check(run)
    assert run.records[0]["attributes__tags"] == '["a"]'
    (warning,) = run.warnings
    assert "without a column in the schema are left out" in warning
    assert "'attributes__new" in warning
    assert "a secret" not in run.log


def test_records_of_every_stream_map_have_its_columns(
    tap: Tap, sandbox: Sandbox
) -> None:
    change(sandbox, {"attributes": None, "address": None})
    maps = {
        "customers": {"half": "int(mrr / 2)", "attributes": None},
        "places": {
            "__source__": "customers",
            "__else__": "__NULL__",
            "uuid": "uuid",
            "address": "address",
        },
    }
    run = tap.run(stream_maps=maps, **flat())
    check(run)
    customers, places = (message["schema"] for message in run.of_type("SCHEMA"))
    assert "address__city" in places["properties"]
    assert "attributes__tags" not in customers["properties"]
    assert len(run.records) == 2 * len(sandbox.customers)
