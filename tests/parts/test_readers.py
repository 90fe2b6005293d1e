"""Ranges that are read at once, on real threads, of an account in memory."""

from __future__ import annotations

import logging
import threading
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tap_chartmogul_customers.api.paging import Customer, Page
from tap_chartmogul_customers.errors import (
    ReadError,
    UnreachableError,
)
from tap_chartmogul_customers.sync.ranges import Range
from tap_chartmogul_customers.sync.readers import RangeReaders

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = pytest.mark.timeout(30)
"""What goes wrong with threads is a wait without an end."""

LOGGER = logging.getLogger("test")
PER_PAGE = 10


class Account:
    """An account of so many pages; a cursor is the number of its first customer."""

    def __init__(self, pages: int, *broken: str, seed: int | None = None) -> None:
        self.size = pages * PER_PAGE
        self.broken = broken
        """Cursors that cannot be read."""
        self.empty: set[str | None] = set()
        """Cursors that lead to an empty page, behind which others are."""
        self.rng = seed is not None and Random(seed)  # noqa: S311 (no secret)
        self.asked: list[tuple[str, str | None]] = []
        self.threads: set[threading.Thread] = set()
        self.open = self.most_open = 0
        self.on_request: Callable[[str, str | None], object] = lambda *_: None

    def pages(self, cursor: str | None, label: str) -> Generator[Page]:
        # As for a session, which connects at its first request.
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while True:
                self.asked.append((label, cursor))
                self.threads.add(threading.current_thread())
                self.on_request(label, cursor)
                if self.rng:
                    time.sleep(self.rng.random() / 1000)
                if (cursor or "start") in self.broken:
                    msg = f"{label} at {cursor}"
                    raise ReadError(msg)
                asked = cursor
                first = int(cursor or 0)
                behind = min(first + PER_PAGE, self.size)
                cursor = str(behind) if behind < self.size else None
                customers = [Customer(f"{number}") for number in range(first, behind)]
                if asked in self.empty:
                    # The same place by another cursor.
                    customers, cursor = [], f"0{asked}"
                yield Page(customers, cursor, label)
        finally:
            self.open -= 1


def ranges(*starts: int | tuple[int, int]) -> list[Range]:
    """Return ranges that start so, or that start at one and go on at the other."""
    result = []
    for each in starts:
        start, at = each if isinstance(each, tuple) else (each, each)
        part = Range(start=str(start) if start else None)
        part.cursor, part.pages = str(at) if at else None, (at - start) // PER_PAGE
        result.append(part)
    return result


def read(account: Account, parts: list[Range], *, at_once: int = 8) -> list[int]:
    """Read to the end, and return everyone that was to be emitted."""
    readers = RangeReaders(parts, account.pages, at_once, LOGGER)
    emitted = [int(c.uuid) for batch in readers.read() for c in batch.customers]
    assert all(part.done for part in parts)
    assert account.most_open <= at_once
    assert account.open == 0
    return sorted(emitted)


@pytest.mark.parametrize("at_once", [1, 2, 4, 8])
def test_reads_every_range_to_the_start_of_the_next(at_once: int) -> None:
    account = Account(40)
    assert {*read(account, ranges(0, 100, 200, 300), at_once=at_once)} == {*range(400)}
    # A page of overlap for each boundary. A look is the first page of its range:
    # another answer to the same request could lead elsewhere.
    assert len(account.asked) == 43


