"""The sandbox starts, serves and ends: as a program, and in a test's process."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from sandbox import API_KEY, Sandbox, faults, generate_customers
from sandbox.demo import report

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = [sys.executable, "-m", "sandbox"]


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [*PROGRAM, "--port", "0", "--latency", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout
            url, key = (running.stdout.readline().rstrip("\n") for _ in range(2))
            assert key.startswith("API key: ")
            yield running, url
        finally:
            running.terminate()


def get(url: str, api_key: str = API_KEY, **query: str) -> requests.Response:
    return requests.get(
        f"{url}/customers", params=query, auth=(api_key, ""), timeout=10
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_its_url_serves_and_ends_cleanly(number: int) -> None:
    with program("--customers", "30", "--prerender", "100") as (running, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/v1", url)
        body = get(url, per_page="100").json()
        running.send_signal(number)
        assert running.communicate(timeout=10) == ("", "")
    assert running.returncode == 0
    assert {customer["uuid"] for customer in body["entries"]} == {
        customer["uuid"] for customer in generate_customers(30)
    }


@pytest.mark.parametrize(("limit", "statuses"), [(2, {200, 429}), (0, {200})])
def test_the_program_can_set_or_lift_the_rate_limit(
    limit: int, statuses: set[int]
) -> None:
    with program("--rate-limit", str(limit), "--customers", "1") as (_, url):
        assert {get(url).status_code for _ in range(45)} == statuses


def test_the_program_can_fail_now_and_then() -> None:
    with program("--fault-every", "2", "--customers", "1") as (_, url):
        assert get(url).json()["entries"]
        assert is_fault(url)
        assert get(url).json()["entries"]


def is_fault(url: str) -> bool:
    try:
        return "entries" not in get(url).json()
    except requests.RequestException:
        return True


def test_a_busy_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        ended = subprocess.run(
            [*PROGRAM, "--customers", "1", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"sandbox: port {port}: Address already in use; --port takes another\n"
    )


def test_a_busy_port_reaches_the_test_that_asked_for_it() -> None:
    with Sandbox() as first:
        port = urlsplit(first.url).port or 0
        with pytest.raises(OSError, match="in use"), Sandbox(port=port):
            pass


@contextmanager
def hanging_request(sandbox: Sandbox) -> Iterator[socket.socket]:
    address = urlsplit(sandbox.url)
    key = b64encode(f"{sandbox.api_key}:".encode()).decode()
    sent = len(sandbox.requests)
    with socket.create_connection((address.hostname, address.port), 10) as client:
        client.sendall(
            f"GET /v1/customers HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Basic {key}\r\n\r\n".encode()
        )
        while len(sandbox.requests) == sent:
            time.sleep(0.01)
        yield client


def test_stopping_does_not_wait_for_a_request_that_hangs() -> None:
    with ExitStack() as stack:
        with Sandbox() as sandbox:
            sandbox.script(lambda _: faults.hang(60))
            client = stack.enter_context(hanging_request(sandbox))
            begin = time.monotonic()
        assert time.monotonic() - begin < 3
        assert client.recv(1) == b""


def test_a_client_that_gives_up_frees_its_connection() -> None:
    with Sandbox(rate_limit=None, connection_limit=2) as sandbox:
        sandbox.script(lambda request: faults.hang(60) if request.number <= 5 else None)
        for _ in range(5):
            with hanging_request(sandbox):
                pass
        answer = get(sandbox.url)
        assert answer.status_code == 200


def test_latency_is_waited_for_before_each_page() -> None:
    with Sandbox(latency=0.2) as sandbox:
        begin = time.monotonic()
        assert get(sandbox.url).status_code == 200
        assert time.monotonic() - begin >= 0.2


def test_nothing_listens_after_the_end() -> None:
    with Sandbox() as sandbox:
        url = sandbox.url
    with pytest.raises(requests.ConnectionError, match="refused"):
        get(url)


def test_the_demo_shows_every_digit() -> None:
    share = '"share": 0.1234567890123456789012'
    record = '{"uuid": "a", "currency": "EUR", "status": "Active", "mrr": 1, %s}\n'
    assert share in report([record % share])
