"""What a request asks for, and the page that answers it, as JSON and as gzip."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox import cursors, stale
from sandbox.store import NO_FILTERS, Customer, Filters, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.cursors import Cursor, Position

MOST_PER_PAGE = 200

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FILTER_NAMES = [field.name for field in fields(Filters)]


class WrongParameterError(ValueError):
    """A parameter that the API refuses.

    Args:
        message: What is wrong with it.
        param: Its name.
    """

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class PageQuery:
    """One page, as a request asks for it.

    Attributes:
        cursor: The cursor, or None without one.
        per_page: Customers on the page.
        number: The deprecated page number, counted from 1.
        filters: Which customers.
    """

    cursor: Cursor | None = None
    per_page: int = MOST_PER_PAGE
    number: int = 1
    filters: Filters = NO_FILTERS

    @classmethod
    def read(cls, query: Mapping[str, str]) -> PageQuery:
        """Read a query.

        Args:
            query: The parameters, URL-decoded.

        Returns:
            What they ask for.

        Raises:
            WrongParameterError: If the API refuses one of them.
        """
        return cls(
            cursor=_cursor(query),
            per_page=_integer(query, "per_page", MOST_PER_PAGE, most=MOST_PER_PAGE),
            number=_integer(query, "page", 1),
            filters=Filters(**{name: query.get(name) for name in _FILTER_NAMES}),
        )


def _cursor(query: Mapping[str, str]) -> Cursor | None:
    try:
        return cursors.decode(query["cursor"]) if "cursor" in query else None
    except cursors.WrongCursorError as error:
        raise _refused_cursor() from error


def _refused_cursor() -> WrongParameterError:
    return WrongParameterError("The cursor is not valid", "cursor")


def _integer(
    query: Mapping[str, str], name: str, default: int, most: int | None = None
) -> int:
    text = query.get(name, str(default))
    # `int` alone would take `+5`, ` 5` and `5_0`.
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1 or (most and number > most):
        limits = f"from 1 to {most}" if most else "of 1 or more"
        message = f"{name} must be an integer {limits}"
        raise WrongParameterError(message, name)
    return number


class Pages:
    """Answers queries from the customers of a store.

    Args:
        store: The customers.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ready: dict[PageQuery, bytes] = {}
        self._generation = 0
        self._read_old: stale.Reading = stale.refused

    def age_cursors(self, reading: stale.Reading) -> None:
        """Make old cursors of all that were given out so far.

        Args:
            reading: What the service makes of an old cursor.
        """
        self._generation += 1
        self._read_old = reading
        self.forget()

    def page(self, query: PageQuery) -> dict[str, Any]:
        """Answer a query.

        Args:
            query: What is asked for.

        Returns:
            The page's body before rendering, the caller's to change.

        Raises:
            WrongParameterError: If the cursor is old, and refused.
        """
        skip = 0 if query.cursor else (query.number - 1) * query.per_page
        found = self._store.read(
            self._start(query), query.per_page + 1, query.filters, skip=skip
        )
        entries = found[: query.per_page]
        body: dict[str, Any] = {
            "entries": entries,
            "cursor": self._cursor_behind(entries[-1]) if entries else None,
            "has_more": len(found) > query.per_page,
        }
        if query.cursor is None:
            total = self._store.count(query.filters)
            body |= {
                "current_page": query.number,
                "page": query.number,
                "per_page": query.per_page,
                "total_pages": -(-total // query.per_page),
            }
        return body

    def start_cursor(self, query: PageQuery) -> str:
        """Give another cursor to the page that answers a query.

        Args:
            query: What is asked for.

        Returns:
            The cursor.
        """
        return cursors.encode(cursors.another(self._start(query), self._generation))

    def _start(self, query: PageQuery) -> Position:
        if query.cursor is None:
            return cursors.START
        place = query.cursor.position
        if query.cursor.generation == self._generation:
            return place
        taken_for = self._read_old(place, self._store)
        if taken_for is None:
            raise _refused_cursor()
        return taken_for

    def _cursor_behind(self, customer: Customer) -> str:
        position = cursors.position_of(customer)
        return cursors.encode(cursors.Cursor(position, self._generation))

    def ready(self, query: PageQuery) -> bytes | None:
        """Give a page that was rendered beforehand.

        Args:
            query: What is asked for.

        Returns:
            Its gzip, or None if it has to be rendered now.
        """
        return self._ready.get(query)

    def prerender(self, per_page: int) -> None:
        """Render all pages that a read without filters asks for.

        Args:
            per_page: Customers on a page.
        """
        query = PageQuery(per_page=per_page)
        more = True
        while more:
            body = self.page(query)
            self._ready[query] = compress(render(body))
            more = body["has_more"]
            if more:
                query = PageQuery(cursors.decode(body["cursor"]), per_page)

    def forget(self) -> None:
        """Drop what was rendered beforehand, since the customers have changed."""
        self._ready.clear()


def render(body: object) -> bytes:
    """Write a body as JSON.

    Args:
        body: Anything that JSON can hold; a `Decimal` is written to the digit.

    Returns:
        The JSON.
    """
    return _ENCODER.encode(body)


def compress(content: bytes) -> bytes:
    """Compress a body as web servers do by default: fast rather than small.

    Args:
        content: The body.

    Returns:
        Its gzip.
    """
    return gzip.compress(content, compresslevel=1, mtime=0)
