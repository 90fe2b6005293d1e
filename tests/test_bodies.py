"""Bodies with values that nobody can store: one of them costs no account."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.api.body import DEPTH, DIGITS, FRAMES, MendedCustomer
from tap_chartmogul_customers.pagination import decode_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Run, Tap

encode = msgspec.json.Encoder(decimal_format="number").encode


def customer(attributes: bytes) -> dict[str, Any]:
    """Decode a page with one customer, whose attributes are JSON text."""
    body = b'{"entries": [{"attributes": %s}], "has_more": false}' % attributes
    entry: dict[str, Any]
    (entry,) = decode_page(body).entries
    return entry


def decoded(value: bytes) -> Any:
    """Return what a value that has to be mended comes to."""
    entry = customer(value)
    assert type(entry) is MendedCustomer
    return entry["attributes"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\udC8e\ud83d"', "\ufffd\ufffd"),
        (rb'"a\ud83d\ud83d\udc8eb"', "a\ufffd💎b"),
        (rb'"a\u0000b"', "a\ufffdb"),
        (b'"a\x00b"', "a\ufffdb"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd" * 3),
    ],
)
def test_what_no_text_can_hold_is_replaced(sent: bytes, text: str) -> None:
    assert decoded(sent) == text
    assert decoded(b"[{%s: %s}]" % (sent, sent)) == [{text: text}]


@pytest.mark.parametrize(
    "sent",
    [
        rb'"\u0001\u001f\"\\\n"',
        rb'"\ud83d\udc8e"',
        rb'"\\u0000 \\ud83d"',
        '"\ufffd\uffff\u2028"'.encode(),
        b'{"a": 1, "a": 2}',
        b'{"": [[], {}]}',
        b"[" * (DEPTH - 4) + b"]" * (DEPTH - 4),
        b"9" * DIGITS,
        b"-" + b"9" * DIGITS,
        b"1E+4299",
        b"1E-4299",
        b"0." + b"9" * DIGITS,
    ],
)
def test_what_can_be_stored_is_left_as_it_was(sent: bytes) -> None:
    expected = json.loads(sent, parse_float=Decimal)
    entry = customer(sent)
    assert type(entry) is dict
    assert entry["attributes"] == expected
    # Likewise beside a value that is mended.
    mended = decoded(rb'{"a": %s, "b": "\u0000"}' % sent)
    assert mended == {"a": expected, "b": "\ufffd"}


@pytest.mark.parametrize(
    "number",
    [
        b"9" * (DIGITS + 1),
        b"-" + b"9" * (DIGITS + 1),
        b"0." + b"9" * (DIGITS + 1),
        b"1E+4300",
        b"1e-4300",
        b"1e999999999",
        b"-1.5E-999999999",
        b"1e9999999999999999999",
    ],
)
def test_a_number_of_thousands_of_digits_becomes_text(number: bytes) -> None:
    assert decoded(number) == number.decode()
    assert decoded(b'{"a": [%s, 1.10]}' % number) == {
        "a": [number.decode(), Decimal("1.10")]
    }


@pytest.mark.parametrize("depth", [20_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deep_becomes_text(
    depth: int, opening: bytes, closing: bytes
) -> None:
    value = decoded(opening * depth + b'"]}"' + closing * depth)
    levels = 0
    while not isinstance(value, str):
        (value,) = value if isinstance(value, list) else value.values()
        levels += 1
    assert levels <= DEPTH
    depth -= levels
    assert value == (opening * depth + b'"]}"' + closing * depth).decode()


def deeper(calls: int, value: object) -> bytes:
    """Encode a value, so many calls further down."""
    return deeper(calls - 1, value) if calls else encode(value)


def test_what_is_decoded_can_be_encoded_further_down_in_calls() -> None:
    for depth in range(DEPTH, 1200, 10):
        assert deeper(FRAMES - 10, customer(b"[" * depth + b"]" * depth))


def test_no_key_takes_the_place_of_another() -> None:
    value = decoded(rb'{"a\u0000": 1, "a\ud800": 2, "a\ufffd": 3, "a": 4}')
    assert value == {"a\ufffd": 1, "a\ufffd\ufffd": 2, "a\ufffd\ufffd\ufffd": 3, "a": 4}


def test_only_the_customer_with_such_a_value_is_changed() -> None:
    body = rb'{"entries": [{"a": "x"}, {"a": "\u0000"}, {"a": 1.0}], "has_more": false}'
    entries = decode_page(body).entries
    assert [isinstance(entry, MendedCustomer) for entry in entries] == [
        False,
        True,
        False,
    ]
    assert entries == [{"a": "x"}, {"a": "\ufffd"}, {"a": Decimal("1.0")}]


def test_a_byte_order_mark_is_no_part_of_a_body() -> None:
    assert decode_page(b'\xef\xbb\xbf{"entries": [], "has_more": false}').entries == []


@pytest.mark.parametrize(
    "body",
    [
        rb'{"entries": [{"a": "\u0000"}], "has_mo',
        rb'{"entries": [{"a": "\ud83d',
        b'{"entries": [{"a": "caf\xe9',
        b'\xff{"entries": [], "has_more": false}',
        b'{"entries": [{"a": NaN}], "has_more": false}',
        b'{"entries": [{"a": "' + rb"\"" * 200_000,
        b"\\" * 200_000,
        b"[" * 200_000,
    ],
)
def test_what_is_no_json_is_not_mended(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        decode_page(body)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=())), inner)
    ),
)


def texts(value: object) -> Iterator[str]:
    """Return every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in (*value, *value.values()):
            yield from texts(item)


