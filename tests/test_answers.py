"""Whatever bytes come back: another try or one clear line, and never a short read."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox import Sandbox, faults
from tap_chartmogul_customers.api.session import MAX_BODY, DeadlineSession

if TYPE_CHECKING:
    from tests.running import Run, Tap

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH_2 = OK + b"Content-Length: 2\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
PAGE = b'{"entries": [], "has_more": false}'

CLOSED = "the connection was closed without an answer"
CUT = "the answer was cut short"
NOT_HTTP = "the answer is not valid HTTP"
NOT_JSON = "the body is not JSON"
NOT_DECOMPRESSED = "the body cannot be decompressed"

NO_ANSWERS = {
    "nothing": (b"", CLOSED),
    "half a status line": (b"HTTP/1.", NOT_HTTP),
    "half a header": (OK + b"Content-Len", NOT_JSON),
    "HTTP/0.9": (PAGE, NOT_HTTP),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\n\r\n" + PAGE, NOT_HTTP),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", NOT_HTTP),
    "TLS": (b"\x15\x03\x01\0\x02\x02\x50", NOT_HTTP),
    "empty lines": (b"\r\n" * 3 + LENGTH_2 + b"\r\n{}", NOT_HTTP),
    "status 099": (b"HTTP/1.1 099 Early\r\n\r\n" + PAGE, NOT_HTTP),
    "status of 5,000 digits": (b"HTTP/1.1 " + b"2" * 5000 + b"\r\n\r\n", NOT_HTTP),
    "status in other digits": (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", NOT_HTTP),
    "status 101": (b"HTTP/1.1 101 Switching\r\n\r\n" + PAGE, NOT_HTTP),
    "1,000 headers": (OK + b"X: y\r\n" * 1000 + b"\r\n" + PAGE, NOT_HTTP),
    "header of 1 MB": (OK + b"X: " + b"y" * 2**20 + b"\r\n\r\n" + PAGE, NOT_HTTP),
    "two lengths": (LENGTH_2 + b"Content-Length: 3\r\n\r\n{}", NOT_HTTP),
    "too long a length": (OK + b"Content-Length: 99\r\n\r\n" + PAGE, CUT),
    "too short a length": (LENGTH_2 + b"\r\n" + PAGE, NOT_JSON),
    "length below zero": (OK + b"Content-Length: -2\r\n\r\n{}{", NOT_JSON),
    "length in words": (OK + b"Content-Length: two\r\n\r\n{}{", NOT_JSON),
    "length of 5,000 digits": (
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}{",
        NOT_JSON,
    ),
    "no length, cut": (OK + b"\r\n" + PAGE[:-1], NOT_JSON),
    "HTTP/1.0, cut": (b"HTTP/1.0 200 OK\r\n\r\n" + PAGE[:-1], NOT_JSON),
    "chunks without an end": (CHUNKED + b"22\r\n" + PAGE + b"\r\n", CUT),
    "chunk without a size": (CHUNKED + b"\r\n" + PAGE + b"\r\n0\r\n\r\n", CUT),
    "chunk size in words": (CHUNKED + b"ten\r\n" + PAGE + b"\r\n0\r\n\r\n", CUT),
    "chunk size below zero": (CHUNKED + b"-22\r\n" + PAGE + b"\r\n0\r\n\r\n", CUT),
    "chunk size of 5,000 digits": (CHUNKED + b"f" * 5000 + b"\r\n{}\r\n", CUT),
    "chunks within chunks": (
        OK
        + b"Transfer-Encoding: gzip, chunked\r\n\r\n22\r\n"
        + PAGE
        + b"\r\n0\r\n\r\n",
        NOT_JSON,
    ),
    "gzip that is none": (GZIP + PAGE, NOT_DECOMPRESSED),
    "gzip, cut": (GZIP + gzip.compress(PAGE)[:30], NOT_JSON),
    "gzip and more": (GZIP + gzip.compress(PAGE) + gzip.compress(b"{}"), NOT_JSON),
    "gzip a thousand times": (
        OK + b"Content-Encoding: " + b"gzip, " * 1000 + b"gzip\r\n\r\n{}",
        NOT_DECOMPRESSED,
    ),
    "zstd": (OK + b"Content-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd\x04", NOT_JSON),
    "Brotli": (OK + b"Content-Encoding: br\r\n\r\n\x8b\x10\x80{}\x03", NOT_JSON),
}


def check(run: Run, sandbox: Sandbox) -> None:
    assert run.code == 0, run.log
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert "Traceback" not in run.log


@pytest.mark.parametrize(("data", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_tries_again_after_bytes_that_are_no_answer(
    tap: Tap, sandbox: Sandbox, data: bytes, words: str
) -> None:
    sandbox.script({2: faults.raw(data)})
    run = tap.run(per_page=20)
    check(run, sandbox)
    assert len(run.warnings) == 1
    assert words in run.warnings[0]
    assert len(sandbox.requests) == 4


def test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked(
    tap: Tap, sandbox: Sandbox
) -> None:
    zeros = gzip.compress(bytes(MAX_BODY), compresslevel=1)
    sandbox.script({2: faults.raw(GZIP + zeros + gzip.compress(b"0"))})
    run = tap.run(per_page=20)
    check(run, sandbox)
    assert "too large for a page: set a smaller `per_page`" in run.warnings[0]


INTERIM = [
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 199 Odd\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
]


@pytest.mark.parametrize("interim", [*INTERIM, b"".join(INTERIM) * 20])
def test_interim_answers_are_skipped(
    tap: Tap, sandbox: Sandbox, interim: bytes
) -> None:
    sandbox.script(lambda _: faults.preceded(interim))
    run = tap.run(per_page=20)
    check(run, sandbox)
    assert not run.warnings


@pytest.mark.parametrize(
    "header",
    [
        b"No colon",
        b"X-\xc9: \xe9\xff",
        b"X\0: \0",
        b'Content-Type: \xe9; charset="',
        b"Set-Cookie: a=\xe9\r\n b; Max-Age=" + b"9" * 5000,
    ],
)
def test_odd_headers_do_no_harm(tap: Tap, sandbox: Sandbox, header: bytes) -> None:
    answer = OK + header + b"\r\n\r\n"
    sandbox.script(
        {
            1: faults.raw(
                answer + b'{"entries": [{"uuid": "cus_1"}], "has_more": true, '
                b'"cursor": "a"}'
            ),
            2: faults.raw(answer + PAGE),
        }
    )
    run = tap.run(per_page=20)
    assert run.code == 0, run.log
    assert run.uuids == ["cus_1"]
    assert not run.warnings
    assert "Traceback" not in run.log


def test_a_connection_that_is_closed_after_each_answer_does_no_harm(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script(lambda _: faults.unannounced_close())
    check(tap.run(per_page=20), sandbox)


def test_a_connection_that_was_closed_while_it_was_idle_costs_no_try() -> None:
    closed = threading.Event()

    def serve(server: socket.socket) -> None:
        for _ in range(2):
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(LENGTH_2 + b"\r\n{}")
            closed.set()

    with socket.create_server(("127.0.0.1", 0)) as server, DeadlineSession() as session:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1/customers"
        request = session.prepare_request(requests.Request("GET", url))
        for _ in range(2):
            assert session.send(request, timeout=30).content == b"{}"
            assert closed.wait(30)
        thread.join()
