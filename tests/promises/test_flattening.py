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


def check(run: Run) -> None:
    """Check that each record has the columns of the SCHEMA, and fits it."""
    assert run.code == 0, run.log
    schema = run.messages[0]["schema"]
    validator = jsonschema.Draft7Validator(schema)
    for record in run.records:
        assert list(record) == list(schema["properties"])
        validator.validate(json.loads(json.dumps(record, default=float)))


@pytest.mark.parametrize("depth", [1, 3])
def test_whatever_a_customer_has_its_record_has_the_columns_of_the_schema(
    tap: Tap, sandbox: Sandbox, depth: int
) -> None:
    for customer, odd in zip(sandbox.customers, ODD, strict=False):
        sandbox.put({**customer, "attributes": odd, "address": odd})
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


def test_two_columns_of_one_name_end_the_run_before_the_first_request(
    tap: Tap,
) -> None:
    run = tap.run(**flat(), stream_maps={"customers": {"address__city": "city"}})
    assert run.code == 1
    (error,) = run.errors
    assert error.endswith(
        "Duplicate column name produced in schema: address__city. Change "
        "`flattening_max_key_length`, `flattening_separator` or `stream_maps`"
    )
    assert not run.messages
    assert not tap.sandbox.requests


@pytest.mark.parametrize("depth", [1, 2])
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
