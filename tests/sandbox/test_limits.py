"""The sandbox lets in, refuses and frames answers as the service is known to."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from base64 import b64encode
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import Sandbox, generate_customers
from tests.sandbox import get

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = generate_customers(1000, seed=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(CUSTOMERS, rate_limit=None) as running:
        yield running


@pytest.mark.parametrize("auth", [None, ("wrong", ""), ("sandbox-api-key", "password")])
def test_refuses_a_bad_key(sandbox: Sandbox, auth: tuple[str, str] | None) -> None:
    response = requests.get(f"{sandbox.url}/customers", auth=auth, timeout=10)
    assert response.status_code == 401
    assert response.json() == {
        "code": 401,
        "message": "No valid API key provided",
        "param": None,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("per_page", "0"),
        ("per_page", "201"),
        ("per_page", "ten"),
        ("per_page", "1.0"),
        ("per_page", ""),
        ("cursor", "made up"),
        ("cursor", ""),
        ("cursor", "AjMx90kC0yMVQwNNwoYToyNC4wMDAwMDAwMDBgks68k="),
        ("page", "0"),
    ],
)
def test_refuses_a_wrong_parameter(sandbox: Sandbox, name: str, value: str) -> None:
    response = get(sandbox, **{name: value})
    body = response.json()
    assert response.status_code == 400
    assert body.keys() == {"code", "message", "param"}
    assert (body["code"], body["param"]) == (400, name)


def test_refuses_a_cursor_with_one_character_changed(sandbox: Sandbox) -> None:
    cursor = get(sandbox).json()["cursor"]
    changed = cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:]
    assert get(sandbox, cursor=changed).status_code == 400


@pytest.mark.parametrize("path", ["/customers/", "/plans", "/../customers"])
def test_knows_no_other_path(sandbox: Sandbox, path: str) -> None:
    response = requests.get(sandbox.url + path, timeout=10)
    assert response.status_code == 404
    assert response.json() == {"code": 404, "message": "Not Found", "param": None}


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_bodies_are_compressed_as_asked(encoding: str) -> None:
    with Sandbox(CUSTOMERS) as sandbox:
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


def test_answers_40_requests_a_second_unless_told() -> None:
    with Sandbox(CUSTOMERS) as sandbox:
        address = urlsplit(sandbox.url)
        key = b64encode(f"{sandbox.api_key}:".encode()).decode()
        with socket.create_connection((address.hostname, address.port)) as client:
            # All at once, since a client that waits for answers may be too slow.
            client.sendall(
                f"GET /v1/customers?per_page=1 HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: Basic {key}\r\n\r\n".encode()
                * 41
            )
            while not (seen := sandbox.requests)[40:] or seen[40].status is None:
                time.sleep(0.01)
        statuses = [request.status for request in seen]
    assert statuses == [200] * 40 + [429]


def test_the_rate_limit_holds_for_any_second() -> None:
    with Sandbox(CUSTOMERS, rate_limit=5) as sandbox:
        for _ in range(5):
            assert get(sandbox, per_page=1).status_code == 200
        assert get(sandbox, per_page=1).json() == {
            "code": 429,
            "message": "Your request rate has exceeded our rate limit.",
        }
        while get(sandbox, per_page=1).status_code == 429:
            time.sleep(0.02)
        times = [seen.time for seen in sandbox.requests if seen.status == 200]
    assert len(times) == 6
    assert times[5] - times[0] > 0.99


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


def test_keeps_a_list_of_the_requests(sandbox: Sandbox) -> None:
    get(sandbox, per_page=5, status="Active")
    requests.get(f"{sandbox.url}/customers", timeout=10)
    first, second = sandbox.requests
    assert (first.number, first.status) == (1, 200)
    assert first.query == {"per_page": "5", "status": "Active"}
    assert re.match("python-requests/", first.headers["user-agent"])
    assert (second.number, second.status) == (2, 401)
    assert all(a.time < b.time for a, b in pairwise(sandbox.requests))
