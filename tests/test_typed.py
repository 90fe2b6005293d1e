"""A page that is decoded straight into columns comes out as any other, to the byte."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox, generate_customers
from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.pagination import Page, decode_page
from tap_chartmogul_customers.records.reader import RecordReader
from tap_chartmogul_customers.records.schema import COLUMNS, CUSTOMER_SCHEMA
from tap_chartmogul_customers.records.typed import TypedCustomer, decode_typed_page
from tests.test_records import json_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Tap

encode = msgspec.json.Encoder(decimal_format="number").encode

EVERYONE = generate_customers(300, seed=8)

ODD_VALUES = [
    None,
    "",
    0,
    -0.0,
    True,
    4100.0,
    4100.5,
    1e300,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    [],
    ["a", None],
    [1],
    {},
    {"city": None},
    {"city": 5},
    {"custom": {"customer-since": 0.10, "CAC": 12345678901234567890}},
    "2023-06-09T13:16:00-04:00",
    "2015-11-07T01:20:00.000Z",
    "2023-09-08 00:00:00",
    "10:",
    "a\0b",
    "\ud800",
    'quotes "\\/ and <html> é 💎',
]


class Warnings(logging.Logger):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__("test")
        self.said: list[object] = []
        self.addFilter(self._keep)

    def _keep(self, record: logging.LogRecord) -> bool:
        self.said.append(record.getMessage())
        return False


def records(page: Page) -> list[object]:
    """Return the records of a page, encoded, and what the log says of it."""
    logger = Warnings()
    reader = RecordReader(CUSTOMER_SCHEMA, logger)
    encoded: list[object] = [
        encode(entry if type(entry) is TypedCustomer else reader.read(entry))
        for entry in page.entries
    ]
    reader.report()
    return [encoded, logger.said]


def outcome(decode: Callable[[bytes], Page], body: bytes) -> Any:
    """Return all that comes of a body: its records and page, or the error."""
    try:
        page = decode(body)
        return (records(page), page._replace(entries=[]))
    except (PagingError, ValueError) as error:
        return (type(error), str(error))


def same(body: bytes) -> Any:
    """Check that a body comes to the same either way, and return what."""
    typed, read = outcome(decode_typed_page, body), outcome(decode_page, body)
    assert typed == read
    return typed


def page(*customers: object, **fields: object) -> bytes:
    body = {"entries": customers, "has_more": True, "cursor": "a", **fields}
    try:
        return encode(body)
    except UnicodeEncodeError:
        return json.dumps(body, default=float).encode()


def is_typed(body: bytes) -> bool:
    entries = decode_typed_page(body).entries
    return all(type(entry) is TypedCustomer for entry in entries)


def test_the_customers_of_the_service_are_decoded_into_columns() -> None:
    for start in range(0, 300, 50):
        body = page(*EVERYONE[start : start + 50])
        assert is_typed(body)
        assert len(same(body)[0][0]) == 50


@pytest.mark.parametrize("column", [column.field for column in COLUMNS])
def test_an_odd_value_comes_out_the_same(column: str) -> None:
    customer, *others = EVERYONE[:3]
    for value in ODD_VALUES:
        same(page(*others, {**customer, column: value}))


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                column.field: json_values | st.sampled_from(ODD_VALUES)
                for column in COLUMNS
            }
            | {
                "uuid": st.sampled_from(["cus_1", "", None, 5]),
                "new_field": json_values,
            },
        )
        | st.sampled_from(EVERYONE),
        max_size=4,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "has_more": st.booleans() | json_values,
            "cursor": json_values,
            "total_pages": json_values,
        },
    ),
)
def test_any_page_comes_out_the_same(
    customers: list[Any], fields: dict[str, Any]
) -> None:
    same(page(*customers, **fields))


@given(st.binary() | json_values.map(encode))
def test_any_body_comes_to_the_same(body: bytes) -> None:
    same(body)


@pytest.mark.parametrize(
    "attributes",
    [
        b'{ "custom" : { "a" : 1.50 } }',
        b'{"custom":{"a":1E5,"b":-0,"c":-0.0,"d":1e-7}}',
        b'{"custom":{"a":"\\u00e9\\/"}}',
        b'{"custom":{"a":1,"a":2}}',
        b'{"custom":{"a":1}}\n',
        b"\n[1]",
        b'{"custom":{"a":1e99999}}',
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b'{"tags":["\xff"]}',
        b"null",
        b"{",
    ],
)
def test_json_however_it_is_written_comes_out_the_same(attributes: bytes) -> None:
    customer = encode({"uuid": "cus_1", "attributes": "HERE"})
    body = b'{"entries":[%s],"has_more":false}' % customer.replace(
        b'"HERE"', attributes
    )
    same(body)


def test_a_field_that_comes_twice_counts_as_it_came_last() -> None:
    body = b'{"entries":[{"uuid":"a","mrr":1,"mrr":2}],"has_more":false}'
    assert b'"mrr":2' in same(body)[0][0][0]


def test_a_field_that_is_unknown_is_warned_of() -> None:
    ((_, said), _) = same(page(EVERYONE[0], {**EVERYONE[1], "new_field": 1}))
    assert "new_field" in str(said)


def test_a_field_that_is_left_out_is_null() -> None:
    body = page({"uuid": "cus_1"})
    assert is_typed(body)
    (((record,), said), _) = same(body)
    assert not said
    assert list(json.loads(record)) == [column.name for column in COLUMNS]


def test_a_typed_customer_reads_like_the_one_that_was_sent() -> None:
    customer = {"uuid": "cus_1", "customer-since": "2023-06-09T13:16:00+00:00"}
    (typed,) = decode_typed_page(page(customer)).entries
    assert {field: typed.get(field) for field in customer} == customer


def messages(tap: Tap, **settings: object) -> list[dict[str, Any]]:
    run = tap.run(per_page=20, **settings)
    assert run.code == 0
    return [{**m, "time_extracted": None} for m in run.messages]


def test_a_run_writes_what_one_that_reads_each_value_does(
    tap: Tap, sandbox: Sandbox
) -> None:
    # A stream map that changes nothing has each value read.
    by_value = messages(tap, stream_maps={"customers": {"id": "id"}})
    assert [m for m in messages(tap) if m["type"] == "RECORD"] == [
        m for m in by_value if m["type"] == "RECORD"
    ]
    assert len(sandbox.requests) == 6
