"""Answers that come late, in part, or not at all."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from sandbox.exchange import Exchange
    from sandbox.faults.fault import Fault

# On, and zero seconds: closing then sends RST instead of FIN.
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)

_LONGER_THAN_ANY_TEST = 600


def cut_body(after: int) -> Fault:
    """Close the connection within a body of a known `Content-Length`.

    Args:
        after: Bytes of the body that are sent, always short of the whole.
    """

    async def answer(exchange: Exchange) -> web.StreamResponse:
        return await _begin(exchange, after)

    return answer


def cut_chunked(after: int) -> Fault:
    """Close the connection within a chunked body, before its last chunk.

    Args:
        after: Bytes of the body that are sent.
    """

    async def answer(exchange: Exchange) -> web.StreamResponse:
        response = _to_be_cut(exchange)
        response.enable_chunked_encoding()
        await response.prepare(exchange.request)
        await response.write(exchange.body()[:after])
        if transport := exchange.request.transport:
            transport.close()
        return response

    return answer


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


def reset() -> Fault:
    """Break the connection with a TCP reset, without an answer."""

    async def answer(exchange: Exchange) -> None:
        _reset(exchange.request)

    return answer


def hang(seconds: float) -> Fault:
    """Say nothing, then break the connection.

    Args:
        seconds: How long to say nothing, if the sandbox does not stop before.
    """

    async def answer(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        _reset(exchange.request)

    return answer


def _reset(request: web.Request) -> None:
    if transport := request.transport:
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        transport.abort()


def drip(seconds: float) -> Fault:
    """Send the body byte by byte, so that there is always something to wait for.

    Args:
        seconds: Between two bytes.
    """

    async def answer(exchange: Exchange) -> web.StreamResponse:
        whole = exchange.body()
        response = web.StreamResponse(headers=exchange.encoding)
        response.content_type = "application/json"
        response.content_length = len(whole)
        await response.prepare(exchange.request)
        for byte in whole:
            await response.write(bytes([byte]))
            await asyncio.sleep(seconds)
        return response

    return answer


def raw(data: bytes) -> Fault:
    """Send any bytes instead of an answer, then close the connection.

    Args:
        data: The bytes.
    """

    async def answer(exchange: Exchange) -> None:
        if transport := exchange.request.transport:
            transport.write(data)
            transport.close()

    return answer


def endless(begin: bytes, again: bytes) -> Fault:
    """Send any bytes instead of an answer, and never come to an end.

    Args:
        begin: The first bytes.
        again: What follows, ten times a second for as long as the client is there.
    """

    async def answer(exchange: Exchange) -> None:
        data = begin
        while (transport := exchange.request.transport) is not None:
            transport.write(data)
            data = again
            await asyncio.sleep(0.1)

    return answer


def preceded(by: bytes) -> Fault:
    """Answer as usual, after other bytes.

    Args:
        by: The bytes.
    """

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


def stall(after: int) -> Fault:
    """Send the beginning of a body of a known `Content-Length`, and no more.

    Args:
        after: Bytes of the body that are sent.
    """

    async def answer(exchange: Exchange) -> web.StreamResponse:
        response = await _begin(exchange, after)
        await asyncio.sleep(_LONGER_THAN_ANY_TEST)
        return response

    return answer


def slow(seconds: float) -> Fault:
    """Answer as usual, but late.

    Args:
        seconds: How late.
    """

    async def answer(exchange: Exchange) -> web.Response:
        await asyncio.sleep(seconds)
        return await exchange.answer()

    return answer
