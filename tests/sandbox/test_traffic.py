"""What a client asked for at once, how fast, and over how many connections."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox import Sandbox, faults
from sandbox.exchange import SeenRequest
from sandbox.traffic import connections, most_at_once, most_in_a_second
from tests.sandbox import get


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


def test_the_sandbox_sees_what_came_at_once_and_by_which_connection() -> None:
    with Sandbox(latency=0.5) as sandbox, requests.Session() as session:
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda _: get(sandbox), range(5)))
        assert most_at_once(sandbox.requests) == connections(sandbox.requests) == 5
        sandbox.latency = 0
        session.auth = (sandbox.api_key, "")
        for _ in range(3):
            session.get(f"{sandbox.url}/customers", timeout=10)
        of_one = sandbox.requests[5:]
    assert most_at_once(of_one) == connections(of_one) == 1


@pytest.mark.parametrize("fault", [faults.reset(), faults.hang(60)])
def test_a_request_without_an_answer_ends_too(fault: faults.Fault) -> None:
    with Sandbox() as sandbox:
        sandbox.script({1: fault})
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            requests.get(
                f"{sandbox.url}/customers", auth=(sandbox.api_key, ""), timeout=0.2
            )
        while sandbox.requests[0].ended is None:
            time.sleep(0.01)
    assert sandbox.requests[0].status is None