@pytest.mark.parametrize("count", [2, 4, 8, 20])
def test_nobody_is_emitted_twice(count: int) -> None:
    account = Account(10 * count)
    # Pages of a range begin elsewhere than those of the next one.
    parts = ranges(*(number * 103 - number * number // 7 for number in range(count)))
    assert read(account, parts, at_once=20) == [*range(100 * count)]


def test_one_range_is_read_in_order_and_asks_for_nothing_else() -> None:
    account = Account(5)
    assert read(account, ranges(0)) == [*range(50)]
    assert account.asked == [("", c) for c in (None, "10", "20", "30", "40")]


def test_what_is_done_is_not_read_but_looked_at() -> None:
    account = Account(20)
    parts = ranges((0, 50), 100)
    parts[1].done, parts[1].pages = True, 10
    assert read(account, parts) == [*range(50, 110)]
    assert account.asked.count(("range 2", "100")) == 1


@pytest.mark.parametrize("done", [False, True])
def test_without_anything_to_read_nothing_is_asked_for(*, done: bool) -> None:
    account = Account(20)
    parts = [Range(pages=3, done=True)] if done else []
    assert read(account, parts) == []
    assert not account.asked


def test_fetches_one_page_ahead_in_each_range_and_no_more() -> None:
    account = Account(12)
    parts = ranges(0, 60)
    for _ in RangeReaders(parts, account.pages, 2, LOGGER).read():
        time.sleep(0.01)
        for number, part in enumerate(parts, 1):
            asked = [label for label, _ in account.asked].count(f"range {number}")
            assert asked <= part.pages + 1


def test_a_page_waits_for_the_look_of_the_next_range() -> None:
    account, may_come = Account(20), threading.Event()
    account.on_request = lambda label, _: label == "range 2" and may_come.wait()
    batches = RangeReaders(ranges(0, 100), account.pages, 2, LOGGER).read()
    threading.Timer(0.2, may_come.set).start()
    next(batches)
    assert may_come.is_set()


def test_no_request_is_made_on_the_thread_that_emits() -> None:
    account = Account(30)
    read(account, ranges(0, 100, 200))
    assert threading.current_thread() not in account.threads


class TestUnreadable:
    """Places that cannot be read, for whatever reason."""

    @pytest.mark.parametrize("at_once", [1, 2, 8])
    @pytest.mark.parametrize("broken", [["100"], ["200"], ["100", "200", "300"]])
    def test_the_range_before_reads_what_a_boundary_was_to_lead_to(
        self, broken: list[str], at_once: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        account = Account(40)
        parts = ranges(0, 100, 200, 300)
        account.on_request = fails_first(account, *broken)
        assert {*read(account, parts, at_once=at_once)} == {*range(400)}
        assert len(parts) == 4 - len(broken)
        assert caplog.text.count("the range before it reads on") == len(broken)

    @pytest.mark.parametrize("at_once", [2, 8])
    def test_a_range_that_starts_with_an_empty_page_is_left_to_the_one_before(
        self, at_once: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        account = Account(40)
        account.empty = {"200"}
        parts = ranges(0, 100, 200, 300)
        assert read(account, parts, at_once=at_once) == [*range(400)]
        assert len(parts) == 3
        assert "an empty page, which cannot end a range" in caplog.text

    @pytest.mark.parametrize("at", ["150", "100"])
    def test_what_a_later_run_may_reach_is_left_to_it(self, at: str) -> None:
        account = Account(20)

        def on_request(label: str, cursor: str | None) -> None:
            if cursor == at and label == "range 2":
                raise UnreachableError(label)

        account.on_request = on_request
        parts = ranges(0, (100, 150))
        with pytest.raises(UnreachableError, match="range 2"):
            read(account, parts)
        assert parts[1].cursor == "150"

    @pytest.mark.parametrize("at_once", [1, 2, 8])
    def test_a_range_whose_second_page_fails_is_left_to_the_one_before(
        self, at_once: int
    ) -> None:
        account = Account(40)
        account.on_request = fails_first(account, "110", label="range 2")
        parts = ranges(0, 100, 200)
        assert {*read(account, parts, at_once=at_once)} == {*range(400)}
        assert len(parts) == 2

    def test_it_keeps_what_it_has_come_to_while_others_are_read(self) -> None:
        account = Account(40)
        account.on_request = fails_first(account, "150", label="range 2")
        parts = ranges((0, 50), 100, 200)
        kept = [
            len(parts) for _ in RangeReaders(parts, account.pages, 3, LOGGER).read()
        ]
        assert kept == [3] * (6 + 5 + 20) + [2] * 10

    def test_a_range_goes_on_from_its_start_if_its_place_fails(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        account = Account(20)
        account.on_request = fails_first(account, "150", label="range 2")
        parts = ranges(0, (100, 150))
        assert {*read(account, parts)} == {*range(200)}
        assert "Reading from an earlier place: range 2 at 150" in caplog.text

    def test_places_that_all_fail_are_read_from_the_start_of_the_account(self) -> None:
        account = Account(40)
        places = ["50", "100", "150", "200", "250"]
        account.on_request = fails_first(account, *places)
        parts = ranges((0, 50), (100, 150), (200, 250))
        assert {*read(account, parts)} == {*range(400)}
        assert len(parts) == 1

    @pytest.mark.parametrize("at_once", [1, 4])
    def test_fails_if_the_start_of_the_account_does(self, at_once: int) -> None:
        account = Account(40, "start", "50", "100", "200", "300")
        parts = ranges((0, 50), 100, 200, 300)
        with pytest.raises(ReadError, match="range 1 at None"):
            read(account, parts, at_once=at_once)

    def test_a_range_that_failed_before_its_look_did_is_dropped_once(self) -> None:
        account = Account(40)
        has_failed = threading.Event()

        def on_request(label: str, cursor: str | None) -> None:
            if label == "range 2" and cursor in {"100", "160"}:
                # The look of its start takes longer than its second page.
                (has_failed.set if cursor == "160" else has_failed.wait)()
                time.sleep(0.1 * (cursor == "100"))
                raise ReadError

        account.on_request = on_request
        parts = ranges(0, (100, 150), 200)
        assert {*read(account, parts)} == {*range(400)}

    def test_a_connection_on_its_way_is_closed_when_its_range_was_dropped(self) -> None:
        account = Account(40)
        account.on_request = fails_first(account, "100")
        assert {*read(account, ranges(0, (100, 150)), at_once=2)} == {*range(400)}

    def test_an_address_that_is_wrong_ends_all_at_once(self) -> None:
        account = Account(40)

        def on_request(label: str, _: str | None) -> None:
            if label == "range 3":
                raise UnreachableError

        account.on_request = on_request
        with pytest.raises(UnreachableError):
            read(account, ranges(0, 100, 200, 300))


def fails_first(
    account: Account, *cursors: str, label: str = ""
) -> Callable[[str, str | None], None]:
    """Fail where a connection starts at a cursor of an earlier read, or of a label."""

    def on_request(asking: str, cursor: str | None) -> None:
        before = account.asked[:-1]
        goes_on = any(
            each == asking and str(int(at or 0) + PER_PAGE) == cursor
            for each, at in before
        )
        if cursor in cursors and (label == asking or (not label and not goes_on)):
            msg = f"{asking} at {cursor}"
            raise ReadError(msg)

    return on_request


@pytest.mark.parametrize("seed", range(60))
def test_whatever_comes_first_all_of_it_is_read(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 (no secret)
    account = Account(60, seed=seed)
    cuts = sorted(rng.sample(range(PER_PAGE, 600), rng.randrange(8)))
    at = [min(600, cut + PER_PAGE * rng.choice((0, 0, 1, 3))) for cut in cuts]
    account.on_request = fails_first(
        account, *(str(place) for place in {*cuts, *at} if rng.random() < 0.2)
    )
    parts = ranges(0, *((cut, place) for cut, place in zip(cuts, at, strict=True)))
    begun = {n for cut, place in zip(cuts, at, strict=True) for n in range(cut, place)}
    read_now = {*read(account, parts, at_once=rng.randrange(1, 6))}
    assert read_now | begun == {*range(600)}
