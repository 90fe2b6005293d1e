"""`request_timeout` bounds a whole try, however the other side spends its time.

Whatever drips here drips until the tap hangs up.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from itertools import chain, repeat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.api import connections
from tap_chartmogul_customers.api.session import DeadlineSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.faults import Fault
    from tests.running import Tap

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# A gzip header, and a stored block of no bytes.
GZIP, EMPTY_BLOCK = b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff"

DRIPS = {
    "status line": faults.endless(b"HTTP/1.1 200 ", b"O"),
    "header": faults.endless(HEAD + b"X: ", b"x"),
    "headers": faults.endless(HEAD, b"X: y\r\n"),
    "100 Continue": faults.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": faults.endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "body": faults.endless(HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "body without a length": faults.endless(HEAD + b"\r\n", b" "),
    "chunk": faults.endless(CHUNKED + b"fffff\r\n", b" "),
    "chunks": faults.endless(CHUNKED, b"1\r\n \r\n"),
    "chunk size": faults.endless(CHUNKED, b"0"),
    "chunk extension": faults.endless(CHUNKED + b"1;", b"x"),
    "trailers": faults.endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
    "empty deflate blocks": faults.endless(
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIP, EMPTY_BLOCK
    ),
}


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_given_up(
    tap: Tap, sandbox: Sandbox, drip: Fault
) -> None:
    sandbox.script({2: drip})
    run = tap.run(per_page=20, request_timeout=1)
    assert run.code == 0, run.log
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert len(run.warnings) == 1
    assert "no whole answer within `request_timeout`. Try 2 of 11" in run.warnings[0]


@pytest.mark.parametrize("status", [404, 503])
def test_the_body_of_an_error_may_drip(tap: Tap, sandbox: Sandbox, status: int) -> None:
    head = f"HTTP/1.1 {status} Oh\r\n\r\n".encode()
    sandbox.script({1: faults.endless(head, b" ")})
    run = tap.run(request_timeout=1)
    assert run.code == (status == 404)
    said = run.errors if status == 404 else run.warnings
    assert len(said) == 1
    assert f"page 1: {status} Oh" in said[0]


def test_a_try_that_is_given_up_leaves_no_connection(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    everyone = generate_customers(10, seed=1)
    with Sandbox(everyone, rate_limit=None, connection_limit=1) as sandbox:
        sandbox.script({1: DRIPS["headers"], 2: DRIPS["body"], 3: faults.hang(60)})
        run = tap_on(sandbox).run(request_timeout=1)
        assert [request.status for request in sandbox.requests] == [None] * 3 + [200]
    assert run.code == 0
    assert len(run.warnings) == 3


@pytest.fixture
def dripping() -> Iterator[Callable[..., int]]:
    """Return a way to start a server that says one thing after another.

    It says the last of them over and over.
    """
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip(client: socket.socket, parts: tuple[bytes, ...]) -> None:
            with client, suppress(OSError):
                for part in chain(parts, repeat(parts[-1])):
                    client.sendall(part)
                    if stopped.wait(0.1):
                        return

        def serve(parts: tuple[bytes, ...]) -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(client, parts)).start()

        def start(*parts: bytes) -> int:
            threading.Thread(target=serve, args=(parts,)).start()
            port: int = server.getsockname()[1]
            return port

        yield start
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)


SERVER_HELLO = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"


def test_a_tls_handshake_that_drips_is_given_up(
    tap: Tap, dripping: Callable[..., int]
) -> None:
    port = dripping(SERVER_HELLO, b"\0")
    run = tap.run(
        api_url=f"https://127.0.0.1:{port}/v1", request_timeout=1, max_retries=1
    )
    assert run.code == 1
    assert f"request to 127.0.0.1:{port} failed: no whole answer" in run.warnings[0]
    assert "after 2 tries" in run.errors[-1]


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", SERVER_HELLO, b"\0"),
    ],
)
def test_a_proxy_that_drips_is_given_up(
    tap: Tap,
    dripping: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    parts: tuple[bytes, ...],
) -> None:
    port = dripping(*parts)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    run = tap.run(api_url="https://example.com/v1", request_timeout=1, max_retries=0)
    assert run.code == 1
    assert (
        f"request to example.com:443 through the proxy 127.0.0.1:{port} failed: "
        "no whole answer"
    ) in run.errors[-1]


def request_to(port: int, scheme: str = "http", seconds: float = 0.5) -> None:
    session = DeadlineSession()
    request = requests.Request("GET", f"{scheme}://host.example:{port}/v1/customers")
    session.send(session.prepare_request(request), timeout=seconds)


@pytest.mark.parametrize("late", [0, 0.5])
def test_a_try_without_any_time_left_is_given_up(
    monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    now = chain([1.0], repeat(1.0 + late))
    clock = SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(connections, "time", clock)
    with pytest.raises(RetriableAPIError, match="no whole answer within"):
        request_to(1, seconds=1e-20)


def test_looking_up_a_host_is_given_up_and_not_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = threading.Event()

    def getaddrinfo(_: str, port: int, *__: object) -> Any:
        # Else the program could not end meanwhile.
        assert threading.current_thread().daemon
        found.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        with pytest.raises(RetriableAPIError, match="no connection within"):
            request_to(port)
        found.set()
        # Too late: the connection that comes of it says nothing and is closed.
        server.settimeout(30)
        client, _ = server.accept()
        with client:
            assert client.recv(1) == b""


def test_all_addresses_of_a_host_have_one_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.settimeout(0)
            client.connect_ex(address)
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address)] * 60,
        )
        begin = time.monotonic()
        with pytest.raises(RetriableAPIError, match="no connection within"):
            request_to(address[1])
        # Each of the 60 would have had half a second of its own.
        assert time.monotonic() - begin < 15
        for client in waiting:
            client.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_was_spent_before_is_not_granted_again(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    now = time.monotonic()

    def getaddrinfo(_: str, port: int, *__: object) -> Any:
        nonlocal now
        now += 999.5
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    # It lets everyone connect, and says nothing.
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(RetriableAPIError, match="no whole answer within"),
    ):
        request_to(server.getsockname()[1], scheme, seconds=1000)