@given(anything)
def test_whatever_is_sent_can_be_stored(sent: object) -> None:
    entry = customer(json.dumps(sent).encode())
    got = json.loads(encode(entry["attributes"]))
    assert "\0" not in "".join(texts(got))
    if re.search("[\0\ud800-\udfff]", "".join(texts(sent))):
        assert type(entry) is MendedCustomer
        assert len(list(texts(got))) == len(list(texts(sent)))
    else:
        assert type(entry) is dict
        assert got == sent


@given(anything)
def test_the_careful_decoder_reads_what_the_quick_one_does(sent: object) -> None:
    body = json.dumps(sent).encode()
    quick = customer(body)["attributes"]
    careful = decoded(b'[%s, "\xff"]' % body)
    assert careful == [quick, "\ufffd"]


@pytest.fixture
def run(tap_on: Callable[[Sandbox], Tap]) -> Callable[[bytes], Run]:
    """Read 20 customers, one of whom has a custom attribute of this JSON."""

    def read(value: bytes) -> Run:
        customers = generate_customers(20, seed=1)
        customers[7]["attributes"] = {"custom": {"odd": "HERE"}}
        body = encode({"entries": customers, "has_more": False})
        with Sandbox() as sandbox:
            sandbox.script({1: faults.body(body.replace(b'"HERE"', value))})
            return tap_on(sandbox).run(max_retries=0)

    return read


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (rb'"a\u0000b"', "a\ufffdb"),
        (rb'"a\ud800b"', "a\ufffdb"),
        (b'"a\xffb"', "a\ufffdb"),
        (b"9" * 5_000, "9" * 5_000),
        (b"1e999999999", "1e999999999"),
        (b"[" * 20_000 + b"]" * 20_000, None),
    ],
)
def test_no_value_costs_a_customer_and_it_is_said_once(
    run: Callable[[bytes], Run], sent: bytes, expected: str | None
) -> None:
    ended = run(sent)
    assert ended.code == 0
    assert len(ended.records) == 20
    record = ended.records[7]
    if expected is not None:
        assert record["attributes"]["custom"]["odd"] == expected
    first, last = ended.warnings
    assert f"Customer {record['uuid']!r}: what cannot be stored is changed" in first
    assert "changed so that they can be stored: 1" in last
