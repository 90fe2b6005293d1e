"""What can go wrong with one answer: `sandbox.script({3: faults.reset()})`."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias

from aiohttp import hdrs, web

from sandbox.exchange import Exchange, SeenRequest, error, with_body
from sandbox.pages import compress

if TYPE_CHECKING:
    from sandbox.exchange import Edit

Answer: TypeAlias = Awaitable[web.StreamResponse | None]
"""What is answered; None means that the connection is broken."""

Fault: TypeAlias = Callable[[Exchange], Answer]
"""Answers one exchange in its own way."""

Script: TypeAlias = Callable[[SeenRequest], Fault | None]
"""Picks the fault, if any, that a request meets with."""

Options = ParamSpec("Options")

# On, and zero seconds: closing then sends RST instead of FIN.
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)

_LONGER_THAN_ANY_TEST = 600


def one_in(number: int) -> Script:
    """Give one request in `number` a fault that is gone at the next try."""
    healing = (
        status(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=0),
        status(HTTPStatus.TOO_MANY_REQUESTS, retry_after=0),
        reset(),
        cut_body(after=1_000),
        broken_json(),
    )
    rng = Random(1)  # noqa: S311 - a mix of faults, no secret
    return lambda seen: rng.choice(healing) if seen.number % number == 0 else None


def _fault(
    answer: Callable[Concatenate[Exchange, Options], Answer],
) -> Callable[Options, Fault]:
    """Turn a function that answers an exchange into one that makes a fault."""

    @wraps(answer)
    def make(*args: Options.args, **options: Options.kwargs) -> Fault:
        return lambda exchange: answer(exchange, *args, **options)

    return make


# Answers that arrive whole, but are not the page.


@_fault
async def status(
    _: Exchange,
    code: int,
    *,
    retry_after: int | str | None = None,
    message: str | None = None,
) -> web.Response:
    """Answer with an error; `retry_after` is in seconds, or an HTTP date."""
    response = error(code, message or f"Error {code}")
    if retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(retry_after)
    return response


@_fault
async def redirect(_: Exchange, location: str) -> web.Response:
    """Answer with a redirect."""
    return web.Response(status=HTTPStatus.FOUND, headers={hdrs.LOCATION: location})


@_fault
async def body(_: Exchange, content: bytes) -> web.Response:
    """Answer 200 with any bytes, said to be JSON."""
    return with_body(content)


@_fault
async def html(_: Exchange) -> web.Response:
    """Answer 200 with a web page, as a captive proxy does."""
    page = b"<!DOCTYPE html><html><body><h1>Just a moment...</h1></body></html>"
    return with_body(page, "text/html")


@_fault
async def broken_json(exchange: Exchange) -> web.Response:
    """Answer with the first half of the page's JSON, whole as a transfer."""
    content = exchange.json()
    return with_body(content[: len(content) // 2])


@_fault
async def cut_gzip(exchange: Exchange) -> web.Response:
    """Answer with the first half of the page's gzip, whole as a transfer."""
    content = compress(exchange.json())
    response = with_body(content[: len(content) // 2])
    response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return response


# Pages that are well-formed, but not what they should be.


@_fault
async def page(exchange: Exchange, edit: Edit) -> web.Response:
    """Answer with another body than the page's."""
    return await exchange.answer(edit)


def without(*fields: str) -> Fault:
    """Leave fields out of a page."""
    return page(lambda body: {key: body[key] for key in body if key not in fields})


def with_values(**values: object) -> Fault:
    """Give fields of a page other values."""
    return page(lambda body: body | values)


def repeated_cursor(cursor: str) -> Fault:
    """Send a cursor again that came before, with more to come."""
    return with_values(cursor=cursor, has_more=True)


@_fault
async def empty_page(exchange: Exchange) -> web.Response:
    """Send no customers, but a cursor to the customers of the page."""
    again = {"entries": [], "cursor": exchange.start_cursor(), "has_more": True}
    return await exchange.answer(lambda body: body | again)


# Answers that come late, in part, or not at all.


async def _begin(
    exchange: Exchange, after: int, *, chunked: bool = False
) -> web.StreamResponse:
    """Send the beginning of a body, never the whole, as if the rest were to come."""
    whole = exchange.body()
    response = web.StreamResponse(headers=exchange.encoding)
    response.content_type = "application/json"
    response.force_close()
    if chunked:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(whole)
    await response.prepare(exchange.request)
    await response.write(whole[: min(after, len(whole) - 1)])
    return response


@_fault
async def cut_body(exchange: Exchange, after: int) -> web.StreamResponse:
    """Close the connection after so many bytes of a body that says its length."""
    return await _begin(exchange, after)


@_fault
async def cut_chunked(exchange: Exchange, after: int) -> web.StreamResponse:
    """Close the connection after so many bytes of a chunked body."""
    response = await _begin(exchange, after, chunked=True)
    if transport := exchange.request.transport:
        transport.close()
    return response


@_fault
async def stall(exchange: Exchange, after: int) -> web.StreamResponse:
    """Send so many bytes of a body that says its length, and no more."""
    response = await _begin(exchange, after)
    await asyncio.sleep(_LONGER_THAN_ANY_TEST)
    return response


def reset() -> Fault:
    """Break the connection with a TCP reset, without an answer."""
    return hang(0)


@_fault
async def hang(exchange: Exchange, seconds: float) -> None:
    """Wait, then break the connection, at the latest when the sandbox stops."""
    await asyncio.sleep(seconds)
    if transport := exchange.request.transport:
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        transport.abort()


@_fault
async def raw(exchange: Exchange, data: bytes) -> None:
    """Send any bytes instead of an answer, then close the connection."""
    if transport := exchange.request.transport:
        transport.write(data)
        transport.close()


@_fault
async def unannounced_close(exchange: Exchange) -> None:
    """Answer as usual, then close the connection without having said so."""
    content = exchange.json()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
    if transport := exchange.request.transport:
        # The end goes out with the answer, else a client could ask again before it.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    await raw(head.encode() + content)(exchange)
