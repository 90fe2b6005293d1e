"""Stream maps: which records come of them, and decimals that stay exact in them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import faults
from tests.customers import encode, page_with

if TYPE_CHECKING:
    from tests.running import Run, Tap

ATTRIBUTES = (
    b'{"tags":["a"],"custom":{"score":0.10,"many":0.12345678901234567890123,'
    b'"large":1E+400,"long":12345678901234567890}}'
)


def mapped(tap: Tap, **expressions: str) -> Run:
    """Read a customer with decimals among its attributes, by a stream map."""
    tap.sandbox.script({1: faults.body(page_with(ATTRIBUTES))})
    return tap.run(stream_maps={"customers": expressions})


def test_attributes_keep_all_digits_and_so_does_their_json(tap: Tap) -> None:
    ended = mapped(tap, text="json.dumps(attributes)", all="json.dumps(record)")
    assert ended.code == 0, ended.log
    (record,) = ended.records
    assert encode(record["attributes"]) == ATTRIBUTES
    exact = json.loads(ATTRIBUTES, parse_float=str)
    assert json.loads(record["text"], parse_float=str) == exact
    assert json.loads(record["all"], parse_float=str)["attributes"] == exact


def test_expressions_take_decimals(tap: Tap) -> None:
    score = "attributes['custom']['score']"
    values = {
        "json.dumps(attributes, sort_keys=True)[:10]": '{"custom":',
        "json.loads('[1]')[0]": 1,
        f"{score} * 1.5": Decimal("0.15000000000000002"),
        f"1.5 + {score}": Decimal("1.6"),
        f"{score} == 0.1": True,
        f"-{score}": Decimal("-0.10"),
        f"{score} * 3": Decimal("0.30"),
        f"'high' if {score} > 0.05 else 'low'": "high",
        f"str({score})": "0.10",
        f"float({score}) / 2": Decimal("0.05"),
    }
    names = {f"x{number}": expression for number, expression in enumerate(values)}
    ended = mapped(tap, **names, __filter__=f"{score} == 0.1")
    assert ended.code == 0, ended.log
    (record,) = ended.records
    assert [record[name] for name in names] == [*values.values()]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("1/0", "1/0: ZeroDivisionError"),
        ("int(uuid)", "int(uuid): ValueError"),
        ("nope", "simpleeval expressions nope."),
    ],
)
def test_an_expression_that_fails_is_named_and_no_value_of_a_customer(
    tap: Tap, expression: str, says: str
) -> None:
    ended = mapped(tap, new=expression)
    assert ended.code == 1
    (line,) = ended.errors
    assert f"The setting `stream_maps` is wrong: Failed to evaluate {says}" in line
    assert "cus_" not in ended.log


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


@pytest.mark.parametrize("flat", [False, True])
def test_each_of_several_maps_makes_records_of_its_own(tap: Tap, *, flat: bool) -> None:
    maps = {
        "customers": {"mrr": "float(mrr) / 100", "email": None},
        "active": {"__source__": "customers", "__filter__": ACTIVE},
        "keys": {
            "__source__": "customers",
            "__else__": "__NULL__",
            "uuid": "uuid",
            "name": "name + '!' if name else '?'",
        },
        "none": {"__source__": "customers", "__filter__": "mrr < 0"},
    }
    run = tap.run(
        per_page=20, stream_maps=maps, flattening_enabled=flat, flattening_max_depth=1
    )
    found = by_stream(run)
    sent = tap.sandbox.customers
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
