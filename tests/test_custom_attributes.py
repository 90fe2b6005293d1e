"""Custom attributes as columns of their own, beside all that is there without them."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.records.custom_attributes import (
    CustomColumns,
    with_custom_columns,
)
from tap_chartmogul_customers.records.schema import COLUMNS, CUSTOMER_SCHEMA
from tests.test_records import as_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Run, Tap

LOGGER = logging.getLogger("test")

SAMPLE = {"custom_attributes_sample_size": 50}

TIME = {"type": ["string", "null"], "format": "date-time"}
TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
BOOLEAN = {"type": ["boolean", "null"]}
ARRAY = {"type": ["array", "null"]}
OBJECT = {"type": ["object", "null"]}

ODD_KEYS = (
    "Средняя стоимость привлечения одного нового клиента в рублях за прошлый квартал",
    "CAC",
    "cac",
    "__proto__",
    "",
    "id",
    'in "quotes"',
    "it's",
    "`ticks`",
    "two\nlines",
    'attributes.custom["id"]',
    "\\",
    "\u2028",
)


def customers(*custom: dict[str, Any]) -> list[dict[str, Any]]:
    """Generate a customer for each object of custom attributes."""
    generated = generate_customers(len(custom), seed=4)
    for customer, values in zip(generated, custom, strict=True):
        customer["attributes"] = {"tags": [], "stripe": {}, "custom": values}
    return generated


@pytest.fixture
def account(
    tap_on: Callable[[Sandbox], Tap],
) -> Iterator[Callable[..., Tap]]:
    """Return the tap on an account whose customers have these custom attributes."""
    running: list[Sandbox] = []

    def start(*custom: dict[str, Any]) -> Tap:
        sandbox = Sandbox(customers(*custom), rate_limit=None)
        running.append(sandbox)
        return tap_on(sandbox.__enter__())

    yield start
    for sandbox in running:
        sandbox.__exit__(None, None, None)


def catalog(tap: Tap, **settings: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        tap.output("--discover", **{**SAMPLE, **settings})
    )
    return found


def columns(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns of custom attributes, without their descriptions."""
    return {
        name: {word: value for word, value in schema.items() if word != "description"}
        for name, schema in catalog["streams"][0]["schema"]["properties"].items()
        if name.startswith(("custom_", "stripe_"))
    }


def change(tap: Tap, custom: object) -> None:
    """Give every customer these custom attributes."""
    for customer in tap.sandbox.customers:
        attributes = {**customer["attributes"], "custom": custom}
        tap.sandbox.put({**customer, "attributes": attributes})


def records(run: Run) -> list[dict[str, Any]]:
    assert run.code == 0, run.log
    return sorted(run.records, key=lambda record: record["id"])


