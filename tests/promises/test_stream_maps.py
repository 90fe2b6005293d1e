"""Stream maps: which records come of them, and decimals that stay exact in them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.customers import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Run, Tap

ATTRIBUTES = (
    b'{"tags":["a"],"custom":{"score":0.10,"many":0.12345678901234567890123,'
    b'"large":1E+400,"long":12345678901234567890}}'
)


@pytest.fixture
def run(tap_on: Callable[[Sandbox], Tap]) -> Callable[..., Run]:
    """Read a customer with decimals among its attributes, by a stream map."""

    def read(*, flat: bool = False, **expressions: str) -> Run:
        (customer,) = generate_customers(1, seed=1)
        page = encode(
            {"entries": [customer | {"attributes": "HERE"}], "has_more": False}
        )
        with Sandbox() as sandbox:
            sandbox.script({1: faults.body(page.replace(b'"HERE"', ATTRIBUTES))})
            return tap_on(sandbox).run(
                stream_maps={"customers": expressions},
                flattening_enabled=flat,
                flattening_max_depth=1,
            )

    return read


def exact(text: str) -> Any:
    return json.loads(text, parse_float=str)


@pytest.mark.parametrize("flat", [False, True])
def test_attributes_become_json_text_with_all_digits(
    run: Callable[..., Run], *, flat: bool
) -> None:
    ended = run(flat=flat, text="json.dumps(attributes)", all="json.dumps(record)")
    assert ended.code == 0, ended.log
    (record,) = ended.records
    assert exact(record["text"]) == exact(ATTRIBUTES.decode())
    assert exact(record["all"])["attributes"] == exact(ATTRIBUTES.decode())


def test_what_a_stream_map_leaves_keeps_its_digits(run: Callable[..., Run]) -> None:
    ended = run(new="uuid")
    assert ended.code == 0, ended.log
    (record,) = ended.records
    assert encode(record["attributes"]) == ATTRIBUTES


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("json.dumps(attributes, sort_keys=True)[:10]", '{"custom":'),
        ("json.loads('[1]')[0]", 1),
        ("attributes['custom']['score'] * 1.5", Decimal("0.15000000000000002")),
        ("1.5 + attributes['custom']['score']", Decimal("1.6")),
        ("attributes['custom']['score'] == 0.1", True),
        ("attributes['custom']['score'] in [0.1]", False),
        ("-attributes['custom']['score']", Decimal("-0.10")),
        ("attributes['custom']['score'] * 3", Decimal("0.30")),
        ("'high' if attributes['custom']['score'] > 0.05 else 'low'", "high"),
        ("str(attributes['custom']['score'])", "0.10"),
        ("float(attributes['custom']['score']) / 2", Decimal("0.05")),
    ],
)
def test_expressions_take_decimals(
    run: Callable[..., Run], expression: str, value: object
) -> None:
    ended = run(new=expression)
    assert ended.code == 0, ended.log
    assert ended.records[0]["new"] == value


def test_a_filter_takes_decimals(run: Callable[..., Run]) -> None:
    assert run(__filter__="attributes['custom']['score'] == 0.1").records
    assert not run(__filter__="attributes['custom']['score'] > 0.1").records


@pytest.mark.parametrize(
    ("expression", "why"),
    [("1/0", "ZeroDivisionError"), ("record['x']", "KeyError"), ("int(uuid)", "Value")],
)
def test_an_expression_that_fails_is_named_and_no_value_of_a_customer(
    run: Callable[..., Run], expression: str, why: str
) -> None:
    ended = run(new=expression)
    assert ended.code == 1
    (line,) = ended.errors
    assert f"`stream_maps` is wrong: Failed to evaluate {expression}: {why}" in line
    (customer,) = generate_customers(1, seed=1)
    assert customer["uuid"] not in ended.log


def by_stream(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Return the records of each stream that has a SCHEMA, which they must fit."""
    assert run.code == 0, run.log
    schemas = {each["stream"]: each["schema"] for each in run.of_type("SCHEMA")}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in schemas}
    for message in run.of_type("RECORD"):
        record = message["record"]
        assert list(record) == list(schemas[message["stream"]]["properties"])
        found[message["stream"]].append(record)
    return found


ACTIVE = "status == 'Active'"
KEYS = {"__source__": "customers", "__else__": "__NULL__", "uuid": "uuid"}
NAMED = "name + '!' if name else '?'"


@pytest.mark.parametrize("flat", [False, True])
def test_each_of_several_maps_makes_records_of_its_own(
    tap: Tap, sandbox: Sandbox, *, flat: bool
) -> None:
    maps = {
        "customers": {"mrr": "float(mrr) / 100", "email": None},
        "active": {"__source__": "customers", "__filter__": ACTIVE},
        "keys": {**KEYS, "name": NAMED},
        "none": {"__source__": "customers", "__filter__": "mrr < 0"},
    }
    run = tap.run(
        per_page=20, stream_maps=maps, flattening_enabled=flat, flattening_max_depth=1
    )
    found = by_stream(run)
    sent = sandbox.customers
    assert list(found) == [*maps]
    assert [float(record["mrr"]) for record in found["customers"]] == [
        customer["mrr"] / 100 for customer in sent
    ]
    assert not any("email" in record for record in found["customers"])
    assert [record["uuid"] for record in found["active"]] == [
        customer["uuid"] for customer in sent if customer["status"] == "Active"
    ]
    assert found["keys"] == [
        {"uuid": each["uuid"], "name": f"{each['name']}!" if each["name"] else "?"}
        for each in sent
    ]
    assert not found["none"]


def test_an_alias_names_the_stream(tap: Tap, sandbox: Sandbox) -> None:
    maps = {"customers": {"__alias__": "people", "__filter__": ACTIVE}}
    found = by_stream(tap.run(stream_maps=maps))
    assert list(found) == ["people"]
    assert 0 < len(found["people"]) < len(sandbox.customers)


def test_with_else_only_what_is_mapped_is_written(tap: Tap, sandbox: Sandbox) -> None:
    maps = {
        "__else__": None,
        "copy": {**KEYS, "mrr": "mrr"},
    }
    assert by_stream(tap.run(stream_maps=maps)) == {
        "copy": [{"uuid": c["uuid"], "mrr": c["mrr"]} for c in sandbox.customers]
    }


def test_a_map_takes_custom_columns_and_attributes(tap: Tap, sandbox: Sandbox) -> None:
    for customer in sandbox.customers:
        attributes = {"custom": {"CAC": 213, "plan": "gold"}}
        sandbox.put({**customer, "attributes": attributes})
    maps = {
        "cost": "int(custom_cac)",
        "plan": "attributes['custom']['plan']",
        "custom_plan": None,
    }
    run = tap.run(stream_maps={"customers": maps}, custom_attributes_sample_size=9)
    record = by_stream(run)["customers"][0]
    assert (record["cost"], record["plan"], record["custom_cac"]) == (213, "gold", 213)
    assert "custom_plan" not in record


def test_key_properties_can_be_others(tap: Tap, sandbox: Sandbox) -> None:
    maps = {"customers": {"__key_properties__": ["id"], "uuid": None}}
    run = tap.run(stream_maps=maps)
    assert run.of_type("SCHEMA")[0]["key_properties"] == ["id"]
    assert [record["id"] for record in by_stream(run)["customers"]] == [
        customer["id"] for customer in sandbox.customers
    ]
