"""The lines that say how far a read has come."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from tap_chartmogul_customers import progress
from tap_chartmogul_customers.progress import Progress


class Clock:
    """A clock that tests set."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress, "time", clock := Clock())
    return clock


def sync(pages: int = 0, *, resumed: bool = False) -> Any:
    return SimpleNamespace(pages=pages, customers=200 * pages, resumed=resumed)


def test_says_how_far_it_has_come_every_ten_seconds(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    reading = sync(pages=100, resumed=True)
    progress = Progress(logging.getLogger(), reading)
    for _ in range(25):
        clock.now += 1
        reading.pages += 1
        reading.customers += 200
        progress.say()
    assert caplog.messages == [
        "22,000 customers on 110 pages so far, 200 a second",
        "24,000 customers on 120 pages so far, 200 a second",
    ]


@pytest.mark.parametrize(
    ("reading", "retries", "line"),
    [
        (
            sync(1500),
            1000,
            "300,000 customers on 1,500 pages in 75.2 s with 1,000 retries",
        ),
        (sync(0), 0, "0 customers on 0 pages in 75.2 s with 0 retries"),
        (
            SimpleNamespace(pages=1, customers=1, resumed=True),
            1,
            "1 customer on 1 page; this run took 75.2 s with 1 retry",
        ),
    ],
)
def test_sums_up_at_the_end(
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    reading: Any,
    retries: int,
    line: str,
) -> None:
    progress = Progress(logging.getLogger(), reading)
    clock.now += 75.25
    progress.end(retries)
    assert caplog.messages == [f"Read {line}"]
