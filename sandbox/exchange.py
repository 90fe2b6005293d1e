"""One request for customers, and the usual ways to answer it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import hdrs, web

from sandbox.pages import PageQuery, Pages, compress, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Edit: TypeAlias = Callable[[dict[str, Any]], object]
    """Makes another body, of any JSON type, of a page's."""


def with_body(content: bytes, content_type: str = "application/json") -> web.Response:
    """Answer 200."""
    return web.Response(body=content, content_type=content_type, charset="utf-8")


def error(code: int, message: str, param: str | None = None) -> web.Response:
    """Answer with an error as the service words it."""
    response = with_body(render({"code": code, "message": message, "param": param}))
    response.set_status(code)
    return response


@dataclass
class SeenRequest:
    """A request for customers, as tests look at it.

    Attributes:
        number: Its place among all such requests, tries again included, from 1.
        query: Its parameters, URL-decoded.
        headers: Its headers; their names may be asked for in any case.
        connection: The port of the client's end, which tells connections apart.
        time: When it came, by `time.monotonic`, in seconds.
        ended: When it was answered or given up, by the same clock; None until then.
        status: The status it was answered with; None without an answer (yet).
    """

    number: int
    query: dict[str, str]
    headers: Mapping[str, str]
    connection: int
    time: float = field(default_factory=monotonic)
    ended: float | None = None
    status: int | None = None


class Exchange:
    """A request and its usual answer, which a fault may use or change."""

    def __init__(self, request: web.Request, pages: Pages, latency: float) -> None:
        self.request = request
        self._pages = pages
        self._latency = latency

    async def answer(self, edit: Edit | None = None) -> web.Response:
        """Give the usual answer, which `edit` may change.

        Raises:
            WrongParameterError: If the API refuses what is asked for.
        """
        await asyncio.sleep(self._latency)
        response = with_body(self.body(edit))
        response.headers.update(self.encoding)
        return response

    def body(self, edit: Edit | None = None) -> bytes:
        """Give the body as it is sent with the headers of `encoding`."""
        if not self.encoding:
            return self.json(edit)
        ready = None if edit else self._pages.ready(self._query())
        return ready or compress(self.json(edit))

    def json(self, edit: Edit | None = None) -> bytes:
        """Give the JSON of the page, not compressed."""
        page = self._pages.page(self._query())
        return render(edit(page) if edit else page)

    @property
    def encoding(self) -> dict[str, str]:
        """The header that says how the body is compressed, if the client can."""
        accepted = self.request.headers.get(hdrs.ACCEPT_ENCODING, "")
        return {hdrs.CONTENT_ENCODING: "gzip"} if "gzip" in accepted else {}

    def start_cursor(self) -> str:
        """Give another cursor to the customers of the page itself."""
        return self._pages.start_cursor(self._query())

    def _query(self) -> PageQuery:
        return PageQuery.read(self.request.query)
