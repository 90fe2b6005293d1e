"""The API key is in no log, message or state, however the other side repeats it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sandbox import API_KEY, faults
from tests.running import OUTPUT

if TYPE_CHECKING:
    from tests.running import Tap

BASIC = b64encode(f"{API_KEY}:".encode()).decode()
FORMS = [API_KEY, BASIC, quote(BASIC)]


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
    tap: Tap, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", "DEBUG")
    data = answer.replace("%s", " ".join(FORMS)).encode()
    tap.sandbox.script(lambda _: faults.raw(data))
    run = tap.run(max_retries=1)
    assert run.code == 1
    assert "Where it happened" in run.log  # Whoever looks for a fault sees no more.
    assert not any(form in run.log for form in FORMS)


def test_a_key_is_in_no_state_or_message(tap: Tap) -> None:
    tap.sandbox.script({3: faults.status(500, message=f"Basic {BASIC}")})
    run = tap.run(per_page=20)
    assert run.code == 0
    assert "500 Internal Server Error. Basic ***. Try 2" in run.warnings[0]
    written = run.log + (tap.folder / OUTPUT).read_text() + json.dumps(run.state)
    assert not any(form in written for form in FORMS)
