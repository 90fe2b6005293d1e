from __future__ import annotations

import itertools
import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.pagination import decode_page
from tap_chartmogul_customers.records import values
from tap_chartmogul_customers.records.reader import RecordReader
from tap_chartmogul_customers.records.schema import COLUMNS, CUSTOMER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Tap

NAMES = [column.name for column in COLUMNS]
FIELDS = [column.field for column in COLUMNS]
UUID = "cus_00000000-0000-0000-0000-000000000000"

decimals = st.decimals(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | decimals | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(customer: dict[str, Any]) -> dict[str, Any]:
    reader = RecordReader(CUSTOMER_SCHEMA, logging.getLogger("test"))
    return reader.read({"uuid": UUID, **customer})


def as_sent(value: object) -> Any:
    """Put a value through the JSON of a page, as the API would send it."""
    body = {"entries": [{"value": value}], "has_more": False}
    encoded = msgspec.json.Encoder(decimal_format="number").encode(body)
    return decode_page(encoded).entries[0]["value"]


def test_every_record_holds_every_column() -> None:
    record = read({})
    assert list(record) == NAMES
    assert {name for name in NAMES if record[name] is not None} == {"uuid"}


def test_columns_are_the_documented_fields_in_snake_case() -> None:
    hyphenated = {column.field for column in COLUMNS if column.field != column.name}
    assert hyphenated == {
        "customer-since",
        "billing-system-url",
        "chartmogul-url",
        "billing-system-type",
        "currency-sign",
    }
    assert all(column.name == column.field.replace("-", "_") for column in COLUMNS)


def test_every_column_has_a_type_and_a_description() -> None:
    for name, schema in CUSTOMER_SCHEMA["properties"].items():
        assert schema["description"], name
        assert ("null" in schema["type"]) == (name != "uuid")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2016-01-01T12:00:00+00:00", "2016-01-01T12:00:00+00:00"),
        ("2023-06-09T13:16:00-04:00", "2023-06-09T17:16:00+00:00"),
        ("2015-11-07T01:20:00.000Z", "2015-11-07T01:20:00+00:00"),
        ("2015-11-07T01:20:00.123456Z", "2015-11-07T01:20:00.123456+00:00"),
        ("2015-11-07T01:20:00", "2015-11-07T01:20:00+00:00"),
        ("2023-09-08 00:00:00", "2023-09-08T00:00:00+00:00"),
        ("2023-09-08", "2023-09-08T00:00:00+00:00"),
        ("2023-12-31T23:59:59.999999+14:00", "2023-12-31T09:59:59.999999+00:00"),
    ],
)
@pytest.mark.parametrize(
    "column", ["customer_since", "lead_created_at", "free_trial_started_at"]
)
def test_a_time_is_in_utc_to_the_microsecond(
    column: str, sent: str, expected: str
) -> None:
    field = "customer-since" if column == "customer_since" else column
    assert read({field: sent})[column] == expected


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "soon",
        "now",
        "12:00",
        "P1D",
        "2023-02-30",
        "2023-13-01T00:00:00Z",
        "2023-01-01/2023-02-01",
        "0001-01-01T00:00:00+14:00",
        "10:",
        "12:00/13:00",
        "2023-01-01/12:00",
        "10:30/P1D",
        "0000-00-00",
        "2023-01-01_10:30:00",
        5,
        True,
        ["2023"],
        {},
    ],
)
def test_what_is_no_time_becomes_null_with_a_warning(
    sent: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert read({"lead_created_at": sent})["lead_created_at"] is None
    (warning,) = caplog.messages
    assert UUID in warning
    assert "lead_created_at" in warning
    assert json.dumps(sent, separators=(",", ":")) in warning


PIECES = ["", "2023-01-01", "10:30", "12", ":", "/", "T", "P1D", "W1", "Z"]


def is_time_or_null(text: str) -> bool:
    got = read({"customer-since": text})["customer_since"]
    return got is None or datetime.fromisoformat(got).utcoffset() == timedelta(0)


def test_whatever_looks_like_a_time_is_one_or_null() -> None:
    for pieces in itertools.product(PIECES, repeat=3):
        assert is_time_or_null("".join(pieces)), pieces


@given(st.text())
def test_any_text_in_a_column_of_times_is_a_time_or_null(text: str) -> None:
    assert is_time_or_null(text)


def test_warns_once_for_each_column_and_counts_at_the_end(
    tap: Tap, sandbox: Sandbox
) -> None:
    for customer in sandbox.customers:
        customer |= {"lead_created_at": "soon", "mrr": "much"}
        sandbox.put(customer)
    first = sandbox.customers[0]["uuid"]
    run = tap.run(per_page=20)
    assert run.code == 0
    assert len(run.records) == 60
    why = 'it cannot be read as a time: "soon"'
    assert [line.split(" | ")[-1] for line in run.warnings] == [
        f"Customer {first!r}: `lead_created_at` becomes null: {why}",
        f"Customer {first!r}: `mrr` becomes null: it does not fit its column",
        "Values of `lead_created_at` that became null: 60",
        "Values of `mrr` that became null: 60",
    ]


@pytest.mark.parametrize(
    ("length", "shown"),
    [(98, f'"{"x" * 98}"'), (99, f'"{"x" * 99}…'), (10_000, f'"{"x" * 99}…')],
)
def test_a_warning_shows_no_more_than_the_start_of_a_long_text(
    caplog: pytest.LogCaptureFixture, length: int, shown: str
) -> None:
    read({"lead_created_at": "x" * length})
    (warning,) = caplog.messages
    assert warning.endswith(f": {shown}")


offsets = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(timezones=offsets) | st.datetimes())
def test_the_fast_way_to_read_a_time_agrees_with_pendulum(time: datetime) -> None:
    text = time.isoformat()
    slow: Any = pendulum.parse(text, exact=True)
    try:
        expected = slow.astimezone(UTC).isoformat()
    except OverflowError:
        with pytest.raises(values.UnreadableError):
            values.read_timestamp(text)
    else:
        assert values.read_timestamp(text) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (4100, 4100),
        (Decimal("4100.0"), 4100),
        (Decimal("4.1E+3"), 4100),
        (-5, -5),
        (Decimal("-0.0"), 0),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, None),
        (Decimal("9E+18"), 9 * 10**18),
        (Decimal("4100.5"), None),
        (Decimal("-4100.5"), None),
        (Decimal("1E+400"), None),
        (Decimal("1E+999999999"), None),
        ("4100", None),
        (True, None),
        ([4100], None),
    ],
)
@pytest.mark.parametrize("column", ["mrr", "arr", "id"])
def test_a_whole_number_is_an_integer_and_nothing_else_is(
    column: str, sent: object, expected: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    value = read({column: sent})[column]
    assert value == expected
    assert type(value) in {int, type(None)}
    assert len(caplog.messages) == (expected is None)
    assert all(UUID in message and column in message for message in caplog.messages)


@given(json_values)
def test_what_is_inside_attributes_comes_through_as_it_was(value: object) -> None:
    sent = as_sent({"custom": value, "unknown key": value})
    assert read({"attributes": sent})["attributes"] == as_sent(sent)


@pytest.mark.parametrize(
    "number", ["0.1", "1.10", "12345678901234567890", "-0.0", "1E+400", "1" * 40]
)
def test_numbers_keep_their_digits(
    tap_on: Callable[[Sandbox], Tap], number: str
) -> None:
    customer = generate_customers(1, seed=1)[0]
    body = msgspec.json.encode({"entries": [customer], "has_more": False})
    body = body.replace(b'"attributes":{', b'"attributes":{"n":%s,' % number.encode())
    with Sandbox() as sandbox:
        sandbox.script({1: faults.body(body)})
        tap = tap_on(sandbox)
        output = tap.output()
    assert f'"attributes":{{"n":{number},' in output


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (["a", None, 5], ["a", None, "5"]),
        ("a", ["a"]),
        ([], []),
        ({"a": 1}, ['{"a":1}']),
    ],
)
def test_lists_of_texts_hold_texts(sent: object, expected: list[str]) -> None:
    assert read({"external_ids": sent})["external_ids"] == expected


