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


def test_requests_follow_one_another_evenly_also_after_a_pause(clock: Clock) -> None:
    pace, times = Pace(), []
    for started in (0, 60):
        clock.now = started
        for number in range(MOST_A_SECOND):
            pace.wait()
            times.append(clock.now - started - number / MOST_A_SECOND)
    assert times == pytest.approx([0] * len(times))


@pytest.mark.parametrize(("hold", "until"), [(True, 8), (False, 0)])
def test_a_retry_holds_others_back_if_it_concerns_the_account(
    clock: Clock, *, hold: bool, until: float
) -> None:
    pace = Pace()
    pace.retry(8, hold=hold)
    pace.retry(4, hold=hold)
    pace.wait()
    assert clock.now == until
