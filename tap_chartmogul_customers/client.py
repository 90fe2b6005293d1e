"""How ChartMogul is asked: address, key, retries, errors; not what a page is."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import backoff
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.streams import RESTStream

from tap_chartmogul_customers.api.pace import Pace
from tap_chartmogul_customers.api.retries import (
    ACCOUNT_WIDE,
    CURSOR_REFUSED,
    RETRIED_STATUSES,
    waits,
)
from tap_chartmogul_customers.api.session import DeadlineSession
from tap_chartmogul_customers.errors import (
    CursorRefusedError,
    NoAnswerError,
    PagingError,
    RequestRefusedError,
    answer,
)
from tap_chartmogul_customers.pagination import CursorPaginator, decode_page

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import Self

    import requests
    from backoff.types import Details
    from singer_sdk import Tap
    from singer_sdk.helpers.types import RequestFunc
    from singer_sdk.streams.rest import HTTPRequest, PageContext

    from tap_chartmogul_customers.pagination import Page, PageResponse

FILTERS = ("data_source_uuid", "external_id", "status", "system")


class ChartMogulStream(RESTStream[str | None]):
    """A stream of one ChartMogul endpoint, read from one place of it on.

    Each has its own cursor, count of pages and connection: several can be read at once.

    Args:
        tap: The tap that the stream belongs to.
        schema: The schema of its records.
        start: The cursor that leads to the place; none for the start of the account.
        pace: What all that read at once share.
        label: What errors call it, such as `range 2`; empty for the only one.
    """

    decode = staticmethod(decode_page)
    """What makes a page of an answer's body and its number."""

    @override
    def __init__(
        self,
        tap: Tap,
        *,
        schema: dict[str, Any] | None = None,
        start: str | None = None,
        pace: Pace | None = None,
        label: str = "",
    ) -> None:
        super().__init__(tap, schema=schema)
        self.pace = pace or Pace()
        self.label = label
        self._start = start
        self._paginator = CursorPaginator(start)

    def at(self, start: str | None, label: str = "") -> Self:
        """Return the same stream, read from another place on.

        Args:
            start: The cursor that leads there.
            label: What errors call it.

        Returns:
            A stream with a cursor, a count and a connection of its own.
        """
        other = type(self)(
            self._tap, schema=self.schema, start=start, pace=self.pace, label=label
        )
        other.decode = self.decode
        return other

    def close(self) -> None:
        """Close the connection, if there is one."""
        self.requests_session.close()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @cached_property
    @override
    def requests_session(self) -> requests.Session:
        return DeadlineSession()

    @cached_property
    @override
    def authenticator(self) -> BasicAuthenticator:
        return BasicAuthenticator(username=self.config["api_key"], password="")

    @cached_property
    @override
    def user_agent(self) -> str:
        return f"{self.tap_name}/{self._tap.plugin_version}"

    @property
    @override
    def timeout(self) -> float:  # type: ignore[override]
        # The SDK says int; `requests` takes any number of seconds.
        return float(self.config["request_timeout"])

    @property
    def filters(self) -> dict[str, str | None]:
        """Every filter of the API with its value, none where it is not set."""
        return {name: self.config.get(name) for name in FILTERS}

    @override
    def get_new_paginator(self) -> CursorPaginator:
        return self._paginator

    @override
    def get_http_request(self, *, page: PageContext[str | None]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        request.params = {
            "per_page": int(self.config["per_page"]),
            **self.filters,
            "cursor": page.next_page_token,
        }
        return request

    def pages(self) -> Iterator[Page]:
        """Read page after page to the last one; once.

        Yields:
            Each page, before the next one is asked for.

        Raises:
            CursorRefusedError: ChartMogul does not take the cursor of the start.
            RequestRefusedError: ChartMogul refused a request.
            UnreachableError: ChartMogul cannot be reached, now and later.
            NoAnswerError: A request failed `max_retries` times more than once.
            PagingError: A page does not say where the next one is.
        """
        try:
            # The SDK's loop, with a page for a record: so an empty page is not the end
            # for the SDK, and each is decoded once.
            yield from cast("Iterator[Page]", self.request_records(None))
        except PagingError as error:
            msg = f"{self._endpoint()}, {error}"
            raise PagingError(msg) from error
        except RetriableAPIError as error:
            tries = self.backoff_max_tries()
            tried = f"{tries} tries" if tries > 1 else "one try"
            msg = f"{self._where()}: {error}, after {tried}"
            raise NoAnswerError(msg) from error

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Any]:
        yield cast("PageResponse", response).page

    @override
    def validate_response(self, response: requests.Response) -> None:
        status = response.status_code
        if status in RETRIED_STATUSES:
            raise RetriableAPIError(self.response_error_message(response), response)
        if status != HTTPStatus.OK:
            msg = f"{self._where()}: {self.response_error_message(response)}"
            if status in CURSOR_REFUSED and self._start and not self._paginator.count:
                raise CursorRefusedError(msg, status)
            raise RequestRefusedError(msg, status)
        number = self._paginator.count + 1
        try:
            # Not from `content`, which the response would keep.
            with closing(response.raw) as body:
                page = self.decode(body.read(), number)
        except ValueError as error:
            msg = f"the body is {error}"
            raise RetriableAPIError(msg, response) from error
        except PagingError as error:
            msg = f"page {number}: {error}"
            raise PagingError(msg) from error
        cast("PageResponse", response).page = page

    @override
    def response_error_message(self, response: requests.Response) -> str:
        return answer(response, self.config["api_key"])

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        # The SDK's own, but without the lines that `backoff` logs itself: they repeat
        # ours and show the address with its filters.
        # Each try waits for its turn, so that all that read at once keep to one pace.
        return backoff.on_exception(
            self.backoff_wait_generator,
            RetriableAPIError,
            max_tries=self.backoff_max_tries(),
            on_backoff=self.backoff_handler,
            jitter=None,
            logger=None,
        )(self.pace.paced(func))

    @override
    def backoff_max_tries(self) -> int:
        return int(self.config["max_retries"]) + 1

    @override
    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        return waits()

    @override
    def backoff_handler(self, details: Details) -> None:
        response = getattr(details["exception"], "response", None)
        status = getattr(response, "status_code", None)
        self.pace.retry(details["wait"], hold=status in ACCOUNT_WIDE)
        self.logger.warning(
            "%s: %s. Try %d of %d in %.1f s",
            self._where(),
            details["exception"],
            details["tries"] + 1,
            self.backoff_max_tries(),
            details["wait"],
        )

    def _where(self) -> str:
        return f"{self._endpoint()}, page {self._paginator.count + 1}"

    def _endpoint(self) -> str:
        path = urlsplit(self.get_url(None)).path
        return ", ".join(filter(None, (f"GET {path}", self.label)))