def custom(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record's columns of custom attributes."""
    return {
        name.removeprefix("custom_"): value
        for name, value in record.items()
        if name.startswith("custom_")
    }


def discovered(*attributes: object) -> dict[str, Any]:
    """Return the schema that discovery makes of customers with these attributes."""
    sample = [{"attributes": as_sent(each)} for each in attributes]
    return with_custom_columns(CUSTOMER_SCHEMA, sample, LOGGER)


def filled(columns: CustomColumns, attributes: object) -> dict[str, Any]:
    """Return what a customer with these attributes has in these columns."""
    record: dict[str, Any] = {}
    columns.fill(record, as_sent(attributes))
    return custom(record)


def read(*values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of customers with these custom attributes."""
    columns = CustomColumns(discovered(*({"custom": each} for each in values)), LOGGER)
    return [filled(columns, {"custom": each}) for each in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], INTEGER),
        ([1, None], INTEGER),
        ([2**63 - 1, -(2**63)], INTEGER),
        ([1, 2**63], NUMBER),
        ([1, -(2**63) - 1], NUMBER),
        ([1, Decimal("2.5")], NUMBER),
        ([1, Decimal("2.0")], NUMBER),
        ([Decimal("0.1")], NUMBER),
        ([True, False], BOOLEAN),
        (["a", "b"], TEXT),
        (["2023-09-08 00:00:00", "2023-09-08T12:00:00+02:00"], TIME),
        (["2023-09-08", "2023-09-08T12:00:00.5Z", None], TIME),
        (["2023-09-08 00:00:00", "soon"], TEXT),
        (["2023-09-08 00:00:00", ""], TEXT),
        (["2023-09-08 00:00:00", "0000-00-00 00:00:00"], TEXT),
        (["4821-13-77"], TEXT),
        (["0000-00-00"], TEXT),
        (["2023-09-08T25:61:61"], TEXT),
        (["0001-01-01T00:00:00+14:00"], TEXT),
        (["20230908", "2023"], TEXT),
        ([1, "1"], TEXT),
        ([1, True], TEXT),
        (["2023-09-08", 5], TEXT),
        ([None], TEXT),
        ([["a"], []], ARRAY),
        ([{"a": 1}], OBJECT),
        ([{"a": 1}, "a"], TEXT),
        ([{"a": 1}, ["a"]], TEXT),
    ],
)
@pytest.mark.parametrize("group", ["custom", "stripe"])
def test_discovery_types_a_column_by_every_value_of_the_sample(
    group: str, values: list[Any], expected: dict[str, Any]
) -> None:
    found = discovered(*({group: {"key": value}} for value in values))
    description = f'attributes.{group}["key"]'
    assert found["properties"] == {
        **CUSTOMER_SCHEMA["properties"],
        f"{group}_key": {**expected, "description": description},
    }


def test_nothing_else_changes_when_they_are_switched_on(
    account: Callable[..., Tap],
) -> None:
    tap = account({"a": 1, "b": {"c": "2023-09-08"}}, {"a": Decimal("4.10")})
    off, on = tap.run(), tap.run(**SAMPLE)
    before, after = (
        run.of_type("SCHEMA")[0]["schema"]["properties"] for run in (off, on)
    )
    assert list(before) == [column.name for column in COLUMNS]
    assert list(after) == [*before, "custom_a", "custom_b"]
    assert {name: after[name] for name in before} == before
    for old, new in zip(records(off), records(on), strict=True):
        assert {name: new[name] for name in old} == old
        assert new.keys() - old == {"custom_a", "custom_b"}


def test_discovery_reads_as_many_customers_as_it_is_told(
    account: Callable[..., Tap],
) -> None:
    tap = account(*({f"key {number}": number} for number in range(9)))
    found = catalog(tap, custom_attributes_sample_size=4, per_page=3)
    assert len(columns(found)) == 4
    assert len(tap.sandbox.requests) == 2


def test_discovery_reads_none_when_it_is_off(tap: Tap, sandbox: Sandbox) -> None:
    assert not columns(catalog(tap, custom_attributes_sample_size=0))
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


@pytest.mark.parametrize("size", [0, 50])
def test_a_catalog_is_used_as_it_is(account: Callable[..., Tap], size: int) -> None:
    tap = account({"key": 1}, {"key": 2})
    kept = catalog(tap)
    tap.sandbox.requests.clear()
    change(tap, {"key": 3, "later": 1})
    run = tap.run(catalog=kept, custom_attributes_sample_size=size)
    assert [custom(record) for record in records(run)] == [{"key": 3}, {"key": 3}]
    assert len(tap.sandbox.requests) == 1
    schema = kept["streams"][0]["schema"]
    assert run.messages[0]["schema"]["properties"] == schema["properties"]


def test_values_are_read_as_their_types() -> None:
    midnight = "2023-09-08T00:00:00+00:00"
    nothing = dict.fromkeys(["n", "x", "at", "b", "mixed"])
    assert read(
        {"n": 1, "x": 1, "at": "2023-09-08 00:00:00", "b": True, "mixed": 5},
        {"n": 2, "x": Decimal("0.10"), "at": "2023-09-08T02:00:00+02:00"},
        {"mixed": "five", "x": 12345678901234567890},
        {"mixed": {"a": [1, Decimal("0.1")]}},
    ) == [
        {"n": 1, "x": 1, "at": midnight, "b": True, "mixed": "5"},
        {**nothing, "n": 2, "x": Decimal("0.10"), "at": midnight},
        {**nothing, "mixed": "five", "x": 12345678901234567890},
        {**nothing, "mixed": '{"a":[1,0.1]}'},
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_no_double_holds_is_written_as_a_decimal(sign: int) -> None:
    values = ({"n": sign * 2**53}, {"n": sign * (2**53 + 1)}, {"n": Decimal("0.5")})
    whole, beyond, _ = (record["n"] for record in read(*values))
    assert (whole, type(whole)) == (sign * 2**53, int)
    assert (beyond, type(beyond)) == (sign * (2**53 + 1), Decimal)


def test_a_value_of_another_type_becomes_null_with_one_warning_and_a_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    good = {"n": 1, "x": Decimal("0.5"), "at": "2023-09-08", "b": True}
    bad = {"n": "a secret", "x": "no", "at": "later", "b": 1}
    columns = CustomColumns(discovered({"custom": good}), LOGGER)
    first = filled(columns, {"custom": {**good, "n": Decimal("2.5")}})
    assert first == {**good, "n": None, "at": "2023-09-08T00:00:00+00:00"}
    for _ in range(2):
        assert filled(columns, {"custom": bad}) == dict.fromkeys(bad)
    columns.report()
    assert caplog.messages == [
        *(
            "A value does not fit the type that discovery found for "
            f"`custom_{name}` and becomes null there; `attributes` has it"
            for name in ("n", "at", "b", "x")
        ),
        "Values that became null in `custom_n`: 3",
        "Values that became null in `custom_at`: 2",
        "Values that became null in `custom_b`: 2",
        "Values that became null in `custom_x`: 2",
    ]


def test_values_that_do_not_fit_are_counted_at_the_end_of_a_run(
    account: Callable[..., Tap],
) -> None:
    tap = account({"n": 1}, {"n": 1})
    kept = catalog(tap)
    change(tap, {"n": "a secret"})
    run = tap.run(catalog=kept)
    assert [custom(record) for record in records(run)] == [{"n": None}] * 2
    assert run.records[0]["attributes"]["custom"] == {"n": "a secret"}
    assert "Values that became null in `custom_n`: 2" in run.warnings[-1]
    assert "a secret" not in run.log


def test_a_whole_number_fits_an_integer_however_it_is_written() -> None:
    columns = CustomColumns(discovered({"custom": {"n": 1}}), LOGGER)
    assert filled(columns, {"custom": {"n": Decimal("4100.0")}}) == {"n": 4100}


@pytest.mark.parametrize(
    "attributes", [None, "none", [], {}, {"custom": None}, {"custom": []}]
)
def test_a_customer_without_custom_attributes_has_nulls(attributes: object) -> None:
    found = discovered(attributes, {"custom": {"key": 1}})
    assert list(found["properties"])[len(COLUMNS) :] == ["custom_key"]
    assert found["properties"]["custom_key"]["type"] == INTEGER["type"]
    assert filled(CustomColumns(found, LOGGER), attributes) == {"key": None}


def test_lists_objects_and_nulls_fit_their_types() -> None:
    sent = {"list": [1, "a"], "object": {"a": 1}, "n": 1}
    others = {"list": None, "object": None, "n": None}
    assert read(sent, others) == [sent, others]


def test_lists_and_objects_take_nothing_else() -> None:
    found = discovered({"custom": {"list": [1], "object": {"a": 1}}})
    swapped = {"list": {"a": 1}, "object": [1]}
    columns = CustomColumns(found, LOGGER)
    assert filled(columns, {"custom": swapped}) == dict.fromkeys(swapped)


def test_any_key_becomes_a_column_that_knows_its_key(
    account: Callable[..., Tap],
) -> None:
    tap = account({key: number for number, key in enumerate(ODD_KEYS)})
    found = catalog(tap)
    assert len({name.casefold() for name in columns(found)}) == len(ODD_KEYS)
    (record,) = records(tap.run(catalog=found))
    described = {
        schema["description"]: record[name]
        for name, schema in found["streams"][0]["schema"]["properties"].items()
        if name.startswith("custom_")
    }
    assert described == {
        f"attributes.custom[{json.dumps(key, ensure_ascii=False)}]": number
        for number, key in enumerate(ODD_KEYS)
    }


def test_a_key_that_cannot_be_stored_is_named_as_the_attributes_have_it(
    account: Callable[..., Tap],
) -> None:
    tap = account({"a\0b": 1})
    (record,) = records(run := tap.run(**SAMPLE))
    column = run.messages[0]["schema"]["properties"]["custom_a_b"]
    assert column["description"] == 'attributes.custom["a\ufffdb"]'
    assert record["attributes"]["custom"] == {"a\ufffdb": 1}
    assert custom(record) == {"a_b": 1}


def test_a_name_is_the_same_whatever_other_keys_there_are(
    account: Callable[..., Tap],
) -> None:
    tap = account(dict.fromkeys(ODD_KEYS, 1))
    before = columns(catalog(tap))
    change(tap, {**dict.fromkeys(ODD_KEYS, 1), "utmCampaign": "a"})
    assert columns(catalog(tap)) == {**before, "custom_utm_campaign": TEXT}


@pytest.mark.parametrize("depth", [1, 2])
def test_flattening_keeps_the_columns(account: Callable[..., Tap], depth: int) -> None:
    long = "a" * 80
    values = {"CAC": 213, "list": [1], "object": {"a": 1}, "empty": {}, long: True}
    tap = account(values)
    run = tap.run(
        flattening_enabled=True,
        flattening_max_depth=depth,
        flattening_max_key_length=63,
        **SAMPLE,
    )
    (record,) = records(run)
    properties = run.messages[0]["schema"]["properties"]
    found = {name: value for name, value in properties.items() if "custom_" in name}
    assert set(found) == set(columns(catalog(tap)))
    assert found["custom_cac"]["type"] == ["integer", "null"]
    assert record["custom_cac"] == 213
    assert json.loads(record["custom_list"]) == [1]
    assert json.loads(record["custom_object"]) == {"a": 1}
    assert record["custom_empty"] == "{}"


def test_a_column_can_be_deselected(account: Callable[..., Tap]) -> None:
    tap = account({"keep": 1, "drop": 2})
    kept = catalog(tap)
    for entry in kept["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = "custom_drop" not in entry["breadcrumb"]
    run = tap.run(catalog=kept)
    (record,) = records(run)
    assert custom(record) == {"keep": 1}
    assert record["attributes"]["custom"] == {"keep": 1, "drop": 2}
    assert "custom_drop" not in run.messages[0]["schema"]["properties"]


def test_columns_stay_when_the_attributes_are_deselected(
    account: Callable[..., Tap],
) -> None:
    tap = account({"key": 1})
    kept = catalog(tap)
    for entry in kept["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = "attributes" not in entry["breadcrumb"]
    (record,) = records(tap.run(catalog=kept))
    assert custom(record) == {"key": 1}
    assert "attributes" not in record


def test_columns_stay_when_a_catalog_has_no_attributes(
    account: Callable[..., Tap],
) -> None:
    tap = account({"key": 1})
    kept = catalog(tap)
    del kept["streams"][0]["schema"]["properties"]["attributes"]
    (record,) = records(tap.run(catalog=kept))
    assert custom(record) == {"key": 1}


def test_a_stream_map_takes_columns_and_attributes(
    account: Callable[..., Tap],
) -> None:
    tap = account({"CAC": 213, "plan": "gold"})
    maps = {
        "customers": {
            "cost": "int(custom_cac)",
            "plan": "attributes['custom']['plan']",
            "custom_plan": None,
        }
    }
    run = tap.run(stream_maps=maps, **SAMPLE)
    (record,) = records(run)
    assert (record["cost"], record["plan"]) == (213, "gold")
    assert custom(record) == {"cac": 213}
    assert run.messages[0]["schema"]["properties"]["cost"]["type"] == [
        "integer",
        "null",
    ]


def test_a_type_set_by_hand_decides(account: Callable[..., Tap]) -> None:
    tap = account({"plan": 5, "rare": "2023-09-08"})
    kept = catalog(tap, custom_attributes_sample_size=0)
    kept["streams"][0]["schema"]["properties"] |= {
        "custom_plan": {**TEXT, "description": 'attributes.custom["plan"]'},
        "custom_rare": {
            "type": "string",
            "format": "date-time",
            "description": 'attributes.custom["rare"]',
        },
    }
    (record,) = records(tap.run(catalog=kept))
    assert custom(record) == {"plan": "5", "rare": "2023-09-08T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ({"type": "integer"}, 5),
        ({"type": ["null", "integer"]}, 5),
        ({"type": ["integer", "null"], "format": "int64"}, "5"),
        ({"type": ["integer", "string", "null"]}, "5"),
        ({"type": ["string", "null"], "format": "uri"}, "5"),
        ({"type": ["null"]}, "5"),
        ({"type": []}, "5"),
        ({}, "5"),
    ],
)
def test_a_type_that_discovery_gives_to_no_column_is_taken_for_text(
    column: dict[str, Any], value: object
) -> None:
    described = {**column, "description": 'attributes.custom["n"]'}
    schema = {"properties": {"custom_n": described}}
    assert filled(CustomColumns(schema, LOGGER), {"custom": {"n": 5}}) == {"n": value}


@pytest.mark.parametrize("description", [None, "My plan", 'attributes.custom["a"b"]'])
def test_a_column_whose_key_no_description_names_stays_empty_with_a_warning(
    account: Callable[..., Tap], description: str | None
) -> None:
    tap = account({"plan": 5})
    kept = catalog(tap)
    column = kept["streams"][0]["schema"]["properties"]["custom_plan"]
    column["description"] = description
    run = tap.run(catalog=kept)
    assert run.code == 0
    assert not run.records[0].get("custom_plan")
    (warning,) = run.warnings
    assert "`custom_plan`" in warning
