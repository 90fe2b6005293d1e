"""What a page is and how one leads to the next. No input or output happens here."""

from __future__ import annotations

import sys
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.pagination import BaseAPIPaginator

from tap_chartmogul_customers.errors import PagingError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import requests


class Page(msgspec.Struct, frozen=True):
    """One page of customers, as the API reference describes it.

    Args:
        entries: The customers, their numbers exact: decimals as `Decimal`.
        has_more: Whether there is another page. Only this says so: an empty page may
            be followed by others, and the last page carries a cursor too.
        cursor: Where the next page starts; opaque text.
        total_pages: How many pages there are. Deprecated, and only in the answer to
            a request without a cursor.
    """

    entries: list[dict[str, Any]]
    has_more: bool
    cursor: Any = None
    total_pages: Any = None


_decoder = msgspec.json.Decoder(Page, float_hook=Decimal)


def decode_page(body: bytes) -> Page:
    """Decode the body of an answer.

    Args:
        body: JSON text, encoded in UTF-8.

    Returns:
        The page.

    Raises:
        ValueError: The body is not JSON, or not all of it.
        PagingError: It is JSON, but not a page from which the read can go on.

    >>> decode_page(b'{"entries": [{"mrr": 0.1}], "has_more": false}').entries
    [{'mrr': Decimal('0.1')}]
    """
    try:
        page = _decoder.decode(body)
    except msgspec.ValidationError as error:
        # Found before the end of the body, which may be cut.
        _check_json(body)
        raise PagingError(str(error)) from error
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise ValueError(msg) from error
    if page.has_more and not (isinstance(page.cursor, str) and page.cursor):
        msg = "`has_more` is true, but there is no `cursor`"
        raise PagingError(msg)
    return page


def _check_json(body: bytes) -> None:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        msg = f"not JSON: {error}"
        raise ValueError(msg) from error


@lru_cache(maxsize=1)
def page_of(response: requests.Response) -> Page:
    """Return the page in a response, decoding the body only once.

    Args:
        response: The answer to a request for a page.

    Returns:
        The page.

    Raises:
        ValueError: As `decode_page`.
        PagingError: As `decode_page`.
    """
    return decode_page(response.content)


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows `cursor` for as long as `has_more` is true.

    Args:
        start_value: The cursor to start at; none for the first page.
    """

    @override
    def __init__(self, start_value: str | None = None) -> None:
        super().__init__(start_value)
        self._seen = {start_value}

    @override
    def has_more(self, response: requests.Response) -> bool:
        return page_of(response).has_more

    @override
    def get_next(self, response: requests.Response) -> str:
        cursor: str = page_of(response).cursor
        if cursor in self._seen:
            # The SDK compares a cursor with the one before it only.
            msg = f"Page {self.count}: its `cursor` came before in this run"
            raise PagingError(msg)
        self._seen.add(cursor)
        return cursor

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True
