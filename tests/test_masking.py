"""The API key is shown in no form."""

from __future__ import annotations

import html
import json
import re
import string
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox import faults
from tap_chartmogul_customers.api.masking import MOST_SHOWN, masked, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Sandbox
    from tests.running import Tap

KEY = "sandbox-api-key"


def percent(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def basic(key: str) -> str:
    return b64encode(f"{key}:".encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    # Some letters become two, which no key has.
    "upper case": lambda key: key.upper() if key.isascii() else key,
    "quoted for a URL": lambda key: quote(key, safe=""),
    "quoted for a form": quote_plus,
    "all of it quoted for a URL": percent,
    "in a path": lambda key: quote(key).lower(),
    "JSON": lambda key: json.dumps(key)[1:-1],
    "JSON in UTF-8": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "JSON for a web page": lambda key: json.dumps(key)[1:-1].replace("/", r"\/"),
    "all of it escaped": lambda key: re.sub(
        "(....)", r"\\u\1", key.encode("utf-16-be").hex()
    ),
    "HTML": html.escape,
    "HTML by numbers": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "HTML by hexadecimal numbers": lambda key: "".join(
        f"&#x{ord(char):X};" for char in key
    ),
    "a Python literal": lambda key: repr(key)[1:-1],
    "hexadecimal": lambda key: key.encode().hex(),
    "upper hexadecimal": lambda key: key.encode().hex().upper(),
    "Base64": lambda key: b64encode(key.encode()).decode(),
    "Base64 without padding": lambda key: b64encode(key.encode()).decode().rstrip("="),
    "Base64 of user and password": basic,
    "Base64 for a URL": lambda key: urlsafe_b64encode(f"{key}:".encode()).decode(),
    "Base64 quoted for a URL": lambda key: quote(basic(key), safe=""),
    "Base64 in JSON for a web page": lambda key: basic(key).replace("/", r"\/"),
    "Base64 within a text": lambda key: b64encode(f"?{key}!".encode()).decode(),
    "Base64 later within a text": lambda key: b64encode(f"??{key}!".encode()).decode(),
}

# Long enough not to be found by chance in what is put around it.
KEYS = st.text(string.printable.strip() + "éß€😀", min_size=12, max_size=40)


@given(key=KEYS, before=st.text(), after=st.text())
@example(key='a"b\\c/d&e<f>g h+i%j', before="key=", after="&x")
def test_every_form_is_masked(key: str, before: str, after: str) -> None:
    for form in FORMS.values():
        written = form(key)
        said = masked(f"{before}{written}{after}", key)
        assert written not in said
        assert "***" in said


def test_what_surrounds_the_key_is_kept() -> None:
    for name, form in FORMS.items():
        said = masked(f"Key <{form(KEY)}> is odd", KEY)
        # In Base64, what is around the key has characters of its own.
        assert said == "Key <***> is odd" or "within a text" in name, said


@pytest.mark.parametrize("around", ["", "x", "xy", "user:", "Basic "])
def test_no_part_of_the_key_can_be_read_out_of_base64(around: str) -> None:
    key = KEY * 2
    written = b64encode(f"{around}{key}{around}".encode()).decode()
    before, after = masked(written, key).split("***")
    # Of eight bits each, the first and the last in a character that holds six.
    first, last = 8 * len(around) // 6, (8 * len(around + key) - 1) // 6
    assert written[:first].startswith(before)
    assert written[last + 1 :].endswith(after)


@given(st.text())
def test_a_text_without_the_key_is_left_alone(text: str) -> None:
    assert masked(text, "a key that is not in it") == text


@pytest.mark.parametrize("key", ["k", "ab", "1", ".", "\\", "("])
def test_a_short_key_is_masked_too(key: str) -> None:
    said = masked(f"<{key}> <{basic(key)}> 200", key)
    assert said == "<***> <***> 200".replace(key, "***")


@given(st.text() | st.text().map(lambda text: f"{text}{KEY}{text}" * 40))
def test_what_is_shown_is_a_short_line_without_the_key(text: str) -> None:
    line = shown(text, KEY)
    assert line.isprintable()
    assert len(line) <= MOST_SHOWN + 1
    assert KEY not in line


def test_a_key_is_masked_before_a_line_is_cut() -> None:
    for at in range(MOST_SHOWN - len(KEY) - 1, MOST_SHOWN + 1):
        assert "sand" not in shown("x" * at + KEY, KEY)


def test_a_line_is_cut_if_it_is_too_long() -> None:
    assert shown("x" * MOST_SHOWN, KEY) == "x" * MOST_SHOWN
    assert shown("x" * (MOST_SHOWN + 1), KEY) == "x" * MOST_SHOWN + "…"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("616263", "abc", "***"),
        ("6162", "ab", "6162"),  # would be found by chance
        ("+", "!", "+"),
    ],
)
def test_what_only_looks_like_a_key_is_kept(text: str, key: str, said: str) -> None:
    assert masked(text, key) == said


def test_a_long_text_takes_no_long_time() -> None:
    for text in ("A" * 2**16, "&#" * 2**15, "&#0" + "0" * 2**16, "%5" * 2**15):
        assert masked(text, KEY) == text


def test_a_key_that_the_service_repeats_is_not_shown(
    tap: Tap, sandbox: Sandbox
) -> None:
    forms = [form(sandbox.api_key) for form in FORMS.values()]
    message = f"Key {' '.join(forms[:9])} is odd"
    reason = f"HTTP/1.1 422 Odd {' '.join(forms)}\r\n\r\n".encode()
    sandbox.script({1: faults.status(503, message=message), 2: faults.raw(reason)})
    run = tap.run()
    assert run.code == 1
    assert f"Key {' '.join(['***'] * 9)} is odd. Try 2" in run.warnings[0]
    assert run.errors[-1].count("***") == len(forms)
    assert not any(form in run.log for form in forms)


@pytest.mark.parametrize(
    "data",
    [
        b"%s\r\n\r\n",
        b"HTTP/1.1 %s\r\n\r\n",
        b"HTTP/%s 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n%s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://%s.com\r\n\r\n",
        b'HTTP/1.1 200 OK\r\n\r\n{"entries": "%s"}',
        b'HTTP/1.1 200 OK\r\n\r\n{"entries": [], "has_more": "%s"}',
        b'HTTP/1.1 200 OK\r\n\r\n{"entries": [%s]}',
    ],
)
def test_a_key_in_an_odd_place_is_not_shown_to_who_looks_for_a_fault(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", "DEBUG")
    written = basic(sandbox.api_key)
    sandbox.script(lambda _: faults.raw(data % written.encode()))
    run = tap.run(max_retries=1)
    assert run.code == 1
    assert "Where it happened" in run.log
    assert written.lower() not in run.log.lower()
