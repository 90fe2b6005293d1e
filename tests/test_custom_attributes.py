from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Tap

SAMPLE = {"custom_attributes_sample_size": 50}
FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}


def customers(*custom: dict[str, Any], group: str = "custom") -> list[dict[str, Any]]:
    """Generate a customer for each object of custom attributes."""
    generated = generate_customers(len(custom), seed=4)
    for customer, values in zip(generated, custom, strict=True):
        customer["attributes"] = {"tags": [], "stripe": {}, "custom": {}}
        customer["attributes"][group] = values
    return generated


@pytest.fixture
def account(
    tap_on: Callable[[Sandbox], Tap],
) -> Iterator[Callable[..., Tap]]:
    """Return the tap on an account whose customers have these custom attributes."""
    running: list[Sandbox] = []

    def start(*custom: dict[str, Any], group: str = "custom") -> Tap:
        sandbox = Sandbox(customers(*custom, group=group), rate_limit=None)
        running.append(sandbox)
        return tap_on(sandbox.__enter__())

    yield start
    for sandbox in running:
        sandbox.__exit__(None, None, None)


def types(tap: Tap, *, group: str = "custom", **settings: object) -> dict[str, Any]:
    """Discover, and return the types found."""
    catalog = json.loads(tap.output("--discover", **{**SAMPLE, **settings}))
    attributes = catalog["streams"][0]["schema"]["properties"]["attributes"]
    found: dict[str, Any] = attributes["properties"][group].get("properties", {})
    return found


def read(tap: Tap, **settings: Any) -> list[dict[str, Any]]:
    """Read the customers' custom attributes, by the id of the customer."""
    run = tap.run(**{**SAMPLE, **settings})
    assert run.code == 0, run.log
    records = sorted(run.records, key=lambda record: record["id"])
    return [record["attributes"]["custom"] for record in records]


TIME = {"type": ["string", "null"], "format": "date-time"}
TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], INTEGER),
        ([1, None], INTEGER),
        ([1, Decimal("2.5")], NUMBER),
        ([Decimal("0.1")], NUMBER),
        ([12345678901234567890], NUMBER),
        ([True, False], {"type": ["boolean", "null"]}),
        (["a", "b"], TEXT),
        (["2023-09-08 00:00:00", "2023-09-08T12:00:00+02:00"], TIME),
        (["2023-09-08", "2023-09-08T12:00:00.5Z", None], TIME),
        (["2023-09-08 00:00:00", "soon"], TEXT),
        (["2023-09-08 00:00:00", ""], TEXT),
        (["20230908", "2023"], TEXT),
        ([1, "1"], TEXT),
        ([1, True], TEXT),
        (["2023-09-08", 5], TEXT),
        ([None], TEXT),
        ([["a"], []], {"type": ["array", "null"]}),
        ([{"a": 1}], {"type": ["object", "null"]}),
        ([{"a": 1}, "a"], TEXT),
    ],
)
@pytest.mark.parametrize("group", ["custom", "stripe"])
def test_discovery_types_a_key_by_its_values(
    account: Callable[..., Tap], group: str, values: list[Any], expected: object
) -> None:
    tap = account(*({"key": value} for value in values), group=group)
    assert types(tap, group=group) == {"key": expected}


def test_discovery_reads_as_many_customers_as_it_is_told(
    account: Callable[..., Tap],
) -> None:
    tap = account(*({f"key {number}": number} for number in range(9)))
    assert len(types(tap, custom_attributes_sample_size=4, per_page=3)) == 4
    assert len(tap.sandbox.requests) == 2


def test_discovery_reads_none_when_it_is_off(tap: Tap, sandbox: Sandbox) -> None:
    assert not types(tap, custom_attributes_sample_size=0)
    assert not sandbox.requests


