"""Stream maps: their expressions take decimals, and what they leave stays exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.test_bodies import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Run, Tap

ATTRIBUTES = (
    b'{"tags":[1.10],"custom":{"score":0.10,"many":0.12345678901234567890123,'
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
