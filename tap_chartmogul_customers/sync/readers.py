"""Reads ranges at once, each on a thread of its own that is one page ahead."""

from __future__ import annotations

import threading
from contextlib import closing
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tap_chartmogul_customers.errors import CursorRefusedError
from tap_chartmogul_customers.sync.ranges import Latest, Look

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from tap_chartmogul_customers.pagination import Page
    from tap_chartmogul_customers.sync.ranges import Range


class Pages(Protocol):
    """What reads pages from one place of the account on, over its own connection."""

    def pages(self) -> Iterator[Page]:
        """Read page after page."""

    def close(self) -> None:
        """Close the connection."""


class Place:
    """A place of the account in this run: whoever needs it first asks.

    A boundary is needed twice, as the start of a range and as the look at the end of
    the one before it, on two threads. That is one request, and one answer for both.

    Args:
        reader: What reads from there.
        look: What is to be filled with its customers, if another range ends there.
    """

    def __init__(self, reader: Pages, look: Look | None = None) -> None:
        self._reader = reader
        self.look = look
        self._lock = threading.Lock()
        self._pages: Iterator[Page] | None = None
        self._first: list[Page] = []
        self._error: BaseException | None = None
        self.refusal: CursorRefusedError | None = None

    def ask(self) -> bool:
        """Ask for the first page, and for a look more if it is next to empty; once.

        Returns:
            Whether the service takes the cursor.

        Raises:
            BaseException: What `pages` raised, each time.
        """
        with self._lock:
            if self._pages is None:
                self._pages = self._reader.pages()
                try:
                    for page in self._pages:
                        self._first.append(page)
                        # Now, since whoever writes the page uses it up.
                        if self.look is None or self.look.add(page.entries):
                            break
                except CursorRefusedError as error:
                    self.refusal = error
                except BaseException as error:  # noqa: BLE001 (raised below)
                    self._error = error
            if self._error is not None:
                raise self._error
            return self.refusal is None

    def read(self) -> Generator[Page, None, None]:
        """Read from there on; only after `ask`, and only once.

        Yields:
            Each page.
        """
        with closing(self):
            while self._first:
                yield self._first.pop(0)
            yield from self._pages or ()

    def close(self) -> None:
        """Close the connection; reading on would open another."""
        self._reader.close()


class Fetched(NamedTuple):
    """A page of a range, and whether it ends the range.

    Of its customers, the next range counts as many as are `known`.
    """

    part: Range
    page: Page
    known: int
    last: bool
    take: Callable[[], None]


class Refused(NamedTuple):
    """The service refused a range's cursor, and perhaps its start too."""

    part: Range
    error: CursorRefusedError
    dropped: bool


class Readers:
    """Reads ranges at once.

    The threads are daemons: they never hold up the end of the process, whatever they
    wait for. When the iteration is given up, each ends before it asks for another page.

    Args:
        ranges: All ranges of the sync, in their order.
        names: What errors call each of them.
        open_at: What makes a reader from a cursor on, and gives it a name.
        at_once: How many ranges may be read at once.
    """

    def __init__(
        self,
        ranges: Sequence[Range],
        names: Sequence[str],
        open_at: Callable[[str | None, str], Pages],
        *,
        at_once: int,
    ) -> None:
        self._ranges = ranges
        self._names = names
        self._open_at = open_at
        self._starts = [
            Place(open_at(part.start, name), Look() if part.start else None)
            for part, name in zip(ranges, names, strict=True)
        ]
        self._looks_only = {
            index
            for index, part in enumerate(ranges)
            if part.done or part.cursor != part.start
        }
        self._turns = threading.Semaphore(at_once)
        self._events = SimpleQueue[Fetched | Refused | BaseException]()
        self._open = 0
        self._given_up = threading.Event()
        self._taken: list[threading.Semaphore] = []

    def start(self, part: Range) -> None:
        """Start to read a range, as soon as it is its turn.

        Args:
            part: One of the ranges.
        """
        self._open += 1
        threading.Thread(
            target=self._run, args=(part,), name="reader", daemon=True
        ).start()

    def __iter__(self) -> Iterator[Fetched | Refused]:
        """Wait for what the threads come to, until every started range is at its end.

        Yields:
            Each page, and each refusal. At most one further page of a range is fetched
            while one is in use.

        Raises:
            BaseException: What ended a range other than its end.
        """
        while self._open:
            event = self._events.get()
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Fetched):
                event.take()
                self._open -= event.last
            else:
                self._open -= event.dropped
            yield event

    def close(self) -> None:
        """Let no thread ask for another page."""
        self._given_up.set()
        for taken in self._taken:
            taken.release()

    def _run(self, part: Range) -> None:
        try:
            with self._turns:
                taken = threading.Semaphore(0)
                # Ahead of the check: `close` releases those that it finds.
                self._taken.append(taken)
                if not self._given_up.is_set():
                    self._read(part, taken)
        except BaseException as error:  # noqa: BLE001 (raised where pages are used)
            self._events.put(error)

    def _read(self, part: Range, taken: threading.Semaphore) -> None:
        index = self._ranges.index(part)
        place = start = self._starts[index]
        if part.cursor != part.start:
            place = Place(self._open_at(part.cursor, self._names[index]))
            if not place.ask():
                self._refuse(part, place, dropped=False)
                place = start
        if not place.ask():
            self._refuse(part, place, dropped=True)
            return
        look = self._look_behind(index)
        latest = Latest()
        with closing(place.read()) as pages:
            for page in pages:
                known = look.known(page.entries) if look else 0
                behind = latest.stand_behind(known, len(page.entries))
                if look and behind:
                    known += look.beyond(page.entries)
                last = behind or not page.has_more
                self._events.put(Fetched(part, page, known, last, taken.release))
                if last:
                    return
                # Not before this one is taken is the next one asked for.
                taken.acquire()
                if self._given_up.is_set():
                    return

    def _refuse(self, part: Range, place: Place, *, dropped: bool) -> None:
        place.close()
        if place.refusal is not None:
            self._events.put(Refused(part, place.refusal, dropped))

    def _look_behind(self, index: int) -> Look | None:
        """Return the look at the end of a range, passing over refused boundaries."""
        for following in range(index + 1, len(self._ranges)):
            place = self._starts[following]
            taken = place.ask()
            if following in self._looks_only:
                # Its range reads on over another connection, or not at all.
                place.close()
            if taken:
                return place.look
        return None
