"""Reads the ranges of a sync at once, a page of each at a time.

Pages come on threads, one for each page that is on its way. Everything else happens
where the pages are taken: no thread knows of another, and there is no lock.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tap_chartmogul_customers.errors import ReadError
from tap_chartmogul_customers.sync.ranges import is_behind, keys

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator, Iterator

    from tap_chartmogul_customers.api.paging import Page
    from tap_chartmogul_customers.sync.ranges import Range

BOUNDARY_TRIES = 3
"""How often a boundary is asked for, at most: it only saves time."""

_KEPT_PAGES = 2
"""Pages of a range whose customers the range before it does not emit again: the page
that ends the one before can reach into the second."""

OpenPages: TypeAlias = "Callable[[str | None, str, int | None], Generator[Page]]"
"""Opens a connection and reads pages over it: from a cursor on, called so in errors,
and with so many tries of the first page, or as many as are set."""


class Batch(NamedTuple):
    """Customers to emit.

    Args:
        page: The page that they are of.
        customers: Those of the page that were not emitted yet.
    """

    page: Page
    customers: list[dict[str, Any]]


def read_ranges(
    ranges: list[Range], open_pages: OpenPages, at_once: int, logger: logging.Logger
) -> Iterator[Batch]:
    """Read ranges from where each stands to its end.

    Args:
        ranges: The ranges, in their order. Each has advanced when a page of it is
            yielded, and one that cannot be read is taken out.
        open_pages: What opens a reader.
        at_once: How many readers, and so connections, may be open at once.
        logger: Where it says that a place of an earlier read was not used.

    Yields:
        Customers to emit: where nobody is moved, none of them twice.

    Raises:
        ReadError: The account cannot be read, not from its start either.
        UnreachableError: ChartMogul cannot be reached.
    """
    yield from _Ranges(ranges, open_pages, at_once, logger).read()


class _Reader:
    """A range in this run.

    Args:
        part: The range.
        label: What errors call it.
    """

    def __init__(self, part: Range, label: str) -> None:
        self.part = part
        self.label = label
        self.look: set[str] | None = None
        """The look of its start, once that is there."""
        self.look_is_due = False
        """Whether its look is there, or on its way."""
        self.held: tuple[_Source, Page] | None = None
        """A page that came, until it is known whether it ends the range."""
        self.emitted: set[str] = set()
        """Customers of its first pages, if they were emitted in this run."""


class _Source:
    """An open connection: pages of a range, or one page for the look of its start."""

    def __init__(
        self, reader: _Reader, pages: Generator[Page], *, is_look: bool
    ) -> None:
        self.reader = reader
        self.pages = pages
        self.is_look = is_look
        self.came = False
        """Whether a page came."""


class _Ranges:
    """Reads the ranges of a sync at once."""

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
            _Reader(part, f"range {number}" if len(ranges) > 1 else "")
            for number, part in enumerate(ranges, 1)
        ]
        self._looks: list[_Reader] = []
        """Whose looks are to be asked for, ahead of any range."""
        self._waiting = [each for each in self._readers if not each.part.done]
        """Which ranges are to be opened."""
        self._stuck: list[tuple[_Reader, ReadError]] = []
        """Ranges that could not be read further, left until nothing else is to do."""
        self._open = 0
        self._came: SimpleQueue[tuple[_Source, Future[Page]]] = SimpleQueue()

    def read(self) -> Iterator[Batch]:
        for reader in self._waiting[: self._at_once]:
            # Its first page is the look of its start, not a request more.
            reader.look_is_due = reader.part.at_start
        for reader in self._waiting:
            self._want_look(self._end_of(reader))
        while True:
            self._open_sources()
            if self._open:
                self._take(*self._came.get())
                yield from self._emit()
            elif self._stuck:
                for reader, error in self._stuck:
                    self._drop(reader, error)
                self._stuck.clear()
            else:
                return

    def _end_of(self, reader: _Reader) -> _Reader | None:
        """Return the reader that starts where this one ends."""
        rest = self._readers[self._readers.index(reader) + 1 :]
        return rest[0] if rest else None

    def _want_look(self, reader: _Reader | None) -> None:
        if reader and not reader.look_is_due:
            reader.look_is_due = True
            self._looks.append(reader)

    def _open_sources(self) -> None:
        while self._open < self._at_once and (self._looks or self._waiting):
            is_look = bool(self._looks)
            reader = (self._looks or self._waiting).pop(0)
            start = reader.part.start if is_look else reader.part.cursor
            at_boundary = start is not None and start == reader.part.start
            tries = BOUNDARY_TRIES if at_boundary else None
            pages = self._open_pages(start, reader.label, tries)
            self._open += 1
            self._fetch(_Source(reader, pages, is_look=is_look))

    def _fetch(self, source: _Source) -> None:
        """Let the next page come, on a thread.

        It is a daemon: it does not hold up the end of the process, whatever it waits
        for.
        """
        page: Future[Page] = Future()

        def run() -> None:
            try:
                page.set_result(next(source.pages))
            except BaseException as error:  # noqa: BLE001 (raised where it is taken)
                page.set_exception(error)
            self._came.put((source, page))

        threading.Thread(target=run, name="page", daemon=True).start()

    def _close(self, source: _Source) -> None:
        source.pages.close()
        self._open -= 1

    def _take(self, source: _Source, result: Future[Page]) -> None:
        reader = source.reader
        is_dropped = reader not in self._readers
        try:
            page = result.result()
        except ReadError as error:
            self._close(source)
            if not is_dropped:
                self._fail(source, error)
            return
        if source.is_look or (reader.part.at_start and not source.came):
            reader.look = {*keys(page.customers)}
        if source.is_look or is_dropped:
            self._close(source)
        else:
            source.came = True
            reader.held = source, page

    def _emit(self) -> Iterator[Batch]:
        """Emit each page that came, if it is known whether it ends its range."""
        # From the last range on, since a range does not emit again whom the next has.
        for reader in reversed(self._readers):
            end = self._end_of(reader)
            if reader.held and (end is None or end.look is not None):
                yield self._advance(reader, *reader.held, end)

    def _advance(
        self, reader: _Reader, source: _Source, page: Page, end: _Reader | None
    ) -> Batch:
        reader.held = None
        own = keys(page.customers) if len(self._readers) > 1 else []
        last = page.cursor is None
        customers = page.customers
        if end:
            last = last or is_behind(own, end.look or set())
            customers = [
                customer
                for key, customer in zip(own, customers, strict=True)
                if key not in end.emitted
            ]
        if reader.part.pages < _KEPT_PAGES:
            reader.emitted.update(own)
        reader.part.advance(page.cursor, last=last)
        if last:
            self._close(source)
        else:
            self._fetch(source)
        return Batch(page, customers)

    def _fail(self, source: _Source, error: ReadError) -> None:
        """Go on after a page could not be read."""
        reader = source.reader
        if not source.is_look and not source.came and not reader.part.at_start:
            self._logger.warning("Reading from an earlier place: %s", error)
            reader.part.restart()
            self._waiting.append(reader)
        elif reader is self._readers[0]:
            raise error
        elif source.came:
            # It keeps what it has come to, unless the others can be read without it.
            self._stuck.append((reader, error))
        else:
            self._drop(reader, error)

    def _drop(self, reader: _Reader, error: ReadError) -> None:
        """Leave a range to the one before it, which reads on."""
        self._logger.warning(
            "A place of an earlier read is not used, the range before it reads on: %s",
            error,
        )
        index = self._readers.index(reader)
        before = self._readers[index - 1]
        before.part.expected = before.part.size + reader.part.size
        del self._readers[index], self._ranges[index]
        for queue in (self._looks, self._waiting):
            if reader in queue:
                queue.remove(reader)
        if reader.held:
            self._close(reader.held[0])
        if before.part.done and before.part.cursor:
            before.part.done = False
            self._waiting.append(before)
        self._want_look(self._end_of(before))
