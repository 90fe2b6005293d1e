"""What a page is, and how it leads to the next one. No request is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_chartmogul_customers.errors import PagingError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Customer(msgspec.Struct):
    """A customer of a page: the two fields that reading itself looks at, as sent."""

    uuid: Annotated[str, msgspec.Meta(min_length=1)]
    since: Any = msgspec.field(name="customer-since", default=None)


class Answer(msgspec.Struct, Generic[T]):
    """What the API answers."""

    entries: list[T]
    has_more: bool
    cursor: Any = None
    """Where the next page starts. It may be anything on the last one."""


class Page(NamedTuple):
    """A page of customers.

    Args:
        customers: Its customers.
        cursor: Where the next page starts. None where `has_more` was false.
        where: What errors call the page, such as `GET /v1/customers, page 3`.
    """

    customers: Sequence[Customer]
    cursor: str | None
    where: str = ""


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows `cursor` from answer to answer, for as long as `has_more` is true.

    An empty page may be followed by others, and the last page carries a cursor too. An
    answer that does not say where the next page is, or leads back, is a `PagingError`.
    """

    @override
    def __init__(self, start_value: str | None = None) -> None:
        super().__init__(start_value)
        self._seen = {start_value}

    @override
    def has_more(self, response: Answer[Any]) -> bool:  # type: ignore[override]
        return response.has_more

    @override
    def get_next(self, response: Answer[Any]) -> str:  # type: ignore[override]
        cursor = response.cursor
        if not isinstance(cursor, str) or not cursor:
            msg = "`has_more` is true, but there is no `cursor`"
            raise PagingError(msg)
        if cursor in self._seen:
            # The SDK compares a cursor only with the one before it.
            msg = "its `cursor` came before in this run"
            raise PagingError(msg)
        self._seen.add(cursor)
        return cursor
