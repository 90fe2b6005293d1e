"""What is measured: programs, accounts, latencies and targets."""

from __future__ import annotations

from typing import NamedTuple

PER_PAGE = 200

SLOW_TARGET = 0.09
"""Seconds that the slow target needs for a page."""

TAP = "this tap"
FOUR = "4 ranges"
EIGHT = "8 ranges"
PLAIN_TAP = "plain SDK tap"
BARE_LOOP = "bare loop"
AIRBYTE = "Airbyte declarative source"

RANGES = {FOUR: 4, EIGHT: 8}
"""The tap on its second sync, and how many requests it may have in flight."""

PROGRAMS = (TAP, *RANGES, PLAIN_TAP, BARE_LOOP, AIRBYTE)
"""All, in the order of the report."""

_SEQUENTIAL = (TAP, PLAIN_TAP, BARE_LOOP, AIRBYTE)
_WITH_FOUR = (TAP, FOUR, PLAIN_TAP, BARE_LOOP, AIRBYTE)


class Scenario(NamedTuple):
    """Two runs, on a small and a large account, that differ in their size alone.

    Args:
        name: Its name in the report.
        latency: Seconds that the API takes for a page.
        pause: Seconds that the target takes for a page; 0: as fast as it can read.
        small: Customers of the small account.
        large: Customers of the large account.
        programs: Which programs run in it.
        rounds: How often each runs: less often where it is waiting that takes the time.
    """

    name: str
    latency: float
    pause: float
    small: int
    large: int
    programs: tuple[str, ...] = _SEQUENTIAL
    rounds: int = 3

    @property
    def sizes(self) -> tuple[int, int]:
        """Customers of both accounts."""
        return self.small, self.large


QUICK = Scenario(
    "0 ms, quick target",
    *(0.0, 0.0, 5_000, 100_000),
    programs=_WITH_FOUR,
    rounds=2,
)
NEAR = Scenario(
    "30 ms, quick target",
    *(0.03, 0.0, 5_000, 100_000),
    programs=_WITH_FOUR,
    rounds=5,
)
"""Where CPU is compared: about the pace that the tap keeps to by itself. At 0 ms the
others never wait, and to wait for each page costs CPU: that of the bare loop, too.

As large as this, since a start of the tap takes the CPU of some 25,000 customers, and
not the same twice."""
QUICK_TO_SLOW = Scenario("0 ms, slow target", 0.0, SLOW_TARGET, 200, 5_000)
DISTANT = Scenario("100 ms, quick target", 0.1, 0.0, 200, 8_000)
DISTANT_TO_SLOW = Scenario("100 ms, slow target", 0.1, SLOW_TARGET, 200, 8_000)
IN_RANGES = (FOUR, EIGHT, BARE_LOOP)
RANGES_AT_100 = Scenario("100 ms, 100 pages", 0.1, 0.0, 200, 20_000, IN_RANGES)
RANGES_AT_400 = Scenario(
    "400 ms, 100 pages", 0.4, 0.0, 200, 20_000, IN_RANGES, rounds=2
)

SCENARIOS = (
    QUICK,
    NEAR,
    QUICK_TO_SLOW,
    DISTANT,
    DISTANT_TO_SLOW,
    RANGES_AT_100,
    RANGES_AT_400,
)
