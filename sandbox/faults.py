"""What can go wrong with one answer: small named makers of faults."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import hdrs, web

from sandbox.answers import HTML_PAGE, RATE_LIMIT_MESSAGE, error, with_body
from sandbox.exchange import Exchange, SeenRequest
from sandbox.pages import compress

if TYPE_CHECKING:
    from sandbox.exchange import Edit

Fault: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse | None]]
"""Answers one exchange in its own way; None means that it broke the connection."""

Script: TypeAlias = Callable[[SeenRequest], Fault | None]
"""Picks the fault, if any, that a request meets with."""

# On, and zero seconds: closing then sends RST instead of FIN.
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)

_LONGER_THAN_ANY_TEST = 600


def one_in(number: int, seed: int) -> Script:
    """Script a fault that another try heals for one request in `number`."""
    healing = (
        status(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=0),
        status(HTTPStatus.TOO_MANY_REQUESTS, retry_after=0),
        reset(),
        cut_body(after=1_000),
        broken_json(),
    )
    rng = Random(seed)  # noqa: S311 - a mix of faults, no secret
    return lambda seen: rng.choice(healing) if seen.number % number == 0 else None


# Answers that arrive whole, but are not the page.


def _always(make: Callable[[], web.Response]) -> Fault:
    """Answer without a look at what is asked for."""

    async def answer(_: Exchange) -> web.Response:
        return make()

    return answer


def status(
    code: int,
    *,
    retry_after: int | str | None = None,
    message: str | None = None,
    html: bool = False,
) -> Fault:
    """Answer with an error.

    Args:
        code: The HTTP status.
        retry_after: `Retry-After`: seconds, or the text of an HTTP date.
        message: The message in the body, or None for a usual one.
        html: Whether the body is a web page, as a proxy's is, instead of JSON.
    """

    def make() -> web.Response:
        response = with_body(HTML_PAGE, "text/html") if html else _error(code, message)
        response.set_status(code)
        if retry_after is not None:
            response.headers[hdrs.RETRY_AFTER] = str(retry_after)
        return response

    return _always(make)


def _error(code: int, message: str | None) -> web.Response:
    if code == HTTPStatus.TOO_MANY_REQUESTS and message is None:
        return error(code, RATE_LIMIT_MESSAGE)
    return error(code, message or f"Error {code}", param=None)


def redirect(location: str) -> Fault:
    """Answer with a redirect."""
    headers = {hdrs.LOCATION: location}
    return _always(lambda: web.Response(status=HTTPStatus.FOUND, headers=headers))


def body(content: bytes) -> Fault:
    """Answer 200 with any bytes, said to be JSON."""
    return _always(lambda: with_body(content))


def html() -> Fault:
    """Answer 200 with a web page, as a captive proxy does."""
    return _always(lambda: with_body(HTML_PAGE, "text/html"))


def broken_json() -> Fault:
    """Answer with the first half of the page's JSON, whole as a transfer."""

    async def answer(exchange: Exchange) -> web.Response:
        content = exchange.json()
        return with_body(content[: len(content) // 2])

    return answer


def cut_gzip() -> Fault:
    """Answer with the first half of the page's gzip, whole as a transfer."""

    async def answer(exchange: Exchange) -> web.Response:
        content = compress(exchange.json())
        response = with_body(content[: len(content) // 2])
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        return response

    return answer


# Pages that are well-formed, but not what they should be.


def page(edit: Edit) -> Fault:
    """Answer with another body than the page's."""
    return lambda exchange: exchange.answer(edit)


def without(*fields: str) -> Fault:
    """Leave fields out of a page."""
    return page(lambda body: {key: body[key] for key in body if key not in fields})


def with_values(**values: object) -> Fault:
    """Give fields of a page other values."""
    return page(lambda body: body | values)


def repeated_cursor(cursor: str) -> Fault:
    """Send a cursor again that came before, with more to come."""
    return with_values(cursor=cursor, has_more=True)


def empty_page() -> Fault:
    """Send no customers, but a cursor to those that the page should have held."""

    async def answer(exchange: Exchange) -> web.Response:
        again = {"entries": [], "cursor": exchange.start_cursor(), "has_more": True}
        return await exchange.answer(lambda body: body | again)

    return answer


# Answers that come late, in part, or not at all.


async def _begin(exchange: Exchange, after: int) -> web.StreamResponse:
    """Send the beginning of a body, never the whole, with the length of the whole."""
    whole = exchange.body()
    response = _to_be_cut(exchange)
    response.content_length = len(whole)
    await response.prepare(exchange.request)
    await response.write(whole[: min(after, len(whole) - 1)])
    return response


def _to_be_cut(exchange: Exchange) -> web.StreamResponse:
    response = web.StreamResponse(headers=exchange.encoding)
    response.content_type = "application/json"
    response.force_close()
    return response


def cut_body(after: int) -> Fault:
    """Close the connection after so many bytes of a body, never all of it.

    The body says its `Content-Length`.
    """
    return lambda exchange: _begin(exchange, after)


def stall(after: int) -> Fault:
    """Send so many bytes of such a body, and no more."""

    async def answer(exchange: Exchange) -> web.StreamResponse:
        response = await _begin(exchange, after)
        await asyncio.sleep(_LONGER_THAN_ANY_TEST)
        return response

    return answer


def cut_chunked(after: int) -> Fault:
    """Close the connection after so many bytes of a chunked body."""

    async def answer(exchange: Exchange) -> web.StreamResponse:
        response = _to_be_cut(exchange)
        response.enable_chunked_encoding()
        await response.prepare(exchange.request)
        await response.write(exchange.body()[:after])
        if transport := exchange.request.transport:
            transport.close()
        return response

    return answer


def reset() -> Fault:
    """Break the connection with a TCP reset, without an answer."""
    return hang(0)


def hang(seconds: float) -> Fault:
    """Say nothing, then break the connection, at the latest when the sandbox stops."""

    async def answer(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        if transport := exchange.request.transport:
            sock: socket.socket = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
            transport.abort()

    return answer


def raw(data: bytes) -> Fault:
    """Send any bytes instead of an answer, then close the connection."""

    async def answer(exchange: Exchange) -> None:
        if transport := exchange.request.transport:
            transport.write(data)
            transport.close()

    return answer


def endless(begin: bytes, again: bytes) -> Fault:
    """Send `begin` instead of an answer, then `again` ten times a second, for ever."""

    async def answer(exchange: Exchange) -> None:
        data = begin
        while (transport := exchange.request.transport) is not None:
            transport.write(data)
            data = again
            await asyncio.sleep(0.1)

    return answer


def preceded(by: bytes) -> Fault:
    """Answer as usual, after other bytes."""

    async def answer(exchange: Exchange) -> web.Response:
        if transport := exchange.request.transport:
            transport.write(by)
        return await exchange.answer()

    return answer


def unannounced_close() -> Fault:
    """Answer as usual, then close the connection without having said so."""

    async def answer(exchange: Exchange) -> None:
        content = exchange.json()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
        await raw(head.encode() + content)(exchange)

    return answer
