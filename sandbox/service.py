"""The web application: who is let in, what is asked, and how it is answered."""

from __future__ import annotations

from collections import deque
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import hdrs, web

from sandbox.answers import RATE_LIMIT_MESSAGE, error
from sandbox.exchange import Exchange, SeenRequest
from sandbox.pages import Pages, WrongParameterError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from sandbox.faults import Script

PATH = "/v1/customers"


class RateLimit:
    """Lets so many requests through in any second."""

    def __init__(self, a_second: int) -> None:
        self._latest: deque[float] = deque(maxlen=a_second)

    def lets_through(self) -> bool:
        """Count a request in, or refuse it."""
        now = monotonic()
        if len(self._latest) == self._latest.maxlen and now - self._latest[0] < 1:
            return False
        self._latest.append(now)
        return True


class Service:
    """ChartMogul's List Customers API on an aiohttp server.

    The arguments are those of `Sandbox`.

    Attributes:
        requests: The requests for customers so far, in order.
        script: Picks a fault for a request that was let in.
        latency: Seconds before a page.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        api_key: str,
        latency: float,
        rate_limit: int | None,
        connection_limit: int,
    ) -> None:
        self.requests: list[SeenRequest] = []
        self.script: Script | None = None
        self.latency = latency
        self._pages = pages
        self._authorization = aiohttp.encode_basic_auth(api_key, "")
        self._rate_limit = RateLimit(rate_limit) if rate_limit else None
        self._connection_limit = connection_limit
        app = web.Application(middlewares=[_errors_as_json])
        app.router.add_get(PATH, self._customers, allow_head=False)
        self.runner = web.AppRunner(
            app,
            access_log=None,
            # A client that gives up must not keep a connection.
            handler_cancellation=True,
            # In seconds; aiohttp takes 0 for no limit.
            shutdown_timeout=0.05,
        )

    async def _customers(self, request: web.Request) -> web.StreamResponse:
        seen = SeenRequest(
            number=len(self.requests) + 1,
            query=dict(request.query),
            headers=request.headers,
            connection=request.get_extra_info("peername", (None, 0))[1],
        )
        self.requests.append(seen)
        try:
            response = self._refusal(request) or await self._fate(request, seen)
        finally:
            seen.ended = monotonic()
        if response is None:
            # The connection is broken: this goes nowhere.
            return web.Response()
        seen.status = response.status
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._is_one_connection_too_many(request):
            message = "Too many connections at once"
            return error(HTTPStatus.SERVICE_UNAVAILABLE, message, param=None)
        if request.headers.get(hdrs.AUTHORIZATION) != self._authorization:
            message = "No valid API key provided"
            return error(HTTPStatus.UNAUTHORIZED, message, param=None)
        if self._rate_limit and not self._rate_limit.lets_through():
            return error(HTTPStatus.TOO_MANY_REQUESTS, RATE_LIMIT_MESSAGE)
        return None

    def _is_one_connection_too_many(self, request: web.Request) -> bool:
        server = self.runner.server
        # In the order in which they were opened.
        allowed = server.connections[: self._connection_limit] if server else ()
        return request.protocol not in allowed

    async def _fate(
        self, request: web.Request, seen: SeenRequest
    ) -> web.StreamResponse | None:
        exchange = Exchange(request, self._pages, self.latency)
        fault = self.script(seen) if self.script else None
        try:
            return await (fault(exchange) if fault else exchange.answer())
        except WrongParameterError as wrong:
            return error(HTTPStatus.BAD_REQUEST, str(wrong), param=wrong.param)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPClientError as wrong:
        return error(wrong.status, wrong.reason, param=None)
