"""Ranges that are read at once, on real threads, of an account in memory."""

from __future__ import annotations

import logging
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tap_chartmogul_customers.api.paging import Customer, Page
from tap_chartmogul_customers.errors import ReadError, UnreachableError
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

    def __init__(self, pages: int) -> None:
        self.size = pages * PER_PAGE
        self.empty: set[str | None] = set()
        """Cursors that lead to an empty page, behind which others are."""
        self.asked: list[tuple[str, str | None]] = []
        self.open = self.most_open = 0
        self.on_request: Callable[[str, str | None], object] = lambda *_: None

    def pages(self, cursor: str | None, label: str) -> Generator[Page]:
        # As for a connection, which opens at its first request.
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while True:
                self.asked.append((label, cursor))
                self.on_request(label, cursor)
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

    def fail(
        self, *cursors: str, label: str = "", error: type[Exception] = ReadError
    ) -> None:
        """Fail where a connection starts at a cursor of an earlier read, or a label."""

        def on_request(asking: str, cursor: str | None) -> None:
            goes_on = any(
                each == asking and str(int(at or 0) + PER_PAGE) == cursor
                for each, at in self.asked[:-1]
            )
            if cursor in cursors and (label == asking or (not label and not goes_on)):
                msg = f"{asking} at {cursor}"
                raise error(msg)

        self.on_request = on_request


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


@pytest.mark.parametrize("seed", range(60))
def test_whatever_comes_first_all_of_it_is_read(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 (no secret)
    account = Account(60)
    cuts = sorted(rng.sample(range(PER_PAGE, 600), rng.randrange(8)))
    at = [min(600, cut + PER_PAGE * rng.choice((0, 0, 1, 3))) for cut in cuts]
    account.fail(*(str(place) for place in {*cuts, *at} if rng.random() < 0.2))
    fail = account.on_request

    def on_request(label: str, cursor: str | None) -> None:
        time.sleep(rng.random() / 1000)
        fail(label, cursor)

    account.on_request = on_request
    parts = ranges(0, *zip(cuts, at, strict=True))
    begun = {n for cut, place in zip(cuts, at, strict=True) for n in range(cut, place)}
    read_now = {*read(account, parts, at_once=rng.randrange(1, 6))}
    assert read_now | begun == {*range(600)}


@pytest.mark.parametrize("seed", range(30))
def test_nobody_is_emitted_twice_though_pages_begin_elsewhere(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 (no secret)
    account = Account(60)
    account.on_request = lambda *_: time.sleep(rng.random() / 1000)
    cuts = [place + rng.randrange(40) for place in range(100, 600, 100)]
    emitted = read(account, ranges(0, *cuts), at_once=rng.randrange(1, 8))
    assert emitted == [*range(600)]


@pytest.mark.parametrize("at_once", [1, 2, 4, 8])
def test_reads_every_range_to_the_start_of_the_next(at_once: int) -> None:
    account = Account(40)
    assert {*read(account, ranges(0, 100, 200, 300), at_once=at_once)} == {*range(400)}
    # A page of overlap for each boundary. A look is the first page of its range:
    # another answer to the same request could lead elsewhere.
    assert len(account.asked) == 43


def test_what_is_done_is_not_read_but_looked_at() -> None:
    account = Account(20)
    parts = ranges((0, 50), 100)
    parts[1].done, parts[1].pages = True, 10
    assert read(account, parts) == [*range(50, 110)]
    assert account.asked.count(("range 2", "100")) == 1


def test_fetches_one_page_ahead_in_each_range_and_no_more() -> None:
    account = Account(12)
    parts = ranges(0, 60)
    for _ in RangeReaders(parts, account.pages, 2, LOGGER).read():
        time.sleep(0.01)
        for number, part in enumerate(parts, 1):
            asked = [label for label, _ in account.asked].count(f"range {number}")
            assert asked <= part.pages + 1


@pytest.mark.parametrize("at_once", [2, 8])
def test_a_range_that_starts_with_an_empty_page_is_left_to_the_one_before(
    at_once: int, caplog: pytest.LogCaptureFixture
) -> None:
    account = Account(40)
    account.empty = {"200"}
    parts = ranges(0, 100, 200, 300)
    assert read(account, parts, at_once=at_once) == [*range(400)]
    assert len(parts) == 3
    assert "an empty page, which cannot end a range" in caplog.text


@pytest.mark.parametrize("at", ["150", "100"])
def test_what_a_later_run_may_reach_is_left_to_it(at: str) -> None:
    account = Account(20)
    account.fail(at, label="range 2", error=UnreachableError)
    parts = ranges(0, (100, 150))
    with pytest.raises(UnreachableError, match="range 2"):
        read(account, parts)
    assert parts[1].cursor == "150"


def test_a_range_that_fails_keeps_what_it_has_come_to_while_others_are_read() -> None:
    account = Account(40)
    account.fail("150", label="range 2")
    parts = ranges((0, 50), 100, 200)
    kept = [len(parts) for _ in RangeReaders(parts, account.pages, 3, LOGGER).read()]
    assert kept == [3] * (6 + 5 + 20) + [2] * 10
