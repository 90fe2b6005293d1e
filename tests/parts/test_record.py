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
ANYTHING: list[Any] = [5, True, "a", [], [1], {}, {"a": [1]}, Decimal("1.0")]


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


def test_every_record_holds_every_column() -> None:
    record = read({})
    assert list(record) == NAMES
    assert {name for name in NAMES if record[name] is not None} == {"uuid"}


def test_columns_are_the_documented_fields_in_snake_case() -> None:
    hyphenated = {column.field for column in COLUMNS if column.field != column.name}
    assert hyphenated >= {
        *("customer-since", "billing-system-url", "chartmogul-url"),
        *("billing-system-type", "currency-sign"),
    }
    assert {field.replace("-", "_") for field in FIELDS} == {*NAMES}
    record = read({field: field for field in FIELDS if field.endswith(("url", "type"))})
    assert record["billing_system_url"] == "billing-system-url"
    assert record["website_url"] == "website_url"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2016-01-01T12:00:00+00:00", "2016-01-01T12:00:00+00:00"),
        ("2023-06-09T13:16:00-04:00", "2023-06-09T17:16:00+00:00"),
        ("2015-11-07T01:20:00.000Z", "2015-11-07T01:20:00+00:00"),
        ("2015-11-07T01:20:00.123456Z", "2015-11-07T01:20:00.123456+00:00"),
        ("2015-11-07T01:20:00.5Z", "2015-11-07T01:20:00.500000+00:00"),
        ("2015-11-07T01:20:00", "2015-11-07T01:20:00+00:00"),
        ("2023-09-08 00:00:00", "2023-09-08T00:00:00+00:00"),
        ("2023-09-08", "2023-09-08T00:00:00+00:00"),
        ("2023-12-31T23:59:59.999999+14:00", "2023-12-31T09:59:59.999999+00:00"),
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
        *("", "soon", "now", "12:00", "P1D", "10:", "10:30/P1D", "0000-00-00"),
        *("2023-02-30", "2023-13-01T00:00:00Z", "2023-01-01/2023-02-01", "2023-W60-1"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"),
        *(5, True, ["2023"], {}, Decimal("1.5")),
    ],
)
def test_what_is_no_time_becomes_null_with_a_warning(
    sent: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert read({"lead_created_at": sent})["lead_created_at"] is None
    (warning,) = caplog.messages
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


@pytest.mark.parametrize(("length", "shown"), [(98, f'{"x" * 98}"'), (99, "x…")])
def test_a_warning_shows_no_more_than_the_start_of_a_long_text(
    caplog: pytest.LogCaptureFixture, length: int, shown: str
) -> None:
    read({"lead_created_at": "x" * length})
    assert caplog.messages[0].endswith(shown)


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
@pytest.mark.parametrize("column", ["mrr", "id"])
def test_a_whole_number_is_an_integer_and_nothing_else_is(
    column: str, sent: object, expected: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert exactly(read({column: as_sent(sent)})[column]) == exactly(expected)
    assert len(caplog.messages) == (expected is None)
    assert all(UUID in message and column in message for message in caplog.messages)


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
        *(("tags", other, None) for other in ("a", 5, {}, {"a": 1}, True)),
        *((key, {"a": {"b": [1]}}, {"a": {"b": [1]}}) for key in ("stripe", "custom")),
        *((key, [], {}) for key in ("stripe", "clearbit", "custom")),
        *((key, [1], None) for key in ("stripe", "clearbit", "custom")),
        *(("stripe", other, None) for other in ("a", 5)),
        *(("new", other, other) for other in ANYTHING),
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
        *(("number", other, None) for other in ("5", True, [5])),
        ("string", 25647, "25647"),
        ("string", {"a": Decimal("0.10")}, '{"a":0.10}'),
        ("boolean", False, False),
        *(("boolean", other, None) for other in (0, "false")),
        ("array", "a", None),
        ("object", 1, None),
        (["integer", "string"], 5, 5),
        (["integer", "string"], "5", "5"),
        (["string", "integer"], Decimal("5.0"), 5),
        (["string", "integer"], Decimal("1.5"), "1.5"),
        (["string", "object", "null"], {"a": 1}, {"a": 1}),
        (["integer", "boolean"], "5", None),
        ([], {"a": 1}, {"a": 1}),
        (["null"], "5", "5"),
        ("unheard of", "5", "5"),
    ],
)
@pytest.mark.parametrize("column", ["mrr", "brand_new"])
def test_a_column_is_read_as_the_type_that_the_catalog_has(
    column: str,
    types: object,
    sent: object,
    expected: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    record = read({column: sent}, **{column: {"type": types}})
    assert exactly(record[column]) == exactly(expected)
    assert bool(caplog.messages) == (expected is None)


@pytest.mark.parametrize(
    ("schema", "sent", "expected"),
    [
        (DATE_TIME, "2023-09-08 01:00:00+02:00", "2023-09-07T23:00:00+00:00"),
        ({**DATE_TIME, "format": "date"}, "2023-09-08 01:00:00+02:00", "2023-09-07"),
        ({**DATE_TIME, "format": "uri"}, 5, "5"),
        ({**DATE_TIME, "type": ["integer", "string"]}, 5, 5),
        ({**DATE_TIME, "type": ["integer", "string"]}, "soon", None),
        ({"type": "integer", "format": "int64"}, Decimal("5.0"), 5),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Decimal("5.0"), 5),
        ({"anyOf": [{"type": "integer"}, {"type": ["null"]}]}, "5", None),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 5, 5),
        ({"oneOf": [DATE_TIME, {"type": "boolean"}]}, True, True),
        (
            {"type": "array", "items": {"type": "integer"}},
            [Decimal("5.0"), None],
            [5, None],
        ),
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


@pytest.mark.parametrize("column", ["attributes", "brand_new"])
def test_what_cannot_be_read_inside_an_object_is_named_by_its_place(
    column: str, caplog: pytest.LogCaptureFixture
) -> None:
    custom = {"type": "object", "properties": {"at": DATE_TIME}}
    schema = {"type": "object", "properties": {"custom": custom}}
    record = read({column: {"custom": {"at": "soon"}}}, **{column: schema})
    assert record[column] == {"custom": {"at": None}}
    (warning,) = caplog.messages
    assert warning == (
        f"Customer {UUID!r}: `{column}.custom.at` becomes null: it cannot be read as a "
        'time: "soon"'
    )


ATTRIBUTES = {"tags": ["a"], "stripe": {"id": 1}, "custom": {"CAC": 1}, "hubspot": "x"}


@pytest.mark.parametrize("types", [["null", "object"], "string", ["string", "object"]])
@pytest.mark.parametrize(
    ("deselected", "left"),
    [
        ([], [*ATTRIBUTES]),
        (["attributes.clearbit"], ["tags", "stripe", "custom"]),
        (["attributes.stripe", "attributes.custom"], ["tags"]),
        ([f"attributes.{key}" for key in ("tags", "stripe", "clearbit", "custom")], []),
    ],
)
def test_where_some_keys_are_selected_no_other_comes_through(
    deselected: list[str], left: list[str], types: object
) -> None:
    schema = {**CUSTOMER_SCHEMA["properties"]["attributes"], "type": types}
    read_ = reader(*deselected, attributes=schema)
    record = record_of(read_, {"uuid": UUID, "attributes": ATTRIBUTES})
    expected = {key: ATTRIBUTES[key] for key in left}
    assert record["attributes"] == (
        encode(expected).decode() if types == "string" else expected
    )


def test_a_column_that_is_not_selected_is_absent_and_its_field_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    read_ = reader("email", "brand_new", brand_new={"type": "string"})
    record = record_of(read_, {"uuid": UUID, "email": "a", "brand_new": "b"})
    read_.report()
    assert list(record) == [name for name in NAMES if name != "email"]
    assert not caplog.messages


@pytest.mark.parametrize("name", ["brand_new", "custom_plan", "customer-since"])
@pytest.mark.parametrize("description", [None, "My plan", 'attributes.custom["a"b"]'])
def test_a_column_that_nothing_fills_is_named_at_the_end(
    name: str, description: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    read_ = reader(**{name: {"type": "string", "description": description}})
    attributes = {"custom": {"plan": 5}}
    assert record_of(read_, {"uuid": UUID, "attributes": attributes})[name] is None
    read_.report()
    (warning,) = caplog.messages
    assert warning.startswith(f"Column `{name}` of the catalog stayed empty")
    caplog.clear()
    assert record_of(read_, {"uuid": UUID, name: "2023-09-08"})[name] == "2023-09-08"
    read_.report()
    assert not caplog.messages


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


@pytest.mark.parametrize(
    "attributes",
    [None, "none", [], {}, {"custom": None}, {"custom": []}, {"custom": 1}],
)
def test_a_customer_without_custom_attributes_has_nulls(attributes: object) -> None:
    schema = {"type": "integer", "description": 'attributes.custom["key"]'}
    assert read({"attributes": attributes}, custom_key=schema)["custom_key"] is None
