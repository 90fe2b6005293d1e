"""What a client asked for at once, how fast, and over how many connections."""

from __future__ import annotations

import pytest

from sandbox.exchange import SeenRequest
from sandbox.traffic import most_at_once, most_in_a_second


def seen(time: float, ended: float | None = None) -> SeenRequest:
    return SeenRequest(1, {}, {}, connection=0, time=time, ended=ended)


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(1, 2), (2, 3)], 1),
        ([(1, 3), (2, 4), (3, 5)], 2),
        ([(1, 9), (2, 3), (4, 5)], 2),
        ([(1, None), (2, None), (3, 4)], 3),
    ],
)
def test_counts_requests_that_were_under_way_at_once(
    spans: list[tuple[float, float | None]], most: int
) -> None:
    assert most_at_once(seen(*span) for span in spans) == most


@pytest.mark.parametrize(
    ("times", "most"),
    [([], 0), ([1, 2], 1), ([1, 1.5, 1.9, 2], 3), ([0, 3, 3.1, 9], 2)],
)
def test_counts_requests_in_any_second(times: list[float], most: int) -> None:
    assert most_in_a_second(map(seen, times)) == most
