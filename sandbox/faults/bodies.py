"""Answers that arrive whole, but are not the page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from sandbox.answers import HTML_PAGE, RATE_LIMIT_MESSAGE, error, with_body
from sandbox.pages import compress

if TYPE_CHECKING:
    from sandbox.exchange import Exchange
    from sandbox.faults.fault import Fault


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

    async def answer(_: Exchange) -> web.Response:
        response = with_body(HTML_PAGE, "text/html") if html else _error(code, message)
        response.set_status(code)
        if retry_after is not None:
            response.headers[hdrs.RETRY_AFTER] = str(retry_after)
        return response

    return answer


def _error(code: int, message: str | None) -> web.Response:
    if code == HTTPStatus.TOO_MANY_REQUESTS and message is None:
        return error(code, RATE_LIMIT_MESSAGE)
    return error(code, message or f"Error {code}", param=None)


def redirect(location: str) -> Fault:
    """Answer with a redirect.

    Args:
        location: The URL to go to.
    """

    async def answer(_: Exchange) -> web.Response:
        return web.Response(status=HTTPStatus.FOUND, headers={hdrs.LOCATION: location})

    return answer


def body(content: bytes) -> Fault:
    """Answer 200 with any bytes, said to be JSON.

    Args:
        content: The whole body.
    """

    async def answer(_: Exchange) -> web.Response:
        return with_body(content)

    return answer


def html() -> Fault:
    """Answer 200 with a web page, as a captive proxy does."""

    async def answer(_: Exchange) -> web.Response:
        return with_body(HTML_PAGE, "text/html")

    return answer


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
