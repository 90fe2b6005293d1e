"""The sandbox starts, serves and ends: as a program, and in a test's process."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
            assert key == f"API key: {API_KEY}"
            yield running, url
        finally:
            running.terminate()


def get(url: str, timeout: float = 10) -> requests.Response:
    return requests.get(f"{url}/customers", auth=(API_KEY, ""), timeout=timeout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_its_url_serves_and_ends_cleanly(number: int) -> None:
    with program("--customers", "30", "--prerender", "200") as (running, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/v1", url)
        body = get(url).json()
        running.send_signal(number)
        assert running.communicate(timeout=10) == ("", "")
    assert running.returncode == 0
    assert {customer["uuid"] for customer in body["entries"]} == {
        customer["uuid"] for customer in generate_customers(30)
    }


def test_the_program_can_fail_now_and_then_and_lift_the_rate_limit() -> None:
    with program("--rate-limit", "0", "--fault-every", "60", "--customers", "1") as (
        _,
        url,
    ):
        assert {get(url).status_code for _ in range(59)} == {200}
        assert is_fault(url)
        assert not is_fault(url)


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


def test_stopping_does_not_wait_for_a_request_that_hangs() -> None:
    with ThreadPoolExecutor() as pool:
        with Sandbox() as sandbox:
            sandbox.script(lambda _: faults.hang(60))
            asking = pool.submit(get, sandbox.url)
            while not sandbox.requests:
                time.sleep(0.01)
            begin = time.monotonic()
        assert time.monotonic() - begin < 3
        with pytest.raises(requests.ConnectionError):
            asking.result()


def test_a_client_that_gives_up_frees_its_connection() -> None:
    with Sandbox(connection_limit=2) as sandbox:
        sandbox.script(lambda request: faults.hang(60) if request.number <= 5 else None)
        for _ in range(5):
            with pytest.raises(requests.Timeout):
                get(sandbox.url, timeout=0.1)
        assert get(sandbox.url).status_code == 200


def test_the_demo_shows_every_digit() -> None:
    share = '"share": 0.1234567890123456789012'
    record = '{"uuid": "a", "status": "Active", "mrr": 1, %s}\n'
    assert share in report([record % share])
