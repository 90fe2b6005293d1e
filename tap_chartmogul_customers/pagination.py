"""What a page is and how one leads to the next. No input or output happens here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import msgspec
from singer_sdk.pagination import BaseAPIPaginator

from tap_chartmogul_customers.api.body import decode, exact_number
from tap_chartmogul_customers.errors import PagingError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import requests


class Page(NamedTuple):
    """One page of customers, as the API reference describes it.

    Args:
        number: Which page of its range it is, counted from 1.
        entries: The customers, their numbers exact: decimals as `Decimal`. Each is a
            dictionary, or reads like one by `get`.
        has_more: Whether there is another page. Only this says so: an empty page may
            be followed by others, and the last page carries a cursor too.
        cursor: Where the next page starts; opaque text, and there if `has_more` is.
        total_pages: How many pages there are. Deprecated, and only in the answer to
            a request without a cursor.
    """

    number: int
    entries: list[Any]
    has_more: bool
    cursor: str | None
    total_pages: int | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer says beside its customers; much of it may be anything."""

    has_more: bool
    cursor: Any = None
    total_pages: Any = None


class _Body(Answer, frozen=True, kw_only=True):
    entries: list[dict[str, Any]]


_decoder = msgspec.json.Decoder(_Body, float_hook=exact_number)


def decode_page(body: bytes, number: int = 1) -> Page:
    """Decode the body of an answer.

    Args:
        body: JSON text, encoded in UTF-8.
        number: Which page of its range it is.

    Returns:
        The page.

    Raises:
        ValueError: The body is not JSON, or not all of it.
        PagingError: It is JSON, but not a page that leads to the next one.

    >>> decode_page(b'{"entries": [{"mrr": 0.1}], "has_more": false}').entries
    [{'mrr': Decimal('0.1')}]
    """
    try:
        answer = decode(body, _decoder)
    except msgspec.ValidationError as error:
        raise PagingError(str(error)) from error
    return page_of(answer, answer.entries, number)


def page_of(answer: Answer, entries: list[Any], number: int) -> Page:
    """Make a page of a decoded answer.

    Args:
        answer: What says where the next page is.
        entries: Its customers.
        number: Which page of its range it is.

    Returns:
        The page.

    Raises:
        PagingError: It does not say where the next page is.
    """
    cursor = answer.cursor if isinstance(answer.cursor, str) else None
    if answer.has_more and not cursor:
        msg = "`has_more` is true, but there is no `cursor`"
        raise PagingError(msg)
    total = answer.total_pages
    return Page(
        number=number,
        entries=entries,
        has_more=answer.has_more,
        cursor=cursor or None,
        total_pages=total if type(total) is int and total > 0 else None,
    )


class PageResponse(Protocol):
    """A response that carries its page, decoded when it was checked."""

    page: Page


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
        return cast("PageResponse", response).page.has_more

    @override
    def get_next(self, response: requests.Response) -> str:
        page = cast("PageResponse", response).page
        cursor = cast("str", page.cursor)
        if cursor in self._seen:
            # The SDK compares a cursor with the one before it only.
            msg = f"page {self.count}: its `cursor` came before in this run"
            raise PagingError(msg)
        self._seen.add(cursor)
        return cursor

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True
