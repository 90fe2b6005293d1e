"""The API key is in no log, message or state, however the other side repeats it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.running import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Tap

KEY = "a?very/secret+key="
BASIC = b64encode(f"{KEY}:".encode()).decode()
FORMS = [KEY, quote(KEY, safe=""), BASIC]


@pytest.mark.parametrize(
    "answer",
    [
        "%s\r\n\r\n",
        "HTTP/1.1 401 %s\r\n\r\n",
        'HTTP/1.1 422 Odd\r\n\r\n{"message": "%s", "errors": {"%s": "%s"}}',
        "HTTP/1.1 302 Found\r\nLocation: https://login.example/?key=%s\r\n\r\n",
        "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n\r\n{",
        'HTTP/1.1 200 OK\r\n\r\n{"error": "%s"}',
        'HTTP/1.1 200 OK\r\n\r\n{"entries": "%s"}',
        'HTTP/1.1 200 OK\r\n\r\n{"entries": [%s]}',
    ],
)
def test_a_key_that_is_repeated_is_shown_nowhere(
    tap_on: Callable[[Sandbox], Tap],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", "DEBUG")
    with Sandbox(api_key=KEY) as sandbox:
        tap = tap_on(sandbox)
        data = answer.replace("%s", " ".join(FORMS)).encode()
        sandbox.script(lambda _: faults.raw(data))
        run = tap.run(max_retries=1)
    assert run.code == 1
    assert "Where it happened" in run.log  # Whoever looks for a fault sees no more.
    for form in FORMS:
        assert form not in run.log


def test_a_key_is_in_no_state_or_message(tap_on: Callable[[Sandbox], Tap]) -> None:
    customers = generate_customers(60, seed=1)
    with Sandbox(customers, api_key=KEY, rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        sandbox.script({3: faults.status(500, message=f"Basic {BASIC}")})
        run = tap.run(per_page=20)
        assert run.code == 0
        assert "500 Internal Server Error. Basic ***. Try 2" in run.warnings[0]
        written = run.log + (tap.folder / OUTPUT).read_text() + json.dumps(run.state)
    assert not any(form in written for form in FORMS)
