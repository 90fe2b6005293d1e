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

from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from tap_chartmogul_customers.api.paging import Customer

SHORTEST = 8
"""Pages that a range has, at least. A shorter one would not be worth its look."""

MOST_PLACES = 48
"""Places that a sync remembers, at most, so that a STATE is a few kilobytes. Two for
each of 20 ranges would do; with more, ranges are of about the same length."""

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
        done: Whether it was read to its end, where the next range starts.
        places: Places that were passed, from which the next sync chooses boundaries.
    """

    start: Cursor | None = None
    cursor: Cursor | None = None
    pages: Count = 0
    done: bool = False
    places: list[Place] = []

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
        if cursor and not last:
            self.places.append(Place(self.pages, cursor))

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


def cut(boundaries: Sequence[Place], pages: int, most: int) -> list[Range]:
    """Cut an account of so many pages into ranges of about the same length.

    Args:
        boundaries: Where it can be cut, in order. Without any, it is one range.
        pages: How many pages it has.
        most: How many ranges there may be.
    """
    count = min(most, pages // SHORTEST)
    cuts = [Place(0, "")]
    for number in range(1, count):
        ideal = pages * number / count
        possible = [
            place
            for place in boundaries
            if cuts[-1].pages + SHORTEST <= place.pages <= pages - SHORTEST
        ]
        if possible:
            cuts.append(min(possible, key=lambda place: abs(place.pages - ideal)))
    return [Range(at.cursor or None, at.cursor or None) for at in cuts]


def joined(ranges: Iterable[Range]) -> tuple[list[Place], int]:
    """Return the places and the number of pages of an account that was read."""
    places: list[Place] = []
    pages = 0
    for each in ranges:
        places += [Place(pages + at.pages, at.cursor) for at in each.places]
        pages += each.pages
        if each.cursor is None:
            break  # It never met its end, and read to the end of the account.
    return places, pages


def thin(ranges: Collection[Range]) -> None:
    """Forget places, evenly over all ranges, until they are few enough."""
    stride = 1 << (sum(each.pages for each in ranges) // MOST_PLACES).bit_length()
    for each in ranges:
        each.places = [
            place
            for place in each.places
            if place.pages <= each.pages and place.pages % stride == 0
        ]
