"""What a client asked for at once, how fast, and over how many connections."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import requests

from sandbox import Sandbox, faults, generate_customers
from sandbox.exchange import SeenRequest
from sandbox.traffic import connections, most_at_once, most_in_a_second
from tests.sandbox import get


def seen(time: float, ended: float | None = None) -> SeenRequest:
    return SeenRequest(1, {}, {}, connection=0, time=time, ended=ended)


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(1, 2)], 1),
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
    [([], 0), ([1], 1), ([1, 2], 1), ([1, 1.5, 1.9, 2], 3), ([0, 3, 3.1, 9], 2)],
)
def test_counts_requests_in_any_second(times: list[float], most: int) -> None:
    assert most_in_a_second(map(seen, times)) == most


def test_the_sandbox_sees_what_came_at_once() -> None:
    all_here = Barrier(5)
    with Sandbox(generate_customers(10), latency=1) as sandbox:

        def ask(_: int) -> int:
            all_here.wait()
            return get(sandbox).status_code

        with ThreadPoolExecutor(5) as pool:
            assert [*pool.map(ask, range(5))] == [200] * 5
        get(sandbox)
        assert most_at_once(sandbox.requests[:5]) == 5
        assert most_at_once(sandbox.requests[4:]) == 1
        assert connections(sandbox.requests) == 6


def test_requests_over_one_connection_are_told_from_those_over_many() -> None:
    with Sandbox(generate_customers(10)) as sandbox, requests.Session() as session:
        session.auth = (sandbox.api_key, "")
        for _ in range(3):
            session.get(f"{sandbox.url}/customers", timeout=10)
        assert connections(sandbox.requests) == 1


@pytest.mark.parametrize("fault", [faults.reset(), faults.hang(60)])
def test_a_request_without_an_answer_ends_too(fault: faults.Fault) -> None:
    with Sandbox(generate_customers(10)) as sandbox:
        sandbox.script({1: fault})
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            requests.get(
                f"{sandbox.url}/customers", auth=(sandbox.api_key, ""), timeout=0.2
            )
        while sandbox.requests[0].ended is None:
            time.sleep(0.01)
        assert sandbox.requests[0].ended > sandbox.requests[0].time
