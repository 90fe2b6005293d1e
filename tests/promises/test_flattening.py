"""Flattened records: each has every column of the schema, and no other."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import API_KEY, Sandbox, faults, generate_customers
from tap_chartmogul_customers.api.body import DEPTH
from tap_chartmogul_customers.records.values import limit_depth
from tap_chartmogul_customers.streams import CustomersStream
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.test_records import as_sent, json_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Tap

encode = msgspec.json.Encoder(decimal_format="number").encode


def flat(depth: int) -> dict[str, Any]:
    return {"flattening_enabled": True, "flattening_max_depth": depth}


def change(sandbox: Sandbox, *changes: dict[str, Any]) -> None:
    for customer, changed in zip(sandbox.customers, changes, strict=False):
        sandbox.put({**customer, **changed})


def objects(*names: str) -> st.SearchStrategy[Any]:
    """Return objects with these keys, or others, or what is no object at all."""
    keys = st.sampled_from(names) | st.text()
    return st.dictionaries(keys, json_values) | json_values


def flat_tap(depth: int, catalog: Any = None) -> TapChartMogulCustomers:
    """Return the tap with flattening, without a service."""
    config = {"api_key": API_KEY, "api_url": "http://127.0.0.1:1/v1"}
    return TapChartMogulCustomers(config={**config, **flat(depth)}, catalog=catalog)


def flat_stream(depth: int, catalog: Any = None) -> CustomersStream:
    stream = flat_tap(depth, catalog).streams["customers"]
    assert isinstance(stream, CustomersStream)
    return stream


@pytest.fixture(scope="module", params=[1, 2, 3])
def stream(request: pytest.FixtureRequest) -> CustomersStream:
    return flat_stream(request.param)


@given(
    attributes=objects("tags", "stripe", "clearbit", "custom"),
    address=objects("address_zip", "city"),
)
def test_whatever_a_customer_has_its_record_has_the_columns_of_the_schema(
    stream: CustomersStream, attributes: object, address: object
) -> None:
    (stream_map,) = stream.stream_maps
    sent = {"uuid": "cus_1", "attributes": attributes, "address": address}
    record = stream.post_process(as_sent(sent))
    (message,) = stream._generate_record_messages(record)  # noqa: SLF001 (no tap run)
    assert list(message.record) == list(stream_map.transformed_schema["properties"])
    written = json.loads(encode(message.record))
    jsonschema.validate(written, stream_map.transformed_schema)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_parent_that_is_null_leaves_its_columns_null(
    tap: Tap, sandbox: Sandbox, depth: int
) -> None:
    change(
        sandbox,
        {"attributes": None, "address": None},
        {"attributes": {"custom": {"a": {"b": 1}}}, "address": {"city": "Paris"}},
        {"attributes": [], "address": "Paris"},
        {"attributes": {}, "address": {}},
    )
    run = tap.run(**flat(depth))
    (schema,) = (message["schema"] for message in run.of_type("SCHEMA"))
    columns = list(schema["properties"])
    assert "attributes__custom" in columns
    assert "address__city" in columns
    assert all(list(record) == columns for record in run.records)
    parents = ("attributes", "address")
    for index in (0, 2, 3):
        record = run.records[index]
        assert {record[name] for name in columns if name.startswith(parents)} == {None}
    assert run.records[1]["attributes__custom"] == '{"a":{"b":1}}'
    assert run.records[1]["address__city"] == "Paris"


def test_names_of_columns_are_joined_by_the_separator(
    tap: Tap, sandbox: Sandbox
) -> None:
    change(
        sandbox,
        {"attributes": {"tags": ["a"], "new": 1}, "address": {"city": "Paris"}},
    )
    run = tap.run(flattening_separator="_of_", **flat(1))
    (schema,) = (message["schema"] for message in run.of_type("SCHEMA"))
    assert all(list(record) == list(schema["properties"]) for record in run.records)
    assert not any("__" in name for name in schema["properties"])
    assert run.records[0]["attributes_of_tags"] == '["a"]'
    assert run.records[0]["address_of_city"] == "Paris"
    assert "no column 'attributes_of_new'" in run.warnings[0]


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
    run = tap.run(**flat(1), **settings)
    assert run.code == 1
    (error,) = run.errors
    assert error.endswith(
        f"Duplicate column name produced in schema: {name}. Change "
        "`flattening_max_key_length`, `flattening_separator` or `stream_maps`"
    )
    assert not run.messages
    assert not tap.sandbox.requests


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_key_without_a_column_is_left_out_with_one_warning(
    tap: Tap, sandbox: Sandbox, depth: int
) -> None:
    added = {"attributes": {"tags": ["a"], "brand new": "a secret", "none": None}}
    change(sandbox, added, added)
    run = tap.run(**flat(depth))
    assert len({tuple(record) for record in run.records}) == 1
    assert run.records[0]["attributes__tags"] == '["a"]'
    (warning,) = run.warnings
    assert warning.endswith(
        "Flattened, the schema has no column 'attributes__brand new': "
        "its values are left out"
    )
    assert "a secret" not in run.log


def test_what_a_flat_column_of_text_holds_is_text(tap: Tap, sandbox: Sandbox) -> None:
    change(
        sandbox,
        {"attributes": {"tags": 5, "stripe": True, "custom": 1.5, "clearbit": "a"}},
    )
    record = tap.run(**flat(1)).records[0]
    names = [f"attributes__{name}" for name in ("tags", "stripe", "custom", "clearbit")]
    assert [record[name] for name in names] == ["5", "true", "1.5", "a"]
    assert type(record["mrr"]) is int


@pytest.mark.parametrize(
    ("types", "expected"), [(["string"], "5"), (["integer", "string", "null"], 5)]
)
def test_a_number_is_text_where_its_column_takes_text_alone(
    types: list[str], expected: object
) -> None:
    catalog = flat_tap(1).catalog_dict
    catalog["streams"][0]["schema"]["properties"]["mrr"] = {"type": types}
    stream = flat_stream(1, catalog)
    record = stream.post_process({"uuid": "cus_1", "mrr": 5})
    (message,) = stream._generate_record_messages(record)  # noqa: SLF001 (no tap run)
    assert message.record["mrr"] == expected


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
    run = tap.run(stream_maps=maps, **flat(1))
    assert run.code == 0, run.log
    schemas = {each["stream"]: each["schema"] for each in run.of_type("SCHEMA")}
    assert schemas.keys() == {"customers", "places"}
    for message in run.of_type("RECORD"):
        columns = schemas[message["stream"]]["properties"]
        assert list(message["record"]) == list(columns)
    assert "address__city" in schemas["places"]["properties"]


def test_records_that_are_not_flattened_keep_all_that_was_sent(
    tap: Tap, sandbox: Sandbox
) -> None:
    sent = {"tags": 5, "brand new": {"a": 1}}
    change(sandbox, {"attributes": sent})
    run = tap.run(stream_maps={"customers": {"half": "int(mrr / 2)"}})
    assert run.records[0]["attributes"] == sent
    assert run.warnings == []


@pytest.mark.parametrize("settings", [{}, flat(2)])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_no_depth_of_nesting_costs_a_customer(
    tap_on: Callable[[Sandbox], Tap],
    settings: dict[str, Any],
    opening: bytes,
    closing: bytes,
) -> None:
    depths = [50, 300, 400, 500, 900, *range(940, 1000, 5)]
    customers = generate_customers(len(depths), seed=1)
    pages = {}
    for number, depth in enumerate(depths, start=1):
        customer = {**customers[number - 1], "attributes": {"custom": "DEEP"}}
        more = {"has_more": depth != depths[-1], "cursor": f"page {number}"}
        body = encode({"entries": [customer], **more})
        deep = opening * depth + b"1" + closing * depth
        pages[number] = faults.body(body.replace(b'"DEEP"', deep))
    with Sandbox() as sandbox:
        sandbox.script(pages)
        run = tap_on(sandbox).run(max_retries=0, **settings)
    assert run.code == 0
    assert run.uuids == [customer["uuid"] for customer in customers]


def test_what_the_sdk_cannot_flatten_becomes_text_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = flat_stream(2)
    for uuid in ("cus_1", "cus_2"):
        deep: Any = {}
        for _ in range(900):
            deep = {"a": deep}
        record = {"uuid": uuid, "attributes": {"custom": deep}}
        (message,) = stream._generate_record_messages(record)  # noqa: SLF001 (no tap run)
        custom = message.record["attributes__custom"]
        levels = 0
        value = json.loads(custom)
        while isinstance(value, dict):
            value = value["a"]
            levels += 1
        assert value == '{"a":' * (900 - levels) + "{}" + "}" * (900 - levels)
        assert levels == DEPTH - 2
    (warning,) = caplog.messages
    assert warning == "Customer 'cus_1': what is nested a hundred deep becomes text"


def test_limits_depth_exactly() -> None:
    value = {"a": [1, {"b": [Decimal("0.10")]}, []], "c": 2}
    limit_depth(value, 3)
    assert value == {"a": [1, {"b": "[0.10]"}, []], "c": 2}
