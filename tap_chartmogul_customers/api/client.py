"""Asks the API for page after page, and tries again what may pass."""

from __future__ import annotations

import io
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import requests
from typing_extensions import override
from urllib3.exceptions import HTTPError

from tap_chartmogul_customers.api.answers import (
    ACCOUNT_WIDE,
    described,
    said,
    shown,
    tried_again,
)
from tap_chartmogul_customers.api.failures import failure
from tap_chartmogul_customers.api.pace import Pace, seconds_to_wait
from tap_chartmogul_customers.api.paging import (
    Page,
    read_customers,
)
from tap_chartmogul_customers.errors import (
    NoAnswerError,
    PagingError,
    RefusedError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_chartmogul_customers.api.paging import CursorPaginator

_CHUNK = 65536

# It logs headers that it cannot read, as they came, with the address and a traceback.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class _TryAgainError(Exception):
    """A try that failed in a way that may pass."""

    def __init__(self, why: str, response: requests.Response | None = None) -> None:
        super().__init__(why)
        headers = {} if response is None else response.headers
        self.retry_after = headers.get("Retry-After", "")
        self.account_wide = (
            response is not None and response.status_code in ACCOUNT_WIDE
        )


class _Session(requests.Session):
    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow no redirect, nor read where it leads, which may be no URL."""


class Client:
    """Reads pages, from any place of the account on, at one pace for all readers.

    Args:
        prepare: What makes the request for the page that a cursor leads to.
        paginator: What makes a paginator that starts at a cursor.
        timeout: Seconds to connect, between two parts of an answer, and for all of it.
        max_retries: How often a request is tried again.
        api_key: What no message may show.
        logger: Where it says that it tries again.
    """

    def __init__(
        self,
        prepare: Callable[[str | None], requests.PreparedRequest],
        paginator: Callable[[str | None], CursorPaginator],
        *,
        timeout: float,
        max_retries: int,
        api_key: str,
        logger: logging.Logger,
    ) -> None:
        self.pace = Pace()
        self._prepare = prepare
        self._paginator = paginator
        self._timeout = timeout
        self._tries = max_retries + 1
        self._api_key = api_key
        self._logger = logger

    def pages(
        self,
        start: str | None = None,
        label: str = "",
        first_tries: int | None = None,
    ) -> Generator[Page]:
        """Read page after page to the last one, over one connection.

        Args:
            start: The cursor that leads to the first of them; none for the start of
                the account.
            label: What errors call this reader, such as `range 2`.
            first_tries: How often the first page is asked for, at most; if not set,
                `max_retries` times more than once.

        Yields:
            Each page, before the next one is asked for.

        Raises:
            RefusedError: ChartMogul refused a request.
            NoAnswerError: A request failed `max_retries` times more than once.
            PagingError: A page does not say where the next one is.
            UnreachableError: ChartMogul cannot be reached, now or later.
        """
        paginator = self._paginator(start)
        with _Session() as session:
            while not paginator.finished:
                request = self._prepare(paginator.current_value)
                path = urlsplit(request.url or "").path
                number = f"page {paginator.count + 1}"
                where = ", ".join(filter(None, (f"GET {path}", label, number)))
                tries = self._tries
                if first_tries and not paginator.count:
                    tries = min(tries, first_tries)
                try:
                    response, page = self._ask(session, request, where, tries)
                    paginator.advance(response)
                except PagingError as error:
                    msg = f"{where}: {error}"
                    raise PagingError(msg) from error
                if not paginator.finished:
                    page = page._replace(cursor=paginator.current_value)
                yield page

    def _ask(
        self,
        session: requests.Session,
        request: requests.PreparedRequest,
        where: str,
        tries: int,
    ) -> tuple[requests.Response, Page]:
        """Return the answer to a request and its page, whatever try brings them."""
        tried = 0
        while True:
            self.pace.wait()
            try:
                response = self._send(session, request, where)
                return response, _page(response, where)
            except _TryAgainError as error:
                tried += 1
                # Of the whole account, such an answer says nothing of this cursor.
                most = self._tries if error.account_wide else tries
                if tried >= most:
                    msg = (
                        f"{where}: {shown(str(error), self._api_key)} (tries: {tried})"
                    )
                    raise NoAnswerError(msg) from None
                seconds = seconds_to_wait(tried, error.retry_after)
                self.pace.retry(seconds, hold=error.account_wide)
                self._logger.warning(
                    "%s: %s. Try %d of %d in %.1f s",
                    where,
                    shown(str(error), self._api_key),
                    tried + 1,
                    most,
                    seconds,
                )
                time.sleep(seconds)

    def _send(
        self, session: requests.Session, request: requests.PreparedRequest, where: str
    ) -> requests.Response:
        """Return an answer with status 200, its whole body read."""
        url = str(request.url)
        environment = session.merge_environment_settings(url, {}, True, None, None)  # noqa: FBT003 (the API of `requests`)
        if url.startswith("http:"):
            # In the clear the key goes to this machine alone, not to a proxy.
            environment["proxies"] = {}
        deadline = time.monotonic() + self._timeout
        try:
            response = session.send(
                request, timeout=self._timeout, allow_redirects=False, **environment
            )
            response.raw = io.BytesIO(_body(response, deadline))
        except (OSError, HTTPError, UnicodeError) as error:
            # It may hold what was received, perhaps the key: no traceback of it.
            why, lasting = failure(error, url, environment)
            if lasting:
                msg = f"{where}: {why}"
                raise UnreachableError(msg) from None
            raise _TryAgainError(why) from None
        if response.status_code == HTTPStatus.OK:
            return response
        why = described(response, self._api_key)
        if tried_again(response.status_code):
            raise _TryAgainError(why, response)
        msg = f"{where}: {why}"
        raise RefusedError(msg)


def _body(response: requests.Response, deadline: float) -> bytes:
    """Read the body of an answer, decompressed.

    Raises:
        TimeoutError: It is not there before the deadline.
    """
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


def _page(response: requests.Response, where: str) -> Page:
    """Read the page in an answer, and leave in the answer what can be stored.

    Raises:
        _TryAgainError: The body is cut short, not JSON, or an error.
        PagingError: It is JSON, but no page.
    """
    body = cast("io.BytesIO", response.raw).getvalue()
    try:
        customers, stored = read_customers(body)
    except PagingError:
        if words := said(body):
            msg = f"200, but with an error in it: {words}"
            raise _TryAgainError(msg) from None
        raise
    except ValueError as error:
        msg = (
            f"the body is not JSON ({error}): it was cut short, or something between "
            "here and ChartMogul answered, such as a proxy"
        )
        raise _TryAgainError(msg) from None
    response.raw = io.BytesIO(stored)
    return Page(customers, None, where, mended=stored != body)
