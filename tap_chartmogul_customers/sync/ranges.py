"""Ranges of the account, and the rule by which one ends. Nothing is read here.

A cursor that was received once can be kept: it names a place in the order of the
customers, and the next sync can start there. Such a cursor is a boundary. A range is
read from one boundary to the next.

The rule: a range ends at the last page of the account, or at the first page of which at
least half of the customers, and at least one, are in the look at the range's end. The
look is the page that the end leads to, asked for in this run. A customer is in it if
both its UUID *and* its `customer-since`, as sent, are. A customer who moves in front of
the boundary while the range is read gets another `customer-since`, so it does not
count. So a range that ends stands behind its end, and everyone who did not move has
been read. `docs/ranges.md` has the whole reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from tap_chartmogul_customers.api.paging import Customer

SHORTEST = 8
"""Pages that a range has, at least. A shorter one would not be worth its look."""

MOST_PLACES = 128
"""Places that a range remembers, at most: six for each of the 20 ranges of a sync."""

MOST_BYTES = 3_000
"""Bytes of places in the state, at most, so that a STATE is a few kilobytes."""

_PLACE_BYTES = 8
"""Bytes of a place beside its cursor."""

Cursor = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in the order of the customers."""

    pages: Count
    """How many pages it is behind the start of its range, or of the account."""
    cursor: Cursor


class Range(msgspec.Struct):
    """A part of the account that is read page after page, and how far that has come.

    Args:
        start: Where it starts; none for the start of the account.
        cursor: Where it goes on; none where the account ended.
        pages: How many of its pages were emitted.
        expected: How many pages the last whole read had here; 0 if that is not known.
        done: Whether it was read to its end, where the next range starts.
        places: Places in it, from which the next sync chooses its boundaries. In front
            of `cursor` they are of this sync, behind it of the last whole one.
    """

    start: Cursor | None = None
    cursor: Cursor | None = None
    pages: Count = 0
    expected: Count = 0
    done: bool = False
    places: list[Place] = []

    @property
    def size(self) -> int:
        """How many pages it has, as far as that is known."""
        return self.pages if self.done else max(self.pages, self.expected)

    @property
    def at_start(self) -> bool:
        """Whether its next page is the one that its start leads to."""
        return self.cursor == self.start and not self.done

    def advance(self, cursor: str | None, *, last: bool) -> None:
        """Go on behind a page that was emitted.

        Args:
            cursor: Where the next page starts; none where the account ends.
            last: Whether the page ends the range.
        """
        self.pages += 1
        self.cursor = cursor
        self.done = last
        if self.start is not None and self.pages == 1 and cursor:
            # Now this sync has a cursor of its own. So a later run of it does not
            # depend on what the service takes the old boundary for by then.
            self.start = cursor
        passed = [place for place in self.places if place.pages < self.pages]
        if cursor and not last:
            passed.append(Place(self.pages, cursor))
        stride = 1 << (self.pages // MOST_PLACES).bit_length()
        ahead = [p for p in self.places if p.pages > self.pages and not last]
        self.places = [p for p in passed if p.pages % stride == 0] + ahead

    def restart(self) -> None:
        """Go back to its start."""
        self.cursor = self.start
        self.pages = 0
        self.done = False


def keys(customers: Iterable[Customer]) -> list[str]:
    """Return a key for each customer: its UUID and `customer-since`, as sent."""
    return [f"{each.uuid} {each.since}" for each in customers]


def is_behind(page: Sequence[str], look: AbstractSet[str]) -> bool:
    """Say, by the keys of both, whether a page stands behind the place of a look."""
    known = sum(key in look for key in page)
    return known > 0 and 2 * known >= len(page)


def cut(places: Sequence[Place], pages: int, most: int) -> list[Range]:
    """Cut an account of so many pages into ranges of about the same length.

    Args:
        places: Where it can be cut, in their order. Without any, it is one range.
        pages: How many pages it has.
        most: How many ranges there may be.
    """
    # Each range keeps two cursors in the state, where it started and where it goes on.
    longest = max((len(place.cursor) for place in places), default=1)
    count = min(most, pages // SHORTEST, MOST_BYTES // (2 * longest))
    cuts = [Place(0, "")]
    for number in range(1, count):
        ideal = pages * number / count
        possible = [
            place
            for place in places
            if cuts[-1].pages + SHORTEST <= place.pages <= pages - SHORTEST
        ]
        if possible:
            cuts.append(min(possible, key=lambda place: abs(place.pages - ideal)))
    ends = [*(place.pages for place in cuts[1:]), pages]
    return [
        Range(
            start=at.cursor or None,
            cursor=at.cursor or None,
            expected=end - at.pages,
            places=[
                Place(place.pages - at.pages, place.cursor)
                for place in places
                if at.pages < place.pages < end
            ],
        )
        for at, end in zip(cuts, ends, strict=True)
    ]


def joined(ranges: Iterable[Range]) -> tuple[list[Place], int]:
    """Return the places and the pages of all ranges, from the account's start."""
    places: list[Place] = []
    pages = 0
    for each in ranges:
        if each.start is not None and not each.pages:
            places.append(Place(pages, each.start))
        places += [Place(pages + at.pages, at.cursor) for at in each.places]
        pages += each.size
        if each.done and each.cursor is None:
            break  # It never met its end, and read to the end of the account.
    return places, pages


def thinned(places: list[Any], most_bytes: int) -> list[Any]:
    """Leave out every second place, until their JSON values are short enough."""
    while sum(len(cursor) + _PLACE_BYTES for _, cursor in places) > most_bytes:
        places = places[1::2]
    return places
