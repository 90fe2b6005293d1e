"""Text that no UTF-8 or no SQL database can hold, in the body of a page."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.decoder import CustomerDecoder, LooseCustomer


def read(value: bytes) -> tuple[Any, bool]:
    """Return what a value of a customer comes to, and whether it was changed."""
    body = b'{"entries": [{"uuid": "a", "value": %s}], "has_more": false}' % value
    answer, mended = CustomerDecoder().decode(body)
    (customer,) = answer.entries
    assert isinstance(customer, LooseCustomer)
    return customer.fields["value"], mended


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\udC8e\ud83d"', "\ufffd\ufffd"),
        (rb'"a\ud83d\ud83d\udc8eb"', "a\ufffd💎b"),
        (rb'"a\u0000b"', "a\ufffdb"),
        (rb'"\\\u0000"', "\\\ufffd"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd" * 3),
    ],
)
def test_what_no_text_can_hold_is_replaced(sent: bytes, text: str) -> None:
    assert read(sent) == (text, True)
    assert read(b"[{%s: %s}]" % (sent, sent)) == ([{text: text}], True)


@pytest.mark.parametrize(
    "body",
    [
        rb'{"entries": [{"a": "\u0000"}], "has_mo',
        rb'{"entries": [{"a": "\ud8,""}], "has_more": false}',
        b'{"entries": [{"a": "caf\xe9',
        b'\xff{"entries": [], "has_more": false}',
        rb'{"entries": [{"a": NaN}], "has_more": "\u0000"}',
        b"\\" * 200_000,
    ],
)
def test_what_is_no_json_is_not_mended(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        CustomerDecoder().decode(body)


@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_whatever_text_is_sent_can_be_stored(text: str, ascii_only: bool) -> None:  # noqa: FBT001 (hypothesis gives it)
    text = json.loads(json.dumps(text))  # Two surrogates that make one character do.
    sent = json.dumps(text, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    got, changed = read(sent)
    assert "\0" not in got.encode().decode()  # No surrogate can be encoded.
    assert changed == bool(re.search("[\0\ud800-\udfff]", text))
    assert changed or got == text
