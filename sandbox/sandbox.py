"""ChartMogul's List Customers API in a thread of this process."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from http import HTTPStatus
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import hdrs, web

from sandbox import stale
from sandbox.exchange import Exchange, SeenRequest, error
from sandbox.pages import MOST_PER_PAGE, Pages, WrongParameterError
from sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiohttp.typedefs import Handler

    from sandbox.faults import Fault, Script
    from sandbox.store import Customer

API_KEY = "sandbox-api-key"
HOST = "127.0.0.1"
PATH = "/v1/customers"


class Sandbox:
    """ChartMogul's List Customers API on a port of the loopback interface.

    It listens from entering its `with` block to leaving it.

    Args:
        customers: The account's customers, as the API sends them.
        latency: Seconds before a page.
        rate_limit: Requests in any second, or None for no limit.
        connection_limit: Connections at once.
        api_key: The one good API key.
        port: The port, or 0 for a free one.

    Attributes:
        api_key: The API key.
        latency: Seconds before a page; may be set at any time.
        requests: The requests for customers so far, in order.
    """

    def __init__(
        self,
        customers: Iterable[Customer] = (),
        *,
        latency: float = 0.0,
        rate_limit: int | None = 40,
        connection_limit: int = 20,
        api_key: str = API_KEY,
        port: int = 0,
    ) -> None:
        self.api_key = api_key
        self.latency = latency
        self.requests: list[SeenRequest] = []
        self._store = Store(customers)
        self._pages = Pages(self._store)
        self._script: Script = lambda _: None
        self._authorization = aiohttp.encode_basic_auth(api_key, "")
        self._latest = deque[float](maxlen=rate_limit) if rate_limit else None
        self._connection_limit = connection_limit
        self._port = port
        app = web.Application(middlewares=[_errors_as_json])
        app.router.add_get(PATH, self._customers, allow_head=False)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            # A client that gives up must not keep a connection.
            handler_cancellation=True,
            # In seconds; aiohttp takes 0 for no limit.
            shutdown_timeout=0.05,
        )
        self._thread = Thread(target=self._run, name="sandbox", daemon=True)
        self._started: Future[None] = Future()

    @property
    def url(self) -> str:
        """The base URL, as the setting `api_url` takes it."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def customers(self) -> list[Customer]:
        """The customers as they are now, in the API's order; change them by `put`."""
        return self._store.all()

    def put(self, customer: Customer) -> None:
        """Add a customer, or change the one with its uuid."""
        self._store.put(customer)
        self._pages.forget()

    def remove(self, uuid: str) -> None:
        """Take a customer out of the account; one who is not there is no error."""
        self._store.remove(uuid)
        self._pages.forget()

    def script(self, script: Script | Mapping[int, Fault]) -> None:
        """Say which requests meet with a fault.

        A request that is refused for the limits or a bad key meets none.

        Args:
            script: Faults by the number of the request, counted as in `requests`;
                or a function that picks a fault, or None, for a request.
        """
        self._script = (
            script if callable(script) else lambda request: script.get(request.number)
        )

    def age_cursors(self, reading: stale.Reading = stale.refused) -> None:
        """Make all cursors so far old ones; `reading` says what the service does."""
        self._pages.age_cursors(reading)

    def prerender(self, per_page: int = MOST_PER_PAGE) -> None:
        """Render and compress all pages, so that serving them costs next to nothing.

        Only a read without filters is served so, and until the next change.
        """
        self._pages.prerender(per_page)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, HOST, self._port).start()
        except Exception as failure:  # noqa: BLE001 - raised again by `__enter__`
            await self._runner.cleanup()
            self._started.set_exception(failure)
            return
        self._port = self._runner.addresses[0][1]
        self._started.set_result(None)
        await self._stop.wait()
        await self._runner.cleanup()

    async def _customers(self, request: web.Request) -> web.StreamResponse:
        seen = SeenRequest(
            number=len(self.requests) + 1,
            query=dict(request.query),
            headers=request.headers,
            connection=request.get_extra_info("peername", (None, 0))[1],
        )
        self.requests.append(seen)
        try:
            response = self._refusal(request, seen) or await self._fate(request, seen)
        finally:
            seen.ended = monotonic()
        if response is None:
            # The connection is broken: this goes nowhere.
            return web.Response()
        seen.status = response.status
        return response

    def _refusal(self, request: web.Request, seen: SeenRequest) -> web.Response | None:
        server = self._runner.server
        # In the order in which they were opened.
        allowed = server.connections[: self._connection_limit] if server else ()
        if request.protocol not in allowed:
            return error(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections at once")
        if request.headers.get(hdrs.AUTHORIZATION) != self._authorization:
            return error(HTTPStatus.UNAUTHORIZED, "No valid API key provided")
        if self._is_too_fast(seen.time):
            return error(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests in a second")
        return None

    def _is_too_fast(self, now: float) -> bool:
        latest = self._latest
        if latest is None:
            return False
        if len(latest) == latest.maxlen and now - latest[0] < 1:
            return True
        latest.append(now)
        return False

    async def _fate(
        self, request: web.Request, seen: SeenRequest
    ) -> web.StreamResponse | None:
        exchange = Exchange(request, self._pages, self.latency)
        fault = self._script(seen)
        try:
            return await (fault(exchange) if fault else exchange.answer())
        except WrongParameterError as wrong:
            return error(HTTPStatus.BAD_REQUEST, str(wrong), param=wrong.param)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPClientError as wrong:
        return error(wrong.status, wrong.reason)
