"""The lines that say how far a read has come."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from sandbox import API_KEY
from tap_chartmogul_customers.pagination import Page
from tap_chartmogul_customers.sync import progress
from tap_chartmogul_customers.sync.progress import Progress
from tap_chartmogul_customers.sync.ranges import Range
from tap_chartmogul_customers.sync.resume import start_sync
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from sandbox import Sandbox

LOGGER = logging.getLogger("test")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    """Return the clock that the lines go by."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Reading:
    """A sync of which page after page is written.

    Args:
        expected: How many pages the last sync had.
    """

    def __init__(self, expected: int = 0) -> None:
        self.sync = start_sync(filters={}, account="a", versioned=False)
        self.part = Range(expected=expected)
        self.sync.ranges = [self.part]

    def write(self, pages: int) -> None:
        for _ in range(pages):
            page = Page(1, [{"uuid": "cus_1"}] * 200, True, "a", None)  # noqa: FBT003
            self.sync.write(self.part, page, last=False)


def test_says_how_far_it_has_come_every_ten_seconds(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading(expected=50)
    progress = Progress(LOGGER, reading.sync)
    for now in range(1000, 1031):
        clock.now = now
        reading.write(1)
        progress.say()
    assert caplog.messages == [
        (
            "2,200 customers on 11 pages so far, 220 a second, 22% of 50 pages, "
            "about 35 s to go"
        ),
        (
            "4,200 customers on 21 pages so far, 210 a second, 42% of 50 pages, "
            "about 28 s to go"
        ),
        (
            "6,200 customers on 31 pages so far, 207 a second, 62% of 50 pages, "
            "about 18 s to go"
        ),
    ]


def test_counts_the_time_of_this_run_alone(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading(expected=50)
    reading.write(20)
    progress = Progress(LOGGER, reading.sync)
    clock.now += 10
    progress.say()
    reading.write(10)
    clock.now += 10
    progress.say()
    assert caplog.messages == [
        "4,000 customers on 20 pages so far, 0 a second",
        (
            "6,000 customers on 30 pages so far, 100 a second, 60% of 50 pages, "
            "about 40 s to go"
        ),
    ]


@pytest.mark.parametrize("expected", [0, 299, 300])
def test_says_no_time_to_go_where_it_knows_none(
    clock: Clock, caplog: pytest.LogCaptureFixture, expected: int
) -> None:
    reading = Reading(expected)
    progress = Progress(LOGGER, reading.sync)
    reading.write(300)
    clock.now += 10
    progress.say()
    assert caplog.messages == ["60,000 customers on 300 pages so far, 6,000 a second"]


def test_says_no_time_to_go_before_the_first_page_of_a_run(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading(expected=500)
    reading.write(300)
    progress = Progress(LOGGER, reading.sync)
    clock.now += 10
    progress.say()
    assert caplog.messages == ["60,000 customers on 300 pages so far, 0 a second"]


def test_says_no_time_to_go_after_a_restart_until_it_is_where_it_was(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading(expected=50)
    reading.write(20)
    progress = Progress(LOGGER, reading.sync)
    reading.part.restart()
    reading.write(5)
    clock.now += 10
    progress.say()
    reading.write(5)
    clock.now += 10
    progress.say()
    assert caplog.messages == [
        "1,000 customers on 5 pages so far, 0 a second",
        (
            "2,000 customers on 10 pages so far, 50 a second, 20% of 50 pages, "
            "about 160 s to go"
        ),
    ]


def test_sums_up_at_the_end(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    reading = Reading()
    progress = Progress(LOGGER, reading.sync)
    reading.write(1500)
    clock.now += 75.25
    progress.end(1000)
    assert caplog.messages == [
        "Read 300,000 customers on 1,500 pages in 75.2 s with 1,000 retries"
    ]


def test_says_at_the_end_that_this_run_read_the_rest(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Reading()
    reading.write(1500)
    progress = Progress(LOGGER, reading.sync)
    reading.write(500)
    clock.now += 75.25
    progress.end(0)
    (line,) = caplog.messages
    assert line.startswith("Read 400,000 customers on 2,000 pages, the last of them in")


def test_a_run_says_it_after_each_page_if_it_is_time_to(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    config = {"api_key": API_KEY, "api_url": sandbox.url, "per_page": 25}
    TapChartMogulCustomers(config=config).sync_all()
    counts = [line.split(" so far")[0] for line in caplog.messages if "so far" in line]
    assert counts == [
        "25 customers on 1 pages",
        "50 customers on 2 pages",
        "60 customers on 3 pages",
    ]
