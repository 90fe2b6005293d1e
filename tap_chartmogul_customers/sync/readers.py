"""Reads the ranges of a sync at once, a page of each at a time.

First the looks are taken, then the ranges are read. Pages come on threads, one for each
page that is on its way. Everything else happens where the pages are taken: no thread
knows of another, and there is no lock.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tap_chartmogul_customers.errors import PagingError, ReadError
from tap_chartmogul_customers.sync.ranges import is_behind, keys

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from concurrent.futures import Future

    from tap_chartmogul_customers.api.paging import Customer, Page
    from tap_chartmogul_customers.sync.ranges import Range

_LONGEST_WAIT = 0.5  # seconds

_KEPT_PAGES = 2
"""Pages of a range whose customers are not emitted again: the page that ends the range
before can reach into the second one."""

OpenPages: TypeAlias = "Callable[[str | None, str], Generator[Page]]"
"""Opens a connection and reads pages over it, from a cursor on. It also takes what
errors call the reader."""


class Portion(NamedTuple):
    """What of a page is to be emitted: the customers that were not emitted yet."""

    page: Page
    customers: Sequence[Customer]


@dataclass(eq=False)
class _RangeReader:
    """A range in this run.

    Attributes:
        range: The range.
        label: What errors call it.
        first: The page of the look at its start, until the range begins with it.
        look: The keys of that page; None if nobody has looked.
        pages: What brings its pages, once it has begun.
        emitted: How many of its pages were emitted in this run.
        error: Why it cannot be read further. It waits until all others are read.
    """

    range: Range
    label: str
    first: Page | None = None
    look: AbstractSet[str] | None = None
    pages: Generator[Page] | None = None
    emitted: int = 0
    error: ReadError | None = None


class RangeReaders:
    """Reads ranges from where each stands to its end.

    Args:
        ranges: The ranges, in their order. Each has advanced when a page of it is
            yielded, and one that cannot be read is taken out.
        open_pages: What opens a connection.
        at_once: How many connections may be open at once.
        logger: Where it says that a boundary was dropped.
    """

    def __init__(
        self,
        ranges: list[Range],
        open_pages: OpenPages,
        at_once: int,
        logger: logging.Logger,
    ) -> None:
        self._ranges = ranges
        self._open_pages = open_pages
        self._at_once = at_once
        self._logger = logger
        self._readers = [
            _RangeReader(each, f"range {number}" if len(ranges) > 1 else "")
            for number, each in enumerate(ranges, 1)
        ]
        self._waiting: list[_RangeReader] = []
        """Readers that are to begin, or to go on elsewhere."""
        self._coming: dict[Future[Page], _RangeReader] = {}
        """The page that is on its way, for each connection that is open."""
        self._emitted: set[str] = set()
        """Keys of customers that were emitted in this run where two ranges meet."""
        self._threads = ThreadPoolExecutor(at_once)

    def read(self) -> Iterator[Portion]:
        """Read all of them.

        Yields:
            What is to be emitted: where nobody is moved, no customer twice.

        Raises:
            ReadError: The account cannot be read, not even from its start.
            UnreachableError: ChartMogul cannot be reached.
        """
        self._take_looks()
        self._waiting = [each for each in self._readers if not each.range.done]
        while self._waiting:
            yield from self._begin()
            for reader, answer in self._as_they_come():
                yield from self._take(reader, answer)
                yield from self._begin()
            # If the run fails, what these have come to is kept. So only now are they
            # dropped.
            for each in [each for each in self._readers if each.error]:
                self._drop(each, each.error)
        # Else a part of the account would be missing, and nobody would know.
        assert all(each.range.done for each in self._readers)  # noqa: S101

    def _take_looks(self) -> None:
        """Look at the end of each range that is to be read."""
        # Where a range is dropped, the one before it meets another one.
        while due := [
            reader
            for before, reader in pairwise(self._readers)
            if reader.look is None and not before.range.done
        ]:
            self._coming = {
                self._threads.submit(self._look, reader): reader for reader in due
            }
            for reader, answer in self._as_they_come():
                try:
                    reader.first = answer.result()
                except ReadError as error:
                    self._drop(reader, error)
                else:
                    reader.look = {*keys(reader.first.customers)}

    def _look(self, reader: _RangeReader) -> Page:
        with closing(self._open_pages(reader.range.start, reader.label)) as pages:
            page = next(pages)
        if page.cursor and not page.customers:
            msg = f"{page.where}: an empty page, which cannot end a range"
            raise PagingError(msg)
        return page

    def _as_they_come(self) -> Iterator[tuple[_RangeReader, Future[Page]]]:
        """Yield the pages that come, until none is on its way.

        A signal that comes just before a wait does not end it: Python calls a handler
        only afterwards. So no wait is long.
        """
        while self._coming:
            for answer in wait(self._coming, _LONGEST_WAIT, FIRST_COMPLETED).done:
                yield self._coming.pop(answer), answer

    def _begin(self) -> Iterator[Portion]:
        """Open as many connections as there may be."""
        while self._waiting and len(self._coming) < self._at_once:
            reader = self._waiting.pop(0)
            first = reader.first if reader.range.at_start else None
            start = first.cursor if first else reader.range.cursor
            reader.pages = self._open_pages(start, reader.label)
            if first:
                # The range before may have ended because of this answer. If it were
                # asked for again, the answer could be another.
                reader.first = None
                yield self._advance(reader, first)
            else:
                self._fetch(reader)

    def _fetch(self, reader: _RangeReader) -> None:
        """Let the next page come, on a thread."""
        assert reader.pages  # noqa: S101 (it has begun)
        self._coming[self._threads.submit(next, reader.pages)] = reader

    def _take(self, reader: _RangeReader, answer: Future[Page]) -> Iterator[Portion]:
        try:
            page = answer.result()
        except ReadError as error:
            if not reader.emitted and not reader.range.at_start:
                self._logger.warning("Reading from an earlier place: %s", error)
                reader.range.restart()
                self._waiting.append(reader)
            elif reader is self._readers[0]:
                raise
            else:
                reader.error = error
        else:
            yield self._advance(reader, page)

    def _advance(self, reader: _RangeReader, page: Page) -> Portion:
        end = self._next(reader)
        look = (end and end.look) or set()
        own = keys(page.customers) if len(self._readers) > 1 else []
        customers = page.customers
        if not self._emitted.isdisjoint(own):
            pairs = zip(own, customers, strict=True)
            customers = [each for key, each in pairs if key not in self._emitted]
        # The pages that two ranges may share: the first ones of a range, and those of
        # the range before that reach into them.
        if reader.emitted < _KEPT_PAGES or not look.isdisjoint(own):
            self._emitted.update(own)
        reader.emitted += 1
        last = page.cursor is None or is_behind(own, look)
        reader.range.advance(page.cursor, last=last)
        if not last:
            self._fetch(reader)
        elif reader.pages:
            reader.pages.close()
        return Portion(page, customers)

    def _next(self, reader: _RangeReader) -> _RangeReader | None:
        """Return the reader of the next range, which starts where this one ends."""
        rest = self._readers[self._readers.index(reader) + 1 :]
        return rest[0] if rest else None

    def _drop(self, reader: _RangeReader, error: ReadError | None) -> None:
        """Leave a range to the one before it, which reads on."""
        self._logger.warning(
            "A boundary is dropped, and the range before it reads on: %s", error
        )
        index = self._readers.index(reader)
        before = self._readers[index - 1]
        del self._readers[index], self._ranges[index]
        if before.range.done and before.range.cursor:
            before.range.done = False
            self._waiting.append(before)
