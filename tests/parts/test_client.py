"""Whatever comes over the socket: the customers that were sent, or one clear line."""

from __future__ import annotations

import gzip
import json
import logging
import time
from base64 import b64encode
from contextlib import contextmanager, suppress
from queue import Queue
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_chartmogul_customers.api import pace
from tap_chartmogul_customers.api.client import Client
from tap_chartmogul_customers.api.decoder import CustomerDecoder, LooseCustomer
from tap_chartmogul_customers.api.paging import CursorPaginator
from tap_chartmogul_customers.errors import ReadError, TapError, UnreachableError
from tests.servers import busy, nobody, served

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tap_chartmogul_customers.api.paging import Page

KEY = "a-secret-key"
BASIC = b64encode(f"{KEY}:".encode())

CUSTOMERS = [{"uuid": f"cus_{number}", "name": "\xe9"} for number in range(3)]
PAGE = json.dumps({"entries": CUSTOMERS, "has_more": False}).encode()
GZIP_PAGE = gzip.compress(PAGE, mtime=0)
CHUNKED_PAGE = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n\r\n"
LENGTH_2 = OK + b"Content-Length: 2\r\n"
SIZE = b"%x\r\n" % len(PAGE)

pytestmark = pytest.mark.usefixtures("direct", "soon")


@pytest.fixture(scope="module")
def soon() -> Iterator[None]:
    """Try again at once, and as fast as can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "FIRST_WAIT", 0)
        patch.setattr(pace, "MOST_A_SECOND", 10_000)
        patch.setattr(pace, "MAX_RETRY_AFTER", 0)
        yield


def client(port: int, *, timeout: float = 20, max_retries: int = 0) -> Client:
    def prepare(cursor: str | None) -> requests.PreparedRequest:
        url = f"http://127.0.0.1:{port}/v1/customers"
        params = {"cursor": cursor}
        return requests.Request("GET", url, params=params, auth=(KEY, "")).prepare()

    return Client(
        prepare,
        CursorPaginator,
        CustomerDecoder().decode,
        timeout=timeout,
        max_retries=max_retries,
        api_key=KEY,
        logger=logging.getLogger("reader"),
    )


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Give everyone who connects the next of some answers, and close."""
    rest = list(answers)

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(rest.pop(0))

    with served(talk) as port:
        yield port


def sent(page: Page) -> list[dict[str, Any]]:
    """Return the customers of a page as they were sent."""
    return [cast("LooseCustomer", each).fields for each in page.customers]


def read(answer: bytes) -> list[Page]:
    """Read an account whose first answer is this; there is no other."""
    with answering(answer) as port:
        return list(client(port).pages())


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
    "status 099": (b"HTTP/1.1 099 Early\r\n\r\n" + PAGE, NOT_HTTP),
    "status of 5,000 digits": (b"HTTP/1.1 " + b"2" * 5000 + b"\r\n\r\n", NOT_HTTP),
    "status in other digits": (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", NOT_HTTP),
    "1,000 headers": (OK + b"X: y\r\n" * 1000 + b"\r\n" + PAGE, NOT_HTTP),
    "header of 1 MB": (OK + b"X: " + b"y" * 2**20 + b"\r\n\r\n" + PAGE, NOT_HTTP),
    "two lengths": (LENGTH_2 + b"Content-Length: 3\r\n\r\n{}", NOT_HTTP),
    "too long a length": (OK + b"Content-Length: 999\r\n\r\n" + PAGE, CUT),
    "too short a length": (LENGTH_2 + b"\r\n" + PAGE, NOT_JSON),
    "no length, cut": (OK + b"\r\n" + PAGE[:-1], NOT_JSON),
    "HTTP/1.0, cut": (b"HTTP/1.0 200 OK\r\n\r\n" + PAGE[:-1], NOT_JSON),
    "chunks without an end": (CHUNKED + SIZE + PAGE + b"\r\n", CUT),
    "chunk, cut": (CHUNKED + SIZE + PAGE[:-9], CUT),
    "chunk size in words": (CHUNKED + b"ten\r\n" + PAGE + b"\r\n0\r\n\r\n", CUT),
    "chunk size below zero": (CHUNKED + b"-2\r\n" + PAGE + b"\r\n0\r\n\r\n", CUT),
    "gzip that is none": (GZIP + PAGE, NOT_DECOMPRESSED),
    "gzip, cut": (GZIP + GZIP_PAGE[:60], NOT_JSON),
    "gzip and more": (GZIP + GZIP_PAGE + gzip.compress(b"{}"), NOT_JSON),
    "gzip a thousand times": (
        OK + b"Content-Encoding: " + b"gzip, " * 1000 + b"gzip\r\n\r\n{}",
        NOT_DECOMPRESSED,
    ),
    "NaN": (OK + b'\r\n{"entries": [{"mrr": NaN}], "has_more": false}', NOT_JSON),
    "two pages": (OK + b"\r\n" + PAGE + PAGE, NOT_JSON),
}


