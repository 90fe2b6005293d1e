"""Each fault of the sandbox reaches the client as what it is named after."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from sandbox import Sandbox, faults, generate_customers

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_customers(50), rate_limit=None) as running:
        yield running


def get(sandbox: Sandbox, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask without any of the kindness of a bigger client."""
    key = b64encode(f"{sandbox.api_key}:".encode()).decode()
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    try:
        headers["Authorization"] = f"Basic {key}"
        connection.request("GET", "/v1/customers", headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_a_script_touches_the_requests_that_it_names_alone(sandbox: Sandbox) -> None:
    sandbox.script({2: faults.status(503)})
    assert [get(sandbox)[0].status for _ in range(3)] == [200, 503, 200]
    sandbox.script(lambda seen: faults.status(500) if seen.number > 4 else None)
    assert [get(sandbox)[0].status for _ in range(2)] == [200, 500]
    assert [seen.status for seen in sandbox.requests] == [200, 503, 200, 200, 500]


@pytest.mark.parametrize(
    ("fault", "retry_after", "body"),
    [
        (
            faults.status(403, message="Not yours"),
            None,
            {"code": 403, "message": "Not yours", "param": None},
        ),
        (
            faults.status(429, retry_after=0),
            "0",
            {
                "code": 429,
                "message": "Your request rate has exceeded our rate limit.",
            },
        ),
    ],
)
def test_status_answers_as_the_service_words_errors(
    sandbox: Sandbox, fault: faults.Fault, retry_after: str | None, body: object
) -> None:
    sandbox.script({1: fault})
    response, content = get(sandbox)
    assert json.loads(content) == body
    assert response.headers["Retry-After"] == retry_after


def test_broken_json_arrives_whole(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.broken_json()})
    with pytest.raises(json.JSONDecodeError):
        json.loads(get(sandbox)[1])


def test_cut_gzip_arrives_whole_but_does_not_unpack(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_gzip()})
    response, body = get(sandbox, **GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert zlib.decompressobj(wbits=31).decompress(body).startswith(b'{"entries":')
    with pytest.raises(EOFError):
        gzip.decompress(body)


@pytest.mark.parametrize("headers", [{}, GZIP])
def test_cut_body_ends_before_its_length(
    sandbox: Sandbox, headers: dict[str, str]
) -> None:
    sandbox.script({1: faults.cut_body(after=500)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox, **headers)
    assert len(cut.value.partial) == 500
    assert cut.value.expected is not None
    assert cut.value.expected > 1_000


def test_cut_body_always_cuts(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_body(after=10**9)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox)
    assert cut.value.expected == 1


def test_cut_chunked_ends_before_its_last_chunk(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_chunked(500)})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox)
    assert len(cut.value.partial) == 500


@pytest.mark.parametrize(
    ("fault", "seconds"), [(faults.reset(), 0), (faults.hang(0.3), 0.3)]
)
def test_the_connection_is_reset_without_an_answer(
    sandbox: Sandbox, fault: faults.Fault, seconds: float
) -> None:
    sandbox.script({1: fault})
    begin = time.monotonic()
    with pytest.raises(ConnectionResetError, match="reset by peer"):
        get(sandbox)
    assert seconds <= time.monotonic() - begin < 3
    assert [request.status for request in sandbox.requests] == [None]


def test_unannounced_close_answers_first(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.unannounced_close()})
    response, body = get(sandbox)
    assert "Connection" not in response.headers
    assert len(json.loads(body)["entries"]) == 50
    assert [request.status for request in sandbox.requests] == [None]
