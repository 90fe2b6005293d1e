"""How values of the API become those of a record, whatever they are."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.singerlib import SelectionMask

from sandbox import generate_customers
from tap_chartmogul_customers.api.decoder import LooseCustomer
from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.records.columns import COLUMNS, CUSTOMER_SCHEMA
from tap_chartmogul_customers.records.record import RecordReader
from tests.customers import as_sent, decoded, encode, json_values, record_of

NAMES = [column.name for column in COLUMNS]
FIELDS = [column.field for column in COLUMNS]
UUID = "cus_00000000-0000-0000-0000-000000000000"


def reader(*deselected: str, **by_hand: dict[str, Any]) -> RecordReader:
    """Return a reader by a catalog without some keys and with some columns by hand."""
    mask = SelectionMask(
        {
            tuple(f"properties.{key.replace('.', '.properties.')}".split(".")): False
            for key in deselected
        }
    )
    properties = {**CUSTOMER_SCHEMA["properties"], **by_hand}
    schema = {**CUSTOMER_SCHEMA, "properties": properties}
    return RecordReader(schema, mask, logging.getLogger("test"))


def read(customer: dict[str, Any], **by_hand: dict[str, Any]) -> dict[str, Any]:
    return record_of(reader(**by_hand), {"uuid": UUID, **customer})


def exactly(value: object) -> tuple[str, str]:
    """Return what tells 1 from true and from 1.0."""
    return type(value).__name__, encode(value).decode()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2016-01-01T12:00:00+00:00", "2016-01-01T12:00:00+00:00"),
        ("2023-06-09T13:16:00-04:00", "2023-06-09T17:16:00+00:00"),
        ("2015-11-07T01:20:00.123456Z", "2015-11-07T01:20:00.123456+00:00"),
        ("2015-11-07T01:20:00.5Z", "2015-11-07T01:20:00.500000+00:00"),
        ("2015-11-07T01:20:00", "2015-11-07T01:20:00+00:00"),
        ("2023-09-08 00:00:00", "2023-09-08T00:00:00+00:00"),
        ("2023-09-08", "2023-09-08T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_is_in_utc_to_the_microsecond(sent: str, expected: str) -> None:
    for column in COLUMNS:
        if column.kind == "timestamp":
            assert read({column.field: sent})[column.name] == expected


@pytest.mark.parametrize(
    "sent",
    [
        *("", "now", "12:00", "P1D", "0000-00-00", "2023-02-30", "2023-W60-1"),
        *("2023-01-01/2023-02-01", "0001-01-01T00:00:00+14:00", 5, True, ["2023"]),
    ],
)
def test_what_is_no_time_becomes_null_with_a_warning(
    sent: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert read({"lead_created_at": sent})["lead_created_at"] is None
    assert read({"lead_created_at": "x" * 99})["lead_created_at"] is None
    warning, shortened = caplog.messages
    assert shortened.endswith("x…")
    assert warning == (
        f"Customer {UUID!r}: `lead_created_at` becomes null: it cannot be read as a "
        f"time: {encode(sent).decode()}"
    )


@given(
    st.lists(
        st.sampled_from(["2023-01-01", "10:30", "12", ":", "/", "T", "P1D", "W1", "Z"]),
        max_size=3,
    )
)
def test_whatever_looks_like_a_time_is_one_or_null(pieces: list[str]) -> None:
    got = read({"customer-since": "".join(pieces)})["customer_since"]
    assert got is None or got.endswith("+00:00")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (4100, 4100),
        (Decimal("4100.0"), 4100),
        (Decimal("4.1E+3"), 4100),
        (Decimal("-0.0"), 0),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, None),
        (Decimal("4100.5"), None),
        (Decimal("1E+999999999"), None),
        ("4100", None),
        (True, None),
        ([4100], None),
    ],
)
def test_a_whole_number_is_an_integer_and_nothing_else_is(
    sent: object, expected: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert exactly(read({"mrr": as_sent(sent)})["mrr"]) == exactly(expected)
    assert len(caplog.messages) == (expected is None)


def test_text_that_is_no_text_becomes_json() -> None:
    assert read({"name": Decimal("1.10")})["name"] == "1.10"
    assert read({"name": {"first": "Ada"}})["name"] == '{"first":"Ada"}'
    assert read({"name": ""})["name"] == ""


def test_an_address_holds_texts() -> None:
    sent = {"city": "Paris", "state": None, "address_zip": 75001, "new": ["FR", 1.5]}
    texts = {**sent, "address_zip": "75001", "new": '["FR",1.5]'}
    assert read({"address": sent})["address"] == texts


@pytest.mark.parametrize(
    ("key", "sent", "expected"),
    [
        (
            "tags",
            ["a", None, 5, {"a": Decimal("0.10")}],
            ["a", None, "5", '{"a":0.10}'],
        ),
        ("tags", [], []),
        ("tags", "a", None),
        ("tags", {}, None),
        *((key, [], {}) for key in ("stripe", "clearbit", "custom")),
        ("stripe", "a", None),
        ("stripe", [1], None),
        ("new", 5, 5),
        ("new", [], []),
    ],
)
def test_the_keys_of_attributes_keep_to_their_types(
    key: str, sent: object, expected: object, caplog: pytest.LogCaptureFixture
) -> None:
    read_ = reader()
    for _ in range(2):
        record = record_of(read_, {"uuid": UUID, "attributes": {key: sent, "other": 1}})
        assert record["attributes"] == {key: expected, "other": 1}
    read_.report()
    became_null = f"Customer {UUID!r}: `attributes.{key}` becomes null: it does not fit"
    expected_log = [
        f"{became_null} the type of its column",
        f"Values that became null in `attributes.{key}`: 2",
    ]
    assert caplog.messages == (expected_log if expected is None else [])


@pytest.mark.parametrize("column", ["attributes", "address"])
def test_an_object_that_is_an_empty_list_is_empty_and_any_other_list_null(
    column: str,
) -> None:
    assert read({column: []})[column] == {}
    assert read({column: ["a"]})[column] is None


@given(st.dictionaries(st.text(), json_values), json_values)
def test_what_is_inside_attributes_comes_through_as_it_was(
    custom: object, value: object
) -> None:
    sent = as_sent({"custom": custom, "unknown key": value})
    assert read({"attributes": sent})["attributes"] == as_sent(sent)


@given(
    st.dictionaries(
        st.sampled_from([field for field in FIELDS if field != "uuid"]) | st.text(),
        json_values
        | st.dictionaries(st.sampled_from(["tags", "stripe", "city"]), json_values),
    )
)
def test_no_value_in_any_field_loses_a_customer(customer: dict[str, Any]) -> None:
    customer.pop("uuid", None)
    record = read(as_sent(customer))
    assert record["uuid"] == UUID
    assert list(record) == NAMES
    jsonschema.validate(json.loads(encode(record)), CUSTOMER_SCHEMA)


BY_HAND: dict[str, dict[str, Any]] = {
    "id": {"type": "string"},
    "mrr": {"type": ["null", "number"]},
    "name": {"type": "boolean"},
    "customer_since": {"type": "string"},
    "external_ids": {"type": "array", "items": {"type": "integer"}},
    "data_source_uuids": {"type": "array"},
    "address": {"type": "object"},
    "attributes": {"type": ["string", "object"]},
    "custom_pro": {"type": "boolean", "description": 'attributes.custom["pro"]'},
    "a b": {"type": "string"},
}


@pytest.mark.parametrize("by_hand", [{}, BY_HAND])
@given(changes=st.dictionaries(st.sampled_from([*FIELDS, "a b"]), json_values))
def test_a_value_of_another_type_changes_no_other_record(
    by_hand: dict[str, Any], changes: dict[str, Any]
) -> None:
    odd, plain = generate_customers(2, seed=3)
    odd |= {**changes, "uuid": UUID}

    def records(*customers: dict[str, Any], by: RecordReader, strict: bool) -> bytes:
        read_ = decoded(*customers, decoder=by.decoder if strict else None)
        return encode([by.read(customer) for customer in read_])

    loose = records(odd, plain, by=reader(**by_hand), strict=False)
    assert records(odd, plain, by=reader(**by_hand), strict=True) == loose
    alone = records(plain, by=reader(**by_hand), strict=True)
    assert loose.endswith(alone[1:])


def test_what_the_api_sends_is_read_without_a_second_look() -> None:
    customers = generate_customers(100, seed=3)
    read_ = decoded(*customers, decoder=reader().decoder)
    assert not any(isinstance(each, LooseCustomer) for each in read_)


def test_a_field_that_is_unknown_costs_a_second_look_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    by, plain = reader(), read({})
    customer = {"uuid": UUID, "brand_new": 5}
    for number in range(3):
        (each,) = decoded(customer, decoder=by.decoder)
        assert isinstance(each, LooseCustomer) is (number == 0)
        assert encode(by.read(each)) == encode(plain)
    (warning,) = caplog.messages
    assert warning.startswith("Field 'brand_new' of the API is unknown")


@example("")
@given(json_values.filter(lambda uuid: not isinstance(uuid, str)))
def test_a_customer_without_a_uuid_is_an_error(uuid: object) -> None:
    with pytest.raises(PagingError, match="a customer without a `uuid`"):
        read({"uuid": uuid})


DATE_TIME = {"type": ["null", "string"], "format": "date-time"}


@pytest.mark.parametrize(
    ("types", "sent", "expected"),
    [
        ("number", Decimal("3000.5"), Decimal("3000.5")),
        ("number", 2**53, 2**53),
        ("number", 2**53 + 1, Decimal(f"{2**53 + 1}.0")),
        *(("number", other, None) for other in ("5", True)),
        ("string", 25647, "25647"),
        ("boolean", False, False),
        *(("boolean", other, None) for other in (0, "false")),
        ("array", "a", None),
        ("object", 1, None),
        (["integer", "string"], "5", "5"),
        (["string", "integer"], Decimal("5.0"), 5),
        (["string", "integer"], Decimal("1.5"), "1.5"),
        (["string", "object", "null"], {"a": 1}, {"a": 1}),
        (["integer", "boolean"], "5", None),
        ([], {"a": 1}, {"a": 1}),
    ],
)
def test_a_column_is_read_as_the_type_that_the_catalog_has(
    types: object, sent: object, expected: object, caplog: pytest.LogCaptureFixture
) -> None:
    record = read({"mrr": sent}, mrr={"type": types})
    assert exactly(record["mrr"]) == exactly(expected)
    assert bool(caplog.messages) == (expected is None)


@pytest.mark.parametrize(
    ("schema", "sent", "expected"),
    [
        (DATE_TIME, "2023-09-08 01:00:00+02:00", "2023-09-07T23:00:00+00:00"),
        ({**DATE_TIME, "format": "date"}, "2023-09-08 01:00:00+02:00", "2023-09-07"),
        ({**DATE_TIME, "type": ["integer", "string"]}, "soon", None),
        ({"type": "integer", "format": "int64"}, Decimal("5.0"), 5),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Decimal("5.0"), 5),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 5, 5),
        ({"type": "array", "items": {"type": "integer"}}, [1, "a"], None),
        (
            {
                "type": "array",
                "items": {"properties": {"at": DATE_TIME}, "type": "object"},
            },
            [{"at": "2023-09-08", "b": 1}, {"at": 5}],
            [{"at": "2023-09-08T00:00:00+00:00", "b": 1}, {"at": None}],
        ),
        (
            {"type": "object", "properties": {"n": {"type": "number"}}},
            {"n": "5", "other": "5"},
            {"n": None, "other": "5"},
        ),
        (
            {"type": "object", "properties": {"n": {}}, "additionalProperties": False},
            {"n": 1, "other": 5},
            {"n": 1},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"a": Decimal("1.0"), "b": "1"},
            {"a": 1, "b": None},
        ),
    ],
)
def test_formats_items_and_keys_that_the_catalog_has_are_read_too(
    schema: dict[str, Any], sent: object, expected: object
) -> None:
    assert exactly(read({"new": sent}, new=schema)["new"]) == exactly(expected)


def test_what_cannot_be_read_inside_an_object_is_named_by_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    custom = {"type": "object", "properties": {"at": DATE_TIME}}
    schema = {"type": "object", "properties": {"custom": custom}}
    record = read({"new": {"custom": {"at": "soon"}}}, new=schema)
    assert record["new"] == {"custom": {"at": None}}
    (warning,) = caplog.messages
    assert "`new.custom.at` becomes null: it cannot be read as a time" in warning


@pytest.mark.parametrize("types", ["string", ["string", "object"]])
def test_an_object_as_text_holds_what_is_selected_alone(types: object) -> None:
    schema = {**CUSTOMER_SCHEMA["properties"]["attributes"], "type": types}
    attributes = {"tags": ["a"], "custom": {"CAC": 1}, "hubspot": "x"}
    record = record_of(
        reader("attributes.custom", attributes=schema),
        {"uuid": UUID, "attributes": attributes},
    )
    text = '{"tags":["a"]}'
    assert record["attributes"] == (text if types == "string" else json.loads(text))


@pytest.mark.parametrize("description", ["My plan", 'attributes.custom["a"b"]'])
def test_a_column_that_nothing_fills_is_named_at_the_end(
    description: str, caplog: pytest.LogCaptureFixture
) -> None:
    read_ = reader(custom_plan={"type": "string", "description": description})
    attributes = {"custom": {"plan": 5}}
    record_of(read_, {"uuid": UUID, "attributes": attributes})
    read_.report()
    (warning,) = caplog.messages
    assert warning.startswith("Column `custom_plan` of the catalog stayed empty")
    record_of(read_, {"uuid": UUID, "custom_plan": "gold"})
    read_.report()
    assert len(caplog.messages) == 1


def test_the_type_of_a_custom_attribute_decides_and_no_log_shows_its_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = {"description": 'attributes.custom["at"]'}
    read_ = reader(
        custom_at={**DATE_TIME, **source},
        custom_at_as_text={"type": "string", **source},
    )
    for sent in ("2023-09-08", "a secret", None):
        attributes = {"custom": {"at": sent}}
        record = record_of(read_, {"uuid": UUID, "attributes": attributes})
        at = "2023-09-08T00:00:00+00:00" if sent == "2023-09-08" else None
        assert (record["custom_at"], record["custom_at_as_text"]) == (at, sent)
        assert record["attributes"] == attributes
    read_.report()
    warning, count = caplog.messages
    assert warning == (
        f"Customer {UUID!r}: `custom_at` becomes null: it does not fit the type of its "
        "column; `attributes` has it"
    )
    assert count == "Values that became null in `custom_at`: 1"
