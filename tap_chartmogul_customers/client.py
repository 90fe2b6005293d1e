"""How ChartMogul is asked: address, key, retries, errors; not what a page is."""

from __future__ import annotations

import sys
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import backoff
import requests
from singer_sdk import metrics
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.exceptions import RetriableAPIError

from tap_chartmogul_customers.api.retries import RETRIED_STATUSES, waits
from tap_chartmogul_customers.api.session import DeadlineSession
from tap_chartmogul_customers.errors import (
    CursorRefusedError,
    NoAnswerError,
    PagingError,
    RequestRefusedError,
    answer,
    reason,
)
from tap_chartmogul_customers.pagination import CursorPaginator, Page, page_of
from tap_chartmogul_customers.sdk.batches import MappedBatches
from tap_chartmogul_customers.sdk.messages import OrderedMessages

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from backoff.types import Details
    from singer_sdk.helpers.types import Context, RequestFunc
    from singer_sdk.streams.rest import HTTPRequest, PageContext

FILTERS = ("data_source_uuid", "external_id", "status", "system")

_NO_REQUEST_TIMES = metrics.MetricExclusionFilter(
    metrics=[metrics.Metric.HTTP_REQUEST_DURATION]
)


class ChartMogulStream(OrderedMessages, MappedBatches):
    """A stream of one ChartMogul endpoint that pages by cursor."""

    allow_redirects = False
    start_cursor: str | None = None
    """The cursor at which a read starts; none for the first page."""

    retries = 0
    """How often a request was tried again."""

    _pages_read = 0

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @cached_property
    @override
    def requests_session(self) -> requests.Session:
        # One METRIC line for each request would drown the log of a large account.
        self.metrics_logger.addFilter(_NO_REQUEST_TIMES)
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
        return CursorPaginator(self.start_cursor)

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
        """Read page after page from `start_cursor` to the last one.

        Yields:
            Each page, as soon as it is read. The next one is asked for when the next
            item is.

        Raises:
            RequestRefusedError: ChartMogul refused a request.
            NoAnswerError: A request failed `max_retries` times more than once.
            PagingError: A page does not say where to go on.
        """
        self._pages_read = 0
        try:
            yield from self.request_records(None)
        except (RetriableAPIError, requests.RequestException) as error:
            msg = (
                f"{self._where()}: {reason(error)}, after "
                f"{self.backoff_max_tries()} tries. Run it again later; it goes on "
                "where it stopped"
            )
            raise NoAnswerError(msg) from error

    @override
    def request_records(self, context: Context | None) -> Iterable[Any]:
        """Request pages; the SDK's loop, with a page for a record.

        So an empty page is not the end for the SDK, and each is decoded once.
        """
        return super().request_records(context)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Any]:
        self._pages_read += 1
        yield page_of(response)

    @override
    def validate_response(self, response: requests.Response) -> None:
        status = response.status_code
        if status in RETRIED_STATUSES:
            raise RetriableAPIError(self.response_error_message(response), response)
        if status != HTTPStatus.OK:
            msg = f"{self._where()}: {self.response_error_message(response)}"
            if (
                status == HTTPStatus.BAD_REQUEST
                and self._pages_read == 0
                and self.start_cursor
            ):
                raise CursorRefusedError(msg, status)
            raise RequestRefusedError(msg, status)
        try:
            page_of(response)
        except ValueError as error:
            msg = f"the body is {error}"
            raise RetriableAPIError(msg, response) from error
        except PagingError as error:
            msg = f"{self._where()}: {error}"
            raise PagingError(msg) from error

    @override
    def response_error_message(self, response: requests.Response) -> str:
        return answer(response).replace(self.config["api_key"], "***")

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        # The SDK's own, but without the lines that `backoff` logs itself: they repeat
        # ours and show the address with its filters.
        return backoff.on_exception(
            self.backoff_wait_generator,
            (RetriableAPIError, requests.ConnectionError, requests.Timeout),
            max_tries=self.backoff_max_tries(),
            on_backoff=self.backoff_handler,
            jitter=None,
            logger=None,
        )(func)

    @override
    def backoff_max_tries(self) -> int:
        return int(self.config["max_retries"]) + 1

    @override
    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        return waits()

    @override
    def backoff_handler(self, details: Details) -> None:
        self.retries += 1
        self.logger.warning(
            "%s: %s. Try %d of %d in %.1f s",
            self._where(),
            reason(details["exception"]),
            details["tries"] + 1,
            self.backoff_max_tries(),
            details["wait"],
        )

    def _where(self) -> str:
        return f"GET {urlsplit(self.get_url(None)).path}, page {self._pages_read + 1}"