def test_an_address_holds_texts() -> None:
    sent = {"city": "Paris", "state": None, "address_zip": 75001, "country": ["FR"]}
    texts = {
        "city": "Paris",
        "state": None,
        "address_zip": "75001",
        "country": '["FR"]',
    }
    assert read({"address": sent})["address"] == texts


def test_text_that_is_no_text_becomes_json() -> None:
    assert read({"name": Decimal("1.10")})["name"] == "1.10"
    assert read({"name": {"first": "Ada"}})["name"] == '{"first":"Ada"}'
    assert read({"name": ""})["name"] == ""


@given(
    st.dictionaries(
        st.sampled_from([field for field in FIELDS if field != "uuid"]) | st.text(),
        json_values,
    )
)
def test_no_value_in_any_field_loses_a_customer(customer: dict[str, Any]) -> None:
    customer.pop("uuid", None)
    record = read(as_sent(customer))
    assert record["uuid"] == UUID
    assert list(record) == NAMES
    encoded = msgspec.json.Encoder(decimal_format="number").encode(record)
    jsonschema.validate(json.loads(encoded), CUSTOMER_SCHEMA)


@given(json_values.filter(lambda uuid: not isinstance(uuid, str) or not uuid))
def test_a_customer_without_a_uuid_is_an_error(uuid: object) -> None:
    with pytest.raises(PagingError, match="a customer without a `uuid`"):
        read({"uuid": uuid})


def test_an_unknown_field_is_left_out_with_one_warning(
    tap: Tap, sandbox: Sandbox
) -> None:
    for customer in sandbox.customers:
        sandbox.put({**customer, "brand_new": "a value", "newer": None})
    run = tap.run(per_page=20)
    assert run.code == 0
    assert len(run.records) == 60
    assert all(list(record) == NAMES for record in run.records)
    assert sorted(line.split("Field ")[1] for line in run.warnings) == [
        "'brand_new' of the API is unknown to this version and left out",
        "'newer' of the API is unknown to this version and left out",
    ]
    assert "a value" not in run.log


def test_records_are_the_customers_field_by_field(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run()
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        for column in COLUMNS:
            sent, got = customer.get(column.field), record[column.name]
            if column.kind == "timestamp" and sent:
                assert datetime.fromisoformat(got) == datetime.fromisoformat(sent)
                assert datetime.fromisoformat(got).utcoffset() == UTC.utcoffset(None)
            else:
                assert got == sent
