"""What is measured: accounts, latencies and targets."""

from __future__ import annotations

from typing import NamedTuple

PER_PAGE = 200
ROUNDS = 5

SLOW_TARGET = 0.09
"""Seconds that the slow target needs for a page."""


class Scenario(NamedTuple):
    """Two runs, on a small and a large account, that differ in their size alone.

    Args:
        name: Its name in the report.
        latency: Seconds that the API takes for a page.
        pause: Seconds that the target takes for a page; 0: as fast as it can read.
        small: Customers of the small account.
        large: Customers of the large account.
    """

    name: str
    latency: float
    pause: float
    small: int
    large: int

    @property
    def accounts(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """Customers and latency of the small account and of the large one."""
        return (self.small, self.latency), (self.large, self.latency)


QUICK = Scenario("0 ms, quick target", 0.0, 0.0, 5_000, 100_000)
QUICK_TO_SLOW = Scenario("0 ms, slow target", 0.0, SLOW_TARGET, 200, 5_000)
DISTANT = Scenario("100 ms, quick target", 0.1, 0.0, 200, 8_000)
DISTANT_TO_SLOW = Scenario("100 ms, slow target", 0.1, SLOW_TARGET, 200, 8_000)

SCENARIOS = (QUICK, QUICK_TO_SLOW, DISTANT, DISTANT_TO_SLOW)
