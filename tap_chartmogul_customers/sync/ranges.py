"""What a sync reads: ranges of the account, and the boundaries that make them.

A cursor that was received once can be kept: it names a place in the order of the
customers, and the next sync can start there. No input or output happens here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_chartmogul_customers.pagination import Page

SHORTEST = 8
"""Pages that a range has at the least; a shorter one would not be worth its look."""

ENOUGH = 8
"""Customers that tell a place; fewer could all have been moved."""

MOST_MARKS = 128
"""Places that a range remembers at the most, of an account of any size."""

Cursor = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place in the order of the customers.

    Args:
        pages: How many pages it is behind the start.
        cursor: The cursor that leads there.
    """

    pages: Count
    cursor: Cursor


class Range(msgspec.Struct, eq=False):
    """A part of the account that is read page after page, and how far that has come.

    Args:
        start: Where it starts; none for the start of the account.
        cursor: Where its next page is.
        pages: How many of its pages were written.
        expected: How many pages the last whole read had here; 0 if that is not known.
        done: Whether it was read to its end, which is where the next range starts.
        customers: How many were written of it that no other range counts, as far as
            ranges that meet can tell.
        first_page: How many customers its first page had, once it starts behind that.
        marks: Places in it, from which boundaries can be chosen: of this read as far
            as it has come, of the last whole read beyond.
    """

    start: Cursor | None = None
    cursor: Cursor | None = None
    pages: Count = 0
    expected: Count = 0
    done: bool = False
    customers: Count = 0
    first_page: Count = 0
    marks: list[Mark] = []

    @property
    def size(self) -> int:
        """How many pages it has, as far as that is known."""
        return self.pages if self.done else max(self.pages, self.expected)

    def write(self, page: Page, known: int = 0, *, last: bool) -> None:
        """Come as far as a page whose records were written.

        Args:
            page: The page.
            known: How many of its customers another range counts.
            last: Whether it ends the range.
        """
        self.pages += 1
        self.customers += len(page.entries) - known
        self.cursor = page.cursor if page.has_more else None
        self.done = last
        if self.start is not None and self.pages == 1 and page.has_more:
            # This sync has a cursor of its own behind the first page now. A later run
            # of it need not know what the service takes the old boundary for by then.
            self.start = self.cursor
            self.first_page = len(page.entries)
        behind = [] if last else [m for m in self.marks if m.pages > self.pages]
        stride = 1 << (self.pages // MOST_MARKS).bit_length()
        before = [m for m in self.marks if m.pages < self.pages]
        if self.cursor is not None and not last:
            before.append(Mark(self.pages, self.cursor))
        self.marks = [m for m in before if m.pages % stride == 0] + behind

    def reopen(self) -> bool:
        """Read on behind its end.

        Returns:
            Whether it had come to its end, and the account has more behind that.
        """
        reopened = self.done and self.cursor is not None
        self.done = self.done and not reopened
        return reopened

    def restart(self) -> None:
        """Go back to its start."""
        self.cursor = self.start
        self.pages = self.customers = 0
        self.done = False


class Look:
    """The customers of the page that a boundary leads to, asked for in this run."""

    def __init__(self) -> None:
        self._uuids = set[str]()

    def add(self, customers: Iterable[Any]) -> bool:
        """Take in the customers of a page.

        Args:
            customers: As the API sends them.

        Returns:
            Whether these are enough; else those of the next page belong to it, too.
        """
        self._uuids |= {*_uuids(customers)}
        return len(self._uuids) >= ENOUGH

    def known(self, customers: Iterable[Any]) -> int:
        """Count the customers of a page that are in the look.

        Args:
            customers: As the API sends them.

        Returns:
            How many.
        """
        return sum(uuid in self._uuids for uuid in _uuids(customers))

    def beyond(self, customers: Iterable[Any]) -> int:
        """Count the customers of a page that come after all of the look in it.

        Args:
            customers: As the API sends them.

        Returns:
            How many; 0 where none of the look is in it.
        """
        known = [uuid in self._uuids for uuid in _uuids(customers)]
        return known[::-1].index(True) if True in known else 0


class Latest:
    """The customers that a range came to last: a page, or as many as are enough."""

    def __init__(self) -> None:
        self._pages: list[tuple[int, int]] = []

    def stand_behind(self, known: int, customers: int) -> bool:
        """Say whether a range that has come to a page stands behind its end.

        One customer of the look can have been moved in front of the boundary while the
        range was read; half a page of them can't, unless a page is next to nothing.

        Args:
            known: How many customers of the page are in the look.
            customers: How many it has.

        Returns:
            Whether at least half of the latest customers are in the look.
        """
        self._pages.append((known, customers))
        while sum(size for _, size in self._pages[1:]) >= ENOUGH:
            del self._pages[0]
        size = sum(size for _, size in self._pages)
        return size >= ENOUGH and 2 * sum(known for known, _ in self._pages) >= size


def _uuids(customers: Iterable[Any]) -> Iterator[str]:
    for customer in customers:
        if isinstance(uuid := customer.get("uuid"), str):
            yield uuid


def cut(marks: list[Mark], pages: int, most: int) -> list[Range]:
    """Cut an account into ranges of about the same number of pages.

    Args:
        marks: Where it can be cut, in their order.
        pages: How many pages it has.
        most: How many ranges there may be.

    Returns:
        The ranges in their order, from the start of the account to its end; one if
        there is nowhere to cut it.
    """
    count = min(most, pages // SHORTEST)
    cuts = [Mark(0, "")]
    for number in range(1, count):
        ideal = pages * number / count
        free = [
            mark
            for mark in marks
            if cuts[-1].pages + SHORTEST <= mark.pages <= pages - SHORTEST
        ]
        if free:
            cuts.append(min(free, key=lambda mark: abs(mark.pages - ideal)))
    ends = [*(mark.pages for mark in cuts[1:]), pages]
    return [
        Range(
            start=at.cursor or None,
            cursor=at.cursor or None,
            expected=end - at.pages,
            marks=[
                Mark(mark.pages - at.pages, mark.cursor)
                for mark in marks
                if at.pages < mark.pages < end
            ],
        )
        for at, end in zip(cuts, ends, strict=True)
    ]


def joined(ranges: list[Range]) -> tuple[list[Mark], int]:
    """Join the places of ranges, for the next sync to choose boundaries from.

    Args:
        ranges: Those of a sync, in their order, read to the end or not.

    Returns:
        The places in their order, and how many pages all ranges have.
    """
    marks: dict[str, Mark] = {}
    pages = 0
    for each in ranges:
        if each.start is not None and each.pages == 0:
            marks[each.start] = Mark(pages, each.start)
        for mark in each.marks:
            marks[mark.cursor] = Mark(pages + mark.pages, mark.cursor)
        pages += each.size
    return [*marks.values()], pages
