"""Asks the API for page after page, and tries again what may pass."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.exceptions import HTTPError, MaxRetryError

from tap_chartmogul_customers.api.answers import (
    ACCOUNT_WIDE,
    BETWEEN,
    described,
    said,
    tried_again,
)
from tap_chartmogul_customers.api.failures import failure
from tap_chartmogul_customers.api.pace import Pace, seconds_to_wait
from tap_chartmogul_customers.api.paging import Page
from tap_chartmogul_customers.errors import (
    PagingError,
    ReadError,
    TapError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_chartmogul_customers.api.paging import Answer, CursorPaginator, Customer

_CHUNK = 65536

# It logs headers that it cannot read, unmasked, with the address and a traceback.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _TryAgainError(Exception):
    """A try that failed in a way that may pass."""

    def __init__(
        self,
        why: str,
        retry_after: str = "",
        *,
        account_wide: bool = False,
        unreached: bool = False,
    ) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.account_wide = account_wide
        self.end = UnreachableError if unreached else ReadError


class _Connection(HTTPAdapter):
    """One connection, which is gone once it is closed.

    `urllib3` itself leaves it open as long as something holds an answer that came over
    it, such as the traceback of an error. Without a `Session`, no redirect is followed
    and no cookie is kept.
    """

    opened: Any = None

    @override
    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        self.opened = response.raw.connection
        return response

    @override
    def close(self) -> None:
        super().close()
        if self.opened:
            self.opened.close()


class Client:
    """Reads pages, starting at any place, at one pace for all readers.

    Args:
        prepare: What makes the request for the page that a cursor leads to.
        paginator: What makes a paginator that starts at a cursor.
        decode: What decodes an answer, as `CustomerDecoder.decode` does.
        timeout: Seconds to connect, between two parts of an answer, and for its body.
        max_retries: How often a request is tried again.
        api_key: The key, which no message may show.
        logger: Where it says that it tries again.
    """

    def __init__(
        self,
        prepare: Callable[[str | None], requests.PreparedRequest],
        paginator: Callable[[str | None], CursorPaginator],
        decode: Callable[[bytes], tuple[Answer[Customer], bool]],
        *,
        timeout: float,
        max_retries: int,
        api_key: str,
        logger: logging.Logger,
    ) -> None:
        self.pace = Pace()
        self._prepare = prepare
        self._paginator = paginator
        self._decode = decode
        self._timeout = min(timeout, threading.TIMEOUT_MAX)  # Sockets take no more.
        self._tries = max_retries + 1
        self._api_key = api_key
        self._environment: dict[str, Any] | None = None
        self._logger = logger

    def pages(self, start: str | None = None, label: str = "") -> Generator[Page]:
        """Read page after page to the last one, over one connection.

        Args:
            start: The cursor that leads to the first; none for the account's start.
            label: What errors call this reader, such as `range 2`.

        Yields:
            Each page, before the next one is asked for.

        Raises:
            ReadError: ChartMogul refused a request, or every try of one failed.
            PagingError: A page cannot be read, or does not say where the next one is.
            UnreachableError: ChartMogul cannot be reached.
        """
        paginator = self._paginator(start)
        with closing(_Connection()) as connection:
            for number in count(1):
                where = ", ".join(filter(None, (label, f"page {number}")))
                yield self._ask(connection, paginator, where)
                if paginator.finished:
                    return

    def _ask(
        self, connection: _Connection, paginator: CursorPaginator, where: str
    ) -> Page:
        """Return the page at which a paginator stands, and try again if need be."""
        try:
            request = self._prepare(paginator.current_value)
        except requests.exceptions.InvalidURL:
            msg = "`api_url` is not a valid address"
            raise UnreachableError(msg) from None
        where = f"GET {urlsplit(request.url or '').path}, {where}"
        tried = 0
        while True:
            self.pace.wait()
            tried += 1
            try:
                # No variable here holds the page: `urllib3` has cycles of an error and
                # this frame, which would keep it.
                return self._try(connection, request, paginator, where)
            except TapError as error:
                msg = f"{where}: {error}"
                raise type(error)(msg) from error
            except _TryAgainError as error:
                if tried == self._tries:
                    msg = f"{where}: {error}. Given up after try {tried}"
                    raise error.end(msg) from None
                seconds = seconds_to_wait(tried, error.retry_after)
                self.pace.retry(seconds, hold=error.account_wide)
                self._logger.warning(
                    "%s: %s. Try %d of %d in %.1f s",
                    *(where, error, tried + 1, self._tries, seconds),
                )
                time.sleep(seconds)

    def _try(
        self,
        connection: _Connection,
        request: requests.PreparedRequest,
        paginator: CursorPaginator,
        where: str,
    ) -> Page:
        """Ask once, and advance the paginator if a page came."""
        response, body = self._send(connection, request)
        if response.status_code != HTTPStatus.OK:
            why = described(response, body, self._api_key)
            if not tried_again(response.status_code):
                raise ReadError(why)
            retry_after = response.headers.get("Retry-After", "")
            account_wide = response.status_code in ACCOUNT_WIDE
            raise _TryAgainError(why, retry_after, account_wide=account_wide)
        try:
            answer, mended = self._decode(body)
            paginator.advance(cast("Any", answer))
        except PagingError:
            if words := said(body, self._api_key):
                msg = f"200, but with an error in it: {words}"
                raise _TryAgainError(msg) from None
            raise
        except ValueError as error:
            msg = f"the body is not JSON ({error}): it was cut short, or {BETWEEN}"
            raise _TryAgainError(msg) from None
        if mended:
            self._logger.warning(
                "%s: text that cannot be stored (NUL or invalid Unicode) became U+FFFD",
                where,
            )
        cursor = None if paginator.finished else paginator.current_value
        return Page(answer.entries, cursor, where)

    def _send(
        self, connection: _Connection, request: requests.PreparedRequest
    ) -> tuple[requests.Response, bytes]:
        """Return an answer and its whole body."""
        url = str(request.url)
        environment = self._environment = self._environment or _environment(url)
        try:
            response = connection.send(request, timeout=self._timeout, **environment)
            return response, _body(response, self._timeout)
        except (OSError, HTTPError, UnicodeError) as error:
            # It may hold an address with a password: no traceback of it.
            why, lasting = failure(error, url, environment)
            if lasting:
                raise UnreachableError(why) from None
            unreached = bool(error.args) and isinstance(error.args[0], MaxRetryError)
            raise _TryAgainError(why, unreached=unreached) from None


def _environment(url: str) -> dict[str, Any]:
    """Return the certificates and proxies that the environment has for an address."""
    session = requests.Session()
    found = session.merge_environment_settings(url, {}, True, None, None)  # noqa: FBT003 (the API of `requests`)
    if url.startswith("http:"):
        # Without TLS the key may go to this machine only, not to a proxy.
        found["proxies"] = {}
    return {**found}


def _body(response: requests.Response, timeout: float) -> bytes:
    """Read the body of an answer, decompressed.

    Raises:
        TimeoutError: It is not there in time.
    """
    deadline = time.monotonic() + timeout
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if time.monotonic() > deadline:
                raise TimeoutError
    except (OSError, HTTPError):
        # The status of an error counts, whatever becomes of its body.
        if response.status_code == HTTPStatus.OK:
            raise
    finally:
        response.raw.close()
    return bytes(body)
