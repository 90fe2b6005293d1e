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


def test_cut_gzip_arrives_whole_but_does_not_unpack(sandbox: Sandbox) -> None:
    sandbox.script({1: faults.cut_gzip()})
    response, body = get(sandbox, **GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert zlib.decompressobj(wbits=31).decompress(body).startswith(b'{"entries":')
    with pytest.raises(EOFError):
        gzip.decompress(body)


@pytest.mark.parametrize("headers", [{}, GZIP])
@pytest.mark.parametrize("fault", [faults.cut_body(500), faults.cut_chunked(500)])
def test_a_body_that_is_cut_ends_before_its_length(
    sandbox: Sandbox, headers: dict[str, str], fault: faults.Fault
) -> None:
    sandbox.script({1: fault})
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(sandbox, **headers)
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
