"""Whatever comes over the socket: the customers that were sent, or one clear line."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import time
from contextlib import contextmanager, suppress
from threading import Event
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

CUSTOMERS = [{"uuid": f"cus_{number}", "name": "\xe9"} for number in range(3)]
PAGE = json.dumps({"entries": CUSTOMERS, "has_more": False}).encode()
GZIP_PAGE = gzip.compress(PAGE, mtime=0)
SIZE = b"%x\r\n" % len(PAGE)
CHUNKED_PAGE = SIZE + PAGE + b"\r\n0\r\n\r\n"

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n"
LENGTH_2 = OK + b"Content-Length: 2\r\n"

pytestmark = pytest.mark.usefixtures("direct", "soon")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, and as fast as can be."""
    monkeypatch.setattr(pace, "FIRST_WAIT", 0)
    monkeypatch.setattr(pace, "MOST_A_SECOND", 10_000)
    monkeypatch.setattr(pace, "MAX_RETRY_AFTER", 0)


def client(port: int, *, timeout: float = 20, max_retries: int = 0) -> Client:
    url = f"http://127.0.0.1:{port}/v1/customers"
    return Client(
        lambda _: requests.Request("GET", url).prepare(),
        CursorPaginator,
        CustomerDecoder().decode,
        timeout=timeout,
        max_retries=max_retries,
        api_key="key",
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
    "TLS": (b"\x15\x03\x01\0\x02\x02\x50", NOT_HTTP),
    "two lengths": (LENGTH_2 + b"Content-Length: 3\r\n\r\n{}", NOT_HTTP),
    "too long a length": (OK + b"Content-Length: 999\r\n\r\n" + PAGE, CUT),
    "gzip that is none": (GZIP + b"\r\n" + PAGE, NOT_DECOMPRESSED),
    "gzip and more": (GZIP + b"\r\n" + GZIP_PAGE + gzip.compress(b"{}"), NOT_JSON),
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
    "whole",
    [
        OK + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE,
        GZIP + b"Content-Length: %d\r\n\r\n" % len(GZIP_PAGE) + GZIP_PAGE,
        CHUNKED + CHUNKED_PAGE,
    ],
)
def test_an_answer_that_is_cut_anywhere_is_never_a_page(whole: bytes) -> None:
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
    st.builds(
        lambda status, reason: b"HTTP/1.1 %d %b" % (status, reason),
        st.integers(0, 1100),
        some_bytes,
    ),
    some_bytes,
)
HEADERS = st.builds(
    lambda name, value: name + b": " + value,
    st.sampled_from(
        b"Content-Length Content-Encoding Transfer-Encoding Location Content-Type "
        b"Retry-After Set-Cookie Connection Link".split()
    ),
    st.sampled_from(
        [
            *(b"chunked", b"gzip", b"deflate", b"br", b"close", b"", b"-1", b"nan"),
            *(b"http://[", b"%d" % len(PAGE), b"Wed, 21 Oct 2099 07:28:00 GMT"),
        ]
    )
    | some_bytes,
)
BODIES = st.one_of(
    st.sampled_from([PAGE, GZIP_PAGE, CHUNKED_PAGE]),
    st.builds(lambda cut, more: PAGE[:cut] + more, st.integers(0, 99), some_bytes),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(STATUS_LINES, st.lists(HEADERS | some_bytes, max_size=4), BODIES, st.booleans())
def test_no_bytes_make_a_short_read_or_more_than_one_line(
    caplog: pytest.LogCaptureFixture,
    line: bytes,
    headers: list[bytes],
    body: bytes,
    is_cut: bool,  # noqa: FBT001 (hypothesis gives it)
) -> None:
    caplog.clear()
    answer = b"\r\n".join([line, *headers, b"", body])
    try:
        pages = read(answer[:-1] if is_cut else answer)
    except TapError as error:
        said = str(error)
        assert said.startswith("GET /v1/customers, page 1: ")
        assert said.isprintable()
    else:
        assert [*map(sent, pages)] == [CUSTOMERS]
    assert not caplog.records


def test_what_no_connection_was_made_for_says_nothing_of_a_page() -> None:
    with pytest.raises(UnreachableError, match="Given up after try 4"):
        next(client(nobody(), max_retries=3).pages())


LATE = "no whole answer within `request_timeout`"
GIVEN_UP = {
    "no answer": (b"", b"", LATE),
    "a body that stops": (OK + b"Content-Length: 99\r\n\r\n{", b"", LATE),
    "a body that drips": (OK + b"Content-Length: 1000000\r\n\r\n", b" ", LATE),
    "gzip that drips": (GZIP + b"\r\n", GZIP_PAGE, LATE),
    "an error that drips": (b"HTTP/1.1 500 Odd\r\n\r\n", b" ", "page 1: 500 Odd"),
    "a refusal": (b"HTTP/1.1 400 Odd\r\nContent-Length: 2\r\n\r\n{}", b"", "400 Odd"),
    "no JSON": (LENGTH_2 + b"\r\n<>", b"", NOT_JSON),
    "no page": (LENGTH_2 + b"\r\n{}", b"", "not a page of customers"),
}


@pytest.mark.parametrize(("head", "drop", "said"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_an_answer_is_given_up_in_time_and_leaves_no_connection_open(
    head: bytes, drop: bytes, said: str
) -> None:
    ended = Event()

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(head)
        client.settimeout(0.02)
        try:
            while True:
                client.sendall(drop)
                with suppress(TimeoutError):
                    if not client.recv(1):
                        break
        finally:
            ended.set()

    with served(talk) as port:
        # The error is kept, and with it all that led to it, but no connection.
        with pytest.raises(ReadError, match=said) as _kept:
            list(client(port, timeout=0.3).pages())
        assert ended.wait(timeout=20)


def test_a_slow_answer_has_the_time_out_for_its_body_alone() -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        time.sleep(1)
        client.sendall(OK + b"\r\n" + PAGE[:9])
        time.sleep(1)
        client.sendall(PAGE[9:])

    with served(talk) as port:
        (page,) = client(port, timeout=1.8).pages()
    assert sent(page) == CUSTOMERS


def test_says_that_nobody_lets_it_in() -> None:
    why = "failed: no connection within `request_timeout`"
    with busy() as port, pytest.raises(UnreachableError, match=why):
        list(client(port, timeout=0.3).pages())


def test_a_page_that_came_after_an_error_is_not_kept() -> None:
    with answering(b"", OK + b"\r\n" + PAGE) as port:
        reader = client(port, max_retries=1).pages()
        gc.collect()
        gc.disable()
        try:
            assert sent(next(reader)) == CUSTOMERS
            assert not any(isinstance(each, LooseCustomer) for each in gc.get_objects())
        finally:
            gc.enable()
