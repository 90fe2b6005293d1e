"""The sandbox lets in, refuses and frames answers as the service is known to."""

from __future__ import annotations

import gzip
import json
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import Sandbox, generate_customers
from sandbox.traffic import most_in_a_second
from tests.sandbox import get

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = generate_customers(300)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(CUSTOMERS, rate_limit=None) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("per_page", "0"),
        ("per_page", "201"),
        ("per_page", "1.0"),
        ("cursor", ""),
        ("cursor", "AjMx90kC0yMVQwNNwoYToyNC4wMDAwMDAwMDBgks68k="),
    ],
)
def test_refuses_a_wrong_parameter(sandbox: Sandbox, name: str, value: str) -> None:
    response = get(sandbox, **{name: value})
    body = response.json()
    assert response.status_code == 400
    assert body.keys() == {"code", "message", "param"}
    assert (body["code"], body["param"]) == (400, name)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_bodies_are_compressed_as_asked(sandbox: Sandbox, encoding: str) -> None:
    response = requests.get(
        f"{sandbox.url}/customers",
        headers={"Accept-Encoding": encoding},
        auth=(sandbox.api_key, ""),
        stream=True,
        timeout=10,
    )
    body = b"".join(response.raw.stream(decode_content=False))
    assert response.headers["Content-Length"] == str(len(body))
    assert response.headers.get("Content-Encoding", "identity") == encoding
    content = gzip.decompress(body) if encoding == "gzip" else body
    assert len(json.loads(content)["entries"]) == 200
    assert 200_000 < len(content) < 300_000


def test_lets_40_requests_through_in_any_second() -> None:
    with Sandbox(CUSTOMERS) as sandbox, requests.Session() as session:
        session.auth = (sandbox.api_key, "")

        def ask() -> requests.Response:
            url = f"{sandbox.url}/customers?per_page=1"
            return session.get(url, timeout=10)

        while ask().status_code == 200:
            pass
        while ask().status_code == 429:
            time.sleep(0.02)
        passed = [seen for seen in sandbox.requests if seen.status == 200]
    assert most_in_a_second(passed) == 40


def test_answers_20_connections_at_once(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.url)
    with ExitStack() as stack:
        for _ in range(19):
            idle = socket.create_connection((address.hostname, address.port))
            stack.enter_context(idle)
        with requests.Session() as twentieth:
            twentieth.auth = (sandbox.api_key, "")
            url = f"{sandbox.url}/customers"
            assert twentieth.get(url, timeout=10).status_code == 200
            assert get(sandbox).status_code == 503
            assert twentieth.get(url, timeout=10).status_code == 200
    assert get(sandbox).status_code == 200
