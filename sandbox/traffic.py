"""How many requests a client made at once, and how fast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.exchange import SeenRequest


def most_at_once(requests: Iterable[SeenRequest]) -> int:
    """Count the requests that were under way at once, at most."""
    events = []
    for seen in requests:
        events += [(seen.time, 1), (seen.ended or math.inf, -1)]
    now = most = 0
    # One that ends just when another comes was not under way with it.
    for _, step in sorted(events):
        now += step
        most = max(most, now)
    return most


def most_in_a_second(requests: Iterable[SeenRequest]) -> int:
    """Count the requests that came within one second, at most."""
    times = sorted(seen.time for seen in requests)
    first = most = 0
    for last, time in enumerate(times):
        while time - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def connections(requests: Iterable[SeenRequest]) -> int:
    """Count the connections that requests came by."""
    return len({seen.connection for seen in requests})
