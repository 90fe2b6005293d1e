"""The service running in a thread of this process, and what a test may do with it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Self

from aiohttp import web

from sandbox import stale
from sandbox.pages import MOST_PER_PAGE, Pages
from sandbox.service import Service
from sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.exchange import SeenRequest
    from sandbox.faults import Fault, Script
    from sandbox.store import Customer

API_KEY = "sandbox-api-key"
HOST = "127.0.0.1"


class Sandbox:
    """ChartMogul's List Customers API on a port of the loopback interface.

    It listens from entering its `with` block to leaving it.

    Args:
        customers: The account's customers, as the API sends them.
        latency: Seconds before a page.
        rate_limit: Requests a second, or None for no limit.
        connection_limit: Connections at once.
        api_key: The one good API key.
        port: The port, or 0 for a free one.
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
        self._store = Store(customers)
        self._pages = Pages(self._store)
        self._service = Service(
            self._pages,
            api_key=api_key,
            latency=latency,
            rate_limit=rate_limit,
            connection_limit=connection_limit,
        )
        self._port = port
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

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests for customers so far, in order."""
        return self._service.requests

    @property
    def latency(self) -> float:
        """Seconds before a page; may be set at any time."""
        return self._service.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._service.latency = seconds

    def put(self, customer: Customer) -> None:
        """Add a customer, or change the one with its uuid.

        Raises:
            ValueError: If another customer has its id and instant.
        """
        self._store.put(customer)

    def remove(self, uuid: str) -> None:
        """Take a customer out of the account; one who is not there is no error."""
        self._store.remove(uuid)

    def script(self, script: Script | Mapping[int, Fault]) -> None:
        """Say which requests meet with a fault.

        A request that is refused for the limits or a bad key meets none.

        Args:
            script: Faults by the number of the request, counted as in `requests`;
                or a function that picks a fault, or None, for a request.
        """
        self._service.script = (
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
        runner = self._service.runner
        try:
            await runner.setup()
            await web.TCPSite(runner, HOST, self._port).start()
        except Exception as error:  # noqa: BLE001 - raised again by `__enter__`
            await runner.cleanup()
            self._started.set_exception(error)
            return
        self._port = runner.addresses[0][1]
        self._started.set_result(None)
        await self._stop.wait()
        await runner.cleanup()