def test_discovery_that_reads_needs_good_settings(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run("--discover", api_url="http://example.com", **SAMPLE)
    assert run.code == 1
    assert "api_url" in run.errors[0]
    assert not sandbox.requests


def test_discovery_that_fails_says_so_in_one_line(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({1: faults.status(401)})
    run = tap.run("--discover", **SAMPLE)
    assert run.code == 1
    assert len(run.errors) == 1
    assert "401" in run.errors[0]


def test_a_catalog_is_used_as_it_is(account: Callable[..., Tap]) -> None:
    tap = account({"key": 1}, {"key": 2})
    catalog = json.loads(tap.output("--discover", **SAMPLE))
    tap.sandbox.requests.clear()
    run = tap.run(catalog=catalog, **SAMPLE)
    assert run.code == 0
    assert len(tap.sandbox.requests) == 1
    schema = catalog["streams"][0]["schema"]
    assert run.messages[0]["schema"]["properties"] == schema["properties"]


def test_values_are_read_as_their_types(account: Callable[..., Tap]) -> None:
    tap = account(
        {"n": 1, "x": 1, "at": "2023-09-08 00:00:00", "b": True, "mixed": 5},
        {"n": 2, "x": Decimal("0.10"), "at": "2023-09-08T02:00:00+02:00"},
        {"mixed": "five", "x": 12345678901234567890},
        {"mixed": {"a": [1, Decimal("0.1")]}},
    )
    midnight = "2023-09-08T00:00:00+00:00"
    assert read(tap) == [
        {"n": 1, "x": 1, "at": midnight, "b": True, "mixed": "5"},
        {"n": 2, "x": Decimal("0.10"), "at": midnight},
        {"mixed": "five", "x": 12345678901234567890},
        {"mixed": '{"a":[1,0.1]}'},
    ]


def test_a_value_of_another_type_becomes_null_with_one_warning_and_a_count(
    account: Callable[..., Tap],
) -> None:
    good = {"n": 1, "x": Decimal("0.5"), "at": "2023-09-08", "b": True}
    bad = {"n": "a secret", "x": "no", "at": "later", "b": 1}
    tap = account(good, bad, {**good, "n": 2.5}, bad)
    catalog = json.loads(tap.output("--discover", **SAMPLE))
    custom = catalog["streams"][0]["schema"]["properties"]["attributes"]["properties"]
    custom["custom"]["properties"] = {
        "n": INTEGER,
        "x": NUMBER,
        "at": TIME,
        "b": {"type": ["boolean", "null"]},
    }
    run = tap.run(catalog=catalog)
    assert run.code == 0
    nothing = dict.fromkeys(bad)
    values = sorted(run.records, key=lambda record: record["id"])
    assert [record["attributes"]["custom"] for record in values] == [
        {**good, "at": "2023-09-08T00:00:00+00:00"},
        nothing,
        {**good, "at": "2023-09-08T00:00:00+00:00", "n": None},
        nothing,
    ]
    once = [line for line in run.warnings if "becomes null" in line]
    counts = [line.split("| ")[-1] for line in run.warnings if "became null" in line]
    assert len(once) == 4
    assert sorted(counts) == [
        "2 values of `attributes.custom.at` did not fit its type and became null",
        "2 values of `attributes.custom.b` did not fit its type and became null",
        "2 values of `attributes.custom.x` did not fit its type and became null",
        "3 values of `attributes.custom.n` did not fit its type and became null",
    ]
    assert "a secret" not in run.log


def test_custom_attributes_that_are_no_object_become_null(
    account: Callable[..., Tap],
) -> None:
    tap = account({"key": 1}, {"key": 1})
    odd = tap.sandbox.customers[0]
    tap.sandbox.put({**odd, "attributes": {**odd["attributes"], "custom": []}})
    values = read(tap)
    assert {"key": 1} in values
    assert None in values


@pytest.mark.parametrize("attributes", [None, "none", {}, {"custom": None}])
def test_customers_without_custom_attributes_cost_discovery_nothing(
    account: Callable[..., Tap], attributes: object
) -> None:
    tap = account({"key": 1}, {"key": 2})
    tap.sandbox.put({**tap.sandbox.customers[0], "attributes": attributes})
    assert types(tap) == {"key": INTEGER}
    run = tap.run(**SAMPLE)
    assert run.code == 0
    assert len(run.records) == 2


def test_lists_objects_and_nulls_fit_their_types(account: Callable[..., Tap]) -> None:
    sent = {"list": [1, "a"], "object": {"a": 1}, "n": 1}
    others = {"list": None, "object": None, "n": None}
    assert read(account(sent, others)) == [sent, others]


def test_lists_and_objects_take_nothing_else(account: Callable[..., Tap]) -> None:
    tap = account({"list": [1], "object": {"a": 1}})
    catalog = json.loads(tap.output("--discover", **SAMPLE))
    for customer in tap.sandbox.customers:
        customer["attributes"]["custom"] = {"list": {"a": 1}, "object": [1]}
        tap.sandbox.put(customer)
    assert read(tap, catalog=catalog) == [{"list": None, "object": None}]


def test_untyped_attributes_come_through_as_they_were(
    account: Callable[..., Tap],
) -> None:
    sent = {"key": "2023-09-08 00:00:00", "n": Decimal("4100.0")}
    assert read(account(sent), custom_attributes_sample_size=0) == [sent]


def test_flattening_makes_typed_columns(account: Callable[..., Tap]) -> None:
    tap = account({"CAC": 213, "pro": False}, {"CAC": Decimal("0.5")})
    run = tap.run(**SAMPLE, **FLAT)
    assert run.code == 0
    properties = run.messages[0]["schema"]["properties"]
    assert properties["attributes__custom__CAC"] == NUMBER
    assert properties["attributes__custom__pro"]["type"] == ["boolean", "null"]
    first, second = sorted(run.records, key=lambda record: record["id"])
    assert first["attributes__custom__CAC"] == 213
    assert first["attributes__custom__pro"] is False
    assert second["attributes__custom__CAC"] == Decimal("0.5")


def test_a_typed_key_can_be_deselected(account: Callable[..., Tap]) -> None:
    tap = account({"keep": 1, "drop": 2})
    catalog = json.loads(tap.output("--discover", **SAMPLE))
    for entry in catalog["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = "drop" not in entry["breadcrumb"]
    run = tap.run(catalog=catalog)
    assert [record["attributes"]["custom"] for record in run.records] == [{"keep": 1}]


def test_a_typed_key_can_be_renamed_by_a_stream_map(
    account: Callable[..., Tap],
) -> None:
    tap = account({"CAC": 213})
    maps = {"customers": {"cac": "int(attributes['custom']['CAC'])"}}
    run = tap.run(stream_maps=maps, **SAMPLE)
    assert run.records[0]["cac"] == 213
    assert run.messages[0]["schema"]["properties"]["cac"]["type"] == ["integer", "null"]


def test_discovery_warns_of_keys_that_differ_only_in_case(
    account: Callable[..., Tap],
) -> None:
    tap = account({"CAC": 1, "plan": "a"}, {"cac": 2})
    run = tap.run(**SAMPLE)
    assert run.code == 0
    (warning,) = run.warnings
    assert "'CAC', 'cac'" in warning
    assert "plan" not in warning


def test_columns_that_collide_after_flattening_are_named_before_the_first_record(
    account: Callable[..., Tap],
) -> None:
    long = "a" * 80
    tap = account({f"{long}b": 1, f"{long}c": 2})
    run = tap.run(flattening_max_key_length=63, **SAMPLE, **FLAT)
    assert run.code == 1
    assert "Duplicate column name produced in schema: att" in run.errors[0]
    assert not run.messages