@pytest.mark.parametrize(("data", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_tries_again_after_what_is_no_whole_answer(
    data: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(data, OK + b"\r\n" + PAGE) as port:
        (page,) = client(port, max_retries=1).pages()
    assert sent(page) == CUSTOMERS
    (warning,) = caplog.messages
    assert words in warning
    assert warning.endswith(". Try 2 of 2 in 0.0 s")


@pytest.mark.parametrize(
    "head",
    [
        OK,
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.0 200 OK\r\n",
        OK + b"No colon\r\n",
        OK + b"X-\xc9: \xe9\xff\0\r\n",
        OK + b'Content-Type: \xe9; charset="\r\n',
        OK + b"Content-Type: text/html; charset=utf-16\r\n",
        OK + b"Set-Cookie: a=\xe9\r\n b; Max-Age=" + b"9" * 5000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + OK,
    ],
)
def test_odd_heads_do_no_harm(head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (page,) = read(head + b"\r\n" + PAGE)
    assert sent(page) == CUSTOMERS
    assert not caplog.messages


@pytest.mark.parametrize("body", [PAGE, GZIP_PAGE, CHUNKED_PAGE])
def test_an_answer_that_is_cut_anywhere_is_never_a_page(body: bytes) -> None:
    head = {
        PAGE: OK + b"Content-Length: %d\r\n\r\n" % len(PAGE),
        GZIP_PAGE: OK
        + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIP_PAGE),
        CHUNKED_PAGE: CHUNKED,
    }[body]
    whole = head + body
    cuts = [*range(0, len(whole) - 7, 5), *range(len(whole) - 7, len(whole) - 4)]
    with answering(*(whole[:cut] for cut in cuts)) as port:
        for _ in cuts:
            with pytest.raises(ReadError):
                list(client(port).pages())
    (page,) = read(whole)
    assert sent(page) == CUSTOMERS


some_bytes = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b""))
STATUS_LINES = st.one_of(
    st.just(b"HTTP/1.1 200 OK"),
    st.sampled_from(
        [b"HTTP/1.0 200", b"ICY 200 OK", b"HTTP/1.1  200  OK", b"http/1 2"]
    ),
    st.builds(
        lambda status, reason: b"HTTP/1.1 %d %b" % (status, reason),
        st.integers(0, 1100),
        some_bytes | st.sampled_from([KEY.encode(), BASIC]),
    ),
    some_bytes,
)
HEADERS = st.one_of(
    st.builds(
        lambda name, value: name + b": " + value,
        st.sampled_from(
            b"Content-Length Content-Encoding Transfer-Encoding Location Content-Type "
            b"Retry-After Set-Cookie Connection Link".split()
        ),
        st.one_of(
            st.sampled_from([b"chunked", b"gzip", b"deflate", b"br", b"close", b""]),
            st.sampled_from([b"http://[", b"https://" + BASIC, b"-1", b"1e9", b"nan"]),
            st.sampled_from([b"%d" % len(PAGE), b"Wed, 21 Oct 2099 07:28:00 GMT"]),
            some_bytes,
        ),
    ),
    some_bytes,
)
JSON = st.sampled_from(
    [
        {"code": 429, "message": f"Basic {BASIC.decode()}"},
        {"errors": [{"a": [None, KEY]}], "entries": KEY},
        {"entries": [KEY], "has_more": KEY},
        {"entries": [], "has_more": True, "cursor": 5},
        [],
        None,
    ]
).map(lambda value: json.dumps(value).encode())
BODIES = st.one_of(
    st.sampled_from([PAGE, PAGE, GZIP_PAGE, CHUNKED_PAGE]),
    st.integers(0, len(PAGE) - 1).map(lambda cut: PAGE[:cut]),
    st.builds(lambda cut, more: PAGE[:cut] + more, st.integers(0, 99), some_bytes),
    JSON,
    some_bytes,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(STATUS_LINES, st.lists(HEADERS, max_size=4), BODIES, st.sampled_from([1, 0.9]))
def test_no_bytes_make_a_short_read_or_more_than_one_line(
    caplog: pytest.LogCaptureFixture,
    line: bytes,
    headers: list[bytes],
    body: bytes,
    share: float,
) -> None:
    caplog.clear()
    answer = b"\r\n".join([line, *headers, b"", body])
    try:
        pages = read(answer[: int(len(answer) * share)])
    except TapError as error:
        said = str(error)
        assert said.startswith("GET /v1/customers, page 1: ")
        assert said.isprintable()
        assert KEY not in said
        assert BASIC.decode() not in said
    else:
        assert [*map(sent, pages)] == [CUSTOMERS]
    assert not caplog.records


def test_reads_all_pages_over_one_connection() -> None:
    def page(number: int) -> bytes:
        content = {"entries": [], "has_more": number < 3, "cursor": str(number)}
        body = json.dumps(content).encode()
        return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body

    connections: Queue[int] = Queue()

    def talk(client: socket.socket) -> None:
        connections.put(1)
        for number in range(1, 4):
            client.recv(65536)
            client.sendall(page(number))

    with served(talk) as port:
        assert len(list(client(port).pages())) == 3
    assert connections.qsize() == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (b"400 Bad Request", b"{}"),
        (b"503 Slow", b"{}"),
        (b"200 OK", b"{}"),
        (b"200 OK", b"<html>"),
        (b"200 OK", PAGE.replace(b"false", b"true")),
    ],
)
def test_the_connection_is_closed_after_an_error_that_is_kept(
    status: bytes, body: bytes
) -> None:
    answer = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b"
    ended: Queue[bytes] = Queue()

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer % (status, len(body), body))
        ended.put(client.recv(1))

    with served(talk) as port:
        with pytest.raises(TapError) as _kept:
            list(client(port).pages())
        assert ended.get(timeout=20) == b""


