"""What a request asks for, and the page that answers it, as JSON and as gzip."""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox import cursors, stale
from sandbox.cursors import Cursor
from sandbox.store import FILTERS, Filters, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.cursors import Position

MOST_PER_PAGE = 200

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class WrongParameterError(ValueError):
    """A parameter that the API refuses."""

    def __init__(self, param: str) -> None:
        super().__init__(f"The {param} is not valid")
        self.param = param


@dataclass(frozen=True)
class PageQuery:
    """The page that a request asks for."""

    cursor: Cursor | None = None
    per_page: int = MOST_PER_PAGE
    filters: Filters = frozenset()

    @classmethod
    def read(cls, query: Mapping[str, str]) -> PageQuery:
        """Read the parameters of a request, URL-decoded.

        Raises:
            WrongParameterError: If the API refuses one of them.
        """
        return cls(
            cursor=_cursor(query),
            per_page=_per_page(query),
            filters=frozenset(each for each in query.items() if each[0] in FILTERS),
        )


def _cursor(query: Mapping[str, str]) -> Cursor | None:
    try:
        return cursors.decode(query["cursor"]) if "cursor" in query else None
    except ValueError as error:
        raise WrongParameterError(param="cursor") from error


def _per_page(query: Mapping[str, str]) -> int:
    text = query.get("per_page", str(MOST_PER_PAGE))
    # `int` alone would take `+5`, ` 5` and `5_0`.
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= MOST_PER_PAGE:
        raise WrongParameterError(param="per_page")
    return number


class Pages:
    """Answers queries from the customers of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ready: dict[PageQuery, bytes] = {}
        self._generation = 0
        self._read_old: stale.Reading = stale.refused

    def age_cursors(self, reading: stale.Reading) -> None:
        """Make all cursors that were given out so far old ones.

        Args:
            reading: What the service makes of an old cursor.
        """
        self._generation += 1
        self._read_old = reading
        self.forget()

    def page(self, query: PageQuery) -> dict[str, Any]:
        """Answer a query with a body that is the caller's to change.

        Raises:
            WrongParameterError: If the cursor is old, and refused.
        """
        most = query.per_page + 1
        found = self._store.read(self._start(query), most, query.filters)
        entries = found[: query.per_page]
        last = cursors.position_of(entries[-1]) if entries else None
        return {
            "entries": entries,
            "cursor": cursors.encode(Cursor(last, self._generation)) if last else None,
            "has_more": len(found) > query.per_page,
        }

    def start_cursor(self, query: PageQuery) -> str:
        """Give another cursor to the page that answers a query."""
        variant = random.randrange(1, 256)  # noqa: S311 - no secret
        return cursors.encode(Cursor(self._start(query), self._generation, variant))

    def _start(self, query: PageQuery) -> Position:
        if query.cursor is None:
            return cursors.START
        place = query.cursor.position
        if query.cursor.generation == self._generation:
            return place
        taken_for = self._read_old(place, self._store)
        if taken_for is None:
            raise WrongParameterError(param="cursor")
        return taken_for

    def prerender(self, per_page: int) -> None:
        """Render all pages that a read without filters asks for."""
        self.forget()
        query = PageQuery(per_page=per_page)
        more = True
        while more:
            body = self.page(query)
            self._ready[query] = compress(render(body))
            more = body["has_more"]
            if more:
                query = PageQuery(cursors.decode(body["cursor"]), per_page)

    def ready(self, query: PageQuery) -> bytes | None:
        """Give the gzip of a page that was rendered beforehand."""
        return self._ready.get(query)

    def forget(self) -> None:
        """Throw away what was rendered beforehand: it is no longer true."""
        self._ready.clear()


def render(body: object) -> bytes:
    """Write a body as JSON; a `Decimal` is written to the digit."""
    return _ENCODER.encode(body)


def compress(content: bytes) -> bytes:
    """Compress a body as web servers do by default: fast rather than small."""
    return gzip.compress(content, compresslevel=1, mtime=0)
