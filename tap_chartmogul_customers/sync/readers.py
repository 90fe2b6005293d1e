"""Reads the ranges of a sync at once, a page of each at a time.

Pages come on threads, one for each page that is on its way. Everything else happens
where the pages are taken: no thread knows of another, and there is no lock.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tap_chartmogul_customers.errors import PagingError, ReadError
from tap_chartmogul_customers.sync.ranges import is_behind, keys

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator, Iterator, Sequence
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


class Batch(NamedTuple):
    """Customers of a page to emit: those that were not emitted yet."""

    page: Page
    customers: Sequence[Customer]


@dataclass(eq=False)
class _RangeReader:
    """A range in this run.

    Attributes:
        range: The range.
        label: What errors call it.
        look: The keys of the look at its start, once that is there.
        look_is_due: Whether its look is there, was asked for, or is its first page.
        first: The page that the look was taken from. The range can begin with it.
        connection: What brings its pages, while that is open.
        held: A page that came, with its keys, until it may be emitted.
        error: Why it cannot be read further. It waits until all others are read.
    """

    range: Range
    label: str
    look: set[str] | None = None
    look_is_due: bool = False
    first: Page | None = None
    connection: _Connection | None = None
    held: tuple[Page, list[str]] | None = None
    error: ReadError | None = None


@dataclass(eq=False)
class _Connection:
    """Brings pages of a range, or one page for the look at its start."""

    reader: _RangeReader
    pages: Generator[Page]
    is_look: bool
    came: bool = False
    """Whether a page of the range came."""


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
        # What is to be asked for. Looks go first, else ranges that wait for them could
        # keep all connections.
        self._looks: list[_RangeReader] = []
        self._waiting = [each for each in self._readers if not each.range.done]
        self._open = 0
        self._asked = 0
        self._emitted: set[str] = set()
        """Keys of customers that were emitted in this run where two ranges meet."""
        self._threads = ThreadPoolExecutor(at_once)
        self._came: SimpleQueue[tuple[_Connection, Future[Page]]] = SimpleQueue()

    def read(self) -> Iterator[Batch]:
        """Read all of them.

        Yields:
            Customers to emit: where nobody is moved, none of them twice.

        Raises:
            ReadError: The account cannot be read, not from its start either.
            UnreachableError: ChartMogul cannot be reached.
        """
        for reader in self._waiting[: self._at_once]:
            # Its first page is also the look at its start: no request more.
            reader.look_is_due = reader.range.at_start
        for reader in self._waiting:
            self._want_look(self._next(reader))
        while True:
            while self._open < self._at_once and (self._looks or self._waiting):
                self._connect()
            yield from self._emit()
            if self._asked:
                self._take(*self._wait())
            elif self._looks or self._waiting:
                assert self._open < self._at_once  # noqa: S101 (else it would not end)
            elif stuck := [(each, each.error) for each in self._readers if each.error]:
                for each in stuck:
                    self._drop(*each)
            else:
                return

    def _next(self, reader: _RangeReader) -> _RangeReader | None:
        """Return the reader of the next range, which starts where this one ends."""
        rest = self._readers[self._readers.index(reader) + 1 :]
        return rest[0] if rest else None

    def _want_look(self, reader: _RangeReader | None) -> None:
        if reader and not reader.look_is_due:
            reader.look_is_due = True
            self._looks.append(reader)

    def _connect(self) -> None:
        is_look = bool(self._looks)
        reader = (self._looks or self._waiting).pop(0)
        start = reader.range.start if is_look else reader.range.cursor
        first = reader.first if reader.range.at_start and not is_look else None
        if first:
            # The range before may have ended because of this answer. If it were asked
            # for again, the answer could be another.
            start = first.cursor
        pages = self._open_pages(start, reader.label)
        self._open += 1
        connection = _Connection(reader, pages, is_look)
        if not is_look:
            reader.connection = connection
        if first:
            connection.came = True
            reader.held = first, keys(first.customers)
        else:
            self._fetch(connection)

    def _fetch(self, connection: _Connection) -> None:
        """Let the next page come, on a thread."""
        self._asked += 1
        page = self._threads.submit(next, connection.pages)
        page.add_done_callback(lambda page: self._came.put((connection, page)))

    def _wait(self) -> tuple[_Connection, Future[Page]]:
        """Wait for the next page that comes.

        A signal that comes just before a wait does not end it: Python calls a handler
        only afterwards. So no wait is long.
        """
        while True:
            with suppress(Empty):
                return self._came.get(timeout=_LONGEST_WAIT)

    def _close(self, connection: _Connection) -> None:
        connection.pages.close()
        self._open -= 1
        if not connection.is_look:
            connection.reader.connection = None

    def _take(self, connection: _Connection, came: Future[Page]) -> None:
        self._asked -= 1
        reader = connection.reader
        is_dropped = reader not in self._readers
        is_first = connection.is_look or (reader.range.at_start and not connection.came)
        try:
            page = came.result()
            if is_first and reader.range.start and page.cursor and not page.customers:
                msg = f"{page.where}: an empty page, which cannot end a range"
                raise PagingError(msg)
        except ReadError as error:
            self._close(connection)
            if not is_dropped:
                self._fail(connection, error)
            return
        own = keys(page.customers) if len(self._readers) > 1 else []
        if is_first:
            reader.look = {*own}
        if connection.is_look:
            reader.first = page
        if connection.is_look or is_dropped:
            self._close(connection)
        else:
            connection.came = True
            reader.held = page, own

    def _emit(self) -> Iterator[Batch]:
        """Emit each page that came, once the look is there that may end its range."""
        for reader in self._readers:
            end = self._next(reader)
            if reader.held and (end is None or end.look is not None):
                yield self._advance(reader, *reader.held, end)

    def _advance(
        self, reader: _RangeReader, page: Page, own: list[str], end: _RangeReader | None
    ) -> Batch:
        connection = reader.connection
        assert connection  # noqa: S101 (it brought the page)
        look = end.look or set() if end else set()
        customers = page.customers
        if not self._emitted.isdisjoint(own):
            pairs = zip(own, customers, strict=True)
            customers = [each for key, each in pairs if key not in self._emitted]
        # The pages that two ranges may share: the first ones of a range, and those of
        # the range before that reach into them.
        if reader.range.pages < _KEPT_PAGES or not look.isdisjoint(own):
            self._emitted.update(own)
        last = page.cursor is None or is_behind(own, look)
        reader.held = None
        reader.range.advance(page.cursor, last=last)
        if last:
            self._close(connection)
        else:
            self._fetch(connection)
        return Batch(page, customers)

    def _fail(self, connection: _Connection, error: ReadError) -> None:
        """Go on after a page could not be read."""
        reader = connection.reader
        is_resumed = not (
            connection.is_look or connection.came or reader.range.at_start
        )
        if is_resumed:
            self._logger.warning("Reading from an earlier place: %s", error)
            reader.range.restart()
            self._waiting.append(reader)
        elif reader is self._readers[0]:
            raise error
        elif connection.came:
            # If the run fails, its pages are kept. Once all others are read, it is
            # dropped.
            reader.error = error
        else:
            self._drop(reader, error)

    def _drop(self, reader: _RangeReader, error: ReadError) -> None:
        """Leave a range to the one before it, which reads on."""
        self._logger.warning(
            "A boundary is dropped, and the range before it reads on: %s",
            error,
        )
        index = self._readers.index(reader)
        before = self._readers[index - 1]
        del self._readers[index], self._ranges[index]
        for queue in (self._looks, self._waiting):
            if reader in queue:
                queue.remove(reader)
        if reader.held and reader.connection:
            self._close(reader.connection)
        if before.range.done and before.range.cursor:
            before.range.done = False
            self._waiting.append(before)
        self._want_look(self._next(before))
