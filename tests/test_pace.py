"""How requests wait for their turn, by a clock that moves as they sleep."""

from __future__ import annotations

import pytest

from tap_chartmogul_customers.api import pace
from tap_chartmogul_customers.api.pace import MOST_A_SECOND, Pace


class Clock:
    """A clock that starts with the machine, and moves by sleep alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def test_requests_follow_one_another_evenly(clock: Clock) -> None:
    send = Pace().paced(clock.monotonic)
    times = [send() for _ in range(2 * MOST_A_SECOND)]
    assert times == pytest.approx([n / MOST_A_SECOND for n in range(len(times))])


def test_no_request_waits_after_a_pause(clock: Clock) -> None:
    send = Pace().paced(clock.monotonic)
    send()
    clock.sleep(60)
    assert send() == 60


def test_a_retry_that_concerns_the_account_holds_every_request_back(
    clock: Clock,
) -> None:
    pace = Pace()
    pace.retry(8, hold=True)
    pace.retry(4, hold=True)
    assert pace.paced(clock.monotonic)() == 8


def test_another_retry_holds_nothing_back(clock: Clock) -> None:
    pace = Pace()
    pace.retry(8, hold=False)
    assert pace.paced(clock.monotonic)() == 0


def test_counts_retries() -> None:
    pace = Pace()
    assert pace.retries == 0
    for hold in (True, False):
        pace.retry(1, hold=hold)
    assert pace.retries == 2


def test_a_request_goes_as_it_was_asked_for_and_its_answer_comes_back() -> None:
    assert Pace().paced(int)("101", base=2) == 5