def test_a_connection_that_was_closed_while_it_was_idle_costs_no_try() -> None:
    first = json.dumps({"entries": [], "has_more": True, "cursor": "a"}).encode()
    head = OK + b"Content-Length: %d\r\n\r\n"
    with answering(head % len(first) + first, OK + b"\r\n" + PAGE) as port:
        reader = client(port).pages()
        next(reader)
        time.sleep(0.2)  # By then the end of the connection is here.
        assert sent(next(reader)) == CUSTOMERS


def test_what_no_connection_was_made_for_says_nothing_of_a_page() -> None:
    with pytest.raises(UnreachableError, match="Given up after try 4"):
        next(client(nobody(), max_retries=3).pages())


@pytest.mark.parametrize("late", [b"", OK, OK + b"Content-Length: 99\r\n\r\n{"])
def test_an_answer_that_stops_coming_is_given_up(late: bytes) -> None:
    ended: Queue[bytes] = Queue()

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(late)
        ended.put(client.recv(1))

    with served(talk) as port:
        with pytest.raises(ReadError, match="no whole answer within `request_time"):
            list(client(port, timeout=0.3).pages())
        assert ended.get(timeout=20) == b""


DRIPS = {
    "with a length": (OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "without one": (OK + b"\r\n", b" "),
    "chunked": (CHUNKED, b"1\r\n \r\n"),
    "gzip": (GZIP, GZIP_PAGE),
}


@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS)
@pytest.mark.parametrize("status", [b"200", b"500"])
def test_a_body_that_drips_is_given_up_in_time(
    head: bytes, drop: bytes, status: bytes
) -> None:
    hung_up: Queue[int] = Queue()

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(head.replace(b"200", status))
        with suppress(OSError):
            while True:
                client.sendall(drop)
                time.sleep(0.02)
        hung_up.put(1)

    expected = "no whole answer" if status == b"200" else "page 1: 500 OK"
    with served(talk) as port:
        # The error is kept, and with it all that led to it, but no connection.
        with pytest.raises(ReadError, match=expected) as kept:
            list(client(port, timeout=0.3).pages())
        assert hung_up.get(timeout=20)
    del kept


def test_a_slow_answer_has_the_time_out_for_its_body_alone() -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        time.sleep(1.5)
        client.sendall(OK + b"\r\n" + PAGE[:9])
        time.sleep(1.5)
        client.sendall(PAGE[9:])

    with served(talk) as port:
        (page,) = client(port, timeout=2.5).pages()
    assert sent(page) == CUSTOMERS


def test_says_that_nobody_lets_it_in() -> None:
    with (
        busy() as port,
        pytest.raises(
            UnreachableError,
            match=f"request to 127.0.0.1:{port} failed: no connection within "
            "`request_timeout`",
        ),
    ):
        list(client(port, timeout=0.3).pages())
