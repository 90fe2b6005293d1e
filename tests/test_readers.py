from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_chartmogul_customers.errors import CursorRefusedError
from tap_chartmogul_customers.pagination import Page
from tap_chartmogul_customers.sync.ranges import Range
from tap_chartmogul_customers.sync.readers import Fetched, Readers, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(10)
"""What goes wrong with threads is a wait without an end."""

PAGE = 10
"""Customers on a page."""


class Account:
    """An account of so many pages; a cursor is the number of its first customer.

    Args:
        pages: How many.
        refused: The cursors that it does not take for a start.
        broken: The cursor whose page fails.
        size: How many customers are on a page.
    """

    def __init__(
        self,
        pages: int,
        *,
        refused: tuple[str, ...] = (),
        broken: str = "",
        size: int = PAGE,
    ) -> None:
        self.pages = pages
        self.size = size
        self.refused = refused
        self.broken = broken
        self.asked: list[str | None] = []
        self.threads: set[threading.Thread] = set()
        self.open: set[Opened] = set()
        self.connections = 0

    def read(self, start: str | None, _: str) -> Opened:
        return Opened(self, start)


class Opened:
    """The account from one place on."""

    def __init__(self, account: Account, start: str | None) -> None:
        self.account = account
        self.start = start

    def pages(self) -> Iterator[Page]:
        account, cursor = self.account, self.start
        size = account.size
        while True:
            account.connections += self not in account.open
            account.open.add(self)
            account.asked.append(cursor)
            account.threads.add(threading.current_thread())
            if cursor == self.start and cursor in account.refused:
                msg = "no such cursor"
                raise CursorRefusedError(msg, 400)
            if cursor == account.broken:
                msg = "broken"
                raise ConnectionError(msg)
            first = int(cursor or 0)
            entries: list[dict[str, Any]] = [
                {"uuid": str(number)} for number in range(first, first + size)
            ]
            cursor = str(first + size)
            more = first + size < account.pages * size
            yield Page(first // size + 1, entries, more, cursor, None)
            if not more:
                return

    def close(self) -> None:
        self.account.open.discard(self)


def ranges(*starts: int) -> list[Range]:
    return [
        # Equal, but not the same: so they come out of a state.
        Range(start=str(start), cursor=str(start)) if start else Range()
        for start in starts
    ]


def readers(account: Account, parts: list[Range], *, at_once: int = 8) -> Readers:
    names = [f"range {number}" for number in range(len(parts))]
    reading = Readers(parts, names, account.read, at_once=at_once)
    for part in parts:
        if not part.done:
            reading.start(part)
    return reading


def read(account: Account, parts: list[Range], *, at_once: int = 8) -> set[str]:
    """Read to the end, as the stream does but for reopened ranges."""
    seen = set()
    for event in readers(account, parts, at_once=at_once):
        if isinstance(event, Fetched):
            seen |= {customer["uuid"] for customer in event.page.entries}
            event.part.write(event.page, last=event.last)
        elif not event.dropped:
            event.part.restart()
    return seen


def settled(account: Account) -> int:
    """Return how many pages were asked for once no more are."""
    asked = -1
    while asked != len(account.asked):
        asked = len(account.asked)
        time.sleep(0.05)
    return asked


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_reads_every_range_to_the_start_of_the_next(at_once: int) -> None:
    account = Account(40)
    everyone = {str(number) for number in range(400)}
    assert read(account, ranges(0, 100, 200, 300), at_once=at_once) == everyone
    # A page of overlap for each boundary, and a look that is its range's first page.
    assert len(account.asked) == 43
    assert account.connections == 4


def test_one_range_is_read_in_order_to_the_last_page() -> None:
    account = Account(5)
    events = pages_of(readers(account, ranges(0)))
    assert [event.page.number for event in events] == [1, 2, 3, 4, 5]
    assert {event.known for event in events} == {0}


def test_a_range_whose_look_took_several_pages_is_read_in_order() -> None:
    account = Account(40, size=3)
    parts = ranges(0, 60)
    events = pages_of(readers(account, parts))
    for part, numbers in zip(parts, [range(1, 23), range(21, 41)], strict=True):
        read = [event.page.number for event in events if event.part is part]
        assert read == [*numbers]


def pages_of(reading: Readers) -> list[Fetched]:
    return [event for event in reading if isinstance(event, Fetched)]


def test_fetches_one_page_ahead_in_each_range_and_no_more() -> None:
    account = Account(12)
    parts = ranges(0, 60)
    seen = dict.fromkeys(parts, 0)
    for event in readers(account, parts):
        seen[event.part] += 1
        # Of each, what was taken and the next; or the first, if none was.
        assert settled(account) <= sum(count + 1 for count in seen.values())


def test_each_range_has_a_thread_that_holds_up_no_exit() -> None:
    account = Account(30)
    read(account, ranges(0, 100, 200))
    assert len(account.threads) == 3
    assert threading.current_thread() not in account.threads
    assert all(thread.daemon for thread in account.threads)


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_ranges_are_read_at_once_than_may_be(at_once: int) -> None:
    account = Account(40)
    under_way: dict[Range, bool] = {}
    for event in pages_of(readers(account, ranges(0, 100, 200, 300), at_once=at_once)):
        under_way[event.part] = not event.last
        assert sum(under_way.values()) <= at_once


def test_a_refused_boundary_is_passed_over_by_the_range_before() -> None:
    account = Account(40, refused=("200",))
    parts = ranges(0, 100, 200, 300)
    events = [*readers(account, parts)]
    (refusal,) = [event for event in events if isinstance(event, Refused)]
    assert refusal.part is parts[2]
    assert refusal.dropped
    last = {
        event.part: event.page.number for event in events if isinstance(event, Fetched)
    }
    assert last == {parts[0]: 11, parts[1]: 31, parts[3]: 40}


def test_a_refused_cursor_is_read_again_from_the_start_of_its_range() -> None:
    account = Account(20, refused=("150",))
    parts = ranges(0, 100)
    parts[1].cursor = "150"
    events = [*readers(account, parts)]
    (refusal,) = [event for event in events if isinstance(event, Refused)]
    assert not refusal.dropped
    # The start, which is the look too, and the page of overlap.
    assert account.asked.count("100") == 2
    numbers = [
        e.page.number for e in events if isinstance(e, Fetched) and e.part is parts[1]
    ]
    assert numbers == list(range(11, 21))


def test_a_range_resumed_in_the_middle_leaves_its_start_to_the_look() -> None:
    account = Account(20)
    parts = ranges(0, 100)
    parts[0].cursor, parts[1].cursor = "50", "150"
    read(account, parts)
    assert account.asked.count("100") == 2  # The look, and the page of overlap.
    assert "110" not in account.asked


def test_what_is_done_is_not_read_but_looked_at() -> None:
    account = Account(20)
    parts = ranges(0, 100)
    parts[0].cursor = "50"
    parts[1].done = True
    assert read(account, parts) == {str(number) for number in range(50, 110)}


@pytest.mark.parametrize("broken", ["50", "100", "150"])
def test_an_error_in_one_range_ends_all(broken: str) -> None:
    account = Account(1000, broken=broken)
    reading = readers(account, ranges(0, 100))
    with pytest.raises(ConnectionError, match="broken"):
        list(reading)
    asked = len(account.asked)
    reading.close()
    settled(account)
    for thread in account.threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    # One page of each range may have been on its way.
    assert len(account.asked) <= asked + 2


def test_a_read_that_is_given_up_ends_its_threads() -> None:
    account = Account(1000)
    reading = readers(account, ranges(0, 5000), at_once=1)
    next(iter(reading))
    reading.close()
    for thread in account.threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert settled(account) <= 3


def test_a_thread_that_asks_while_the_read_is_given_up_ends_too() -> None:
    account, (part,) = Account(9), ranges(0)
    asks, may_go_on = threading.Event(), threading.Event()

    class Slow(Opened):
        def pages(self) -> Iterator[Page]:
            account.threads.add(threading.current_thread())
            asks.set()
            may_go_on.wait()
            yield from super().pages()

    readers = Readers([part], [""], lambda start, _: Slow(account, start), at_once=1)
    readers.start(part)
    asks.wait()
    readers.close()
    may_go_on.set()
    for thread in account.threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_every_connection_is_closed_at_the_end() -> None:
    account = Account(50, refused=("150", "400"))
    new, refused, resumed, done, dropped = ranges(0, 100, 200, 300, 400)
    refused.cursor, resumed.cursor, done.done = "150", "250", True
    read(account, [new, refused, resumed, done, dropped])
    settled(account)
    for thread in account.threads:
        thread.join(timeout=10)
    assert not account.open
