from __future__ import annotations

import time
from email.utils import formatdate

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from tap_chartmogul_customers.api.retries import MAX_RETRY_AFTER, waits


def wait_for(*, retry_after: str | None) -> float:
    """Return the first wait after an answer with this header."""
    response = requests.Response()
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    generator = waits()
    next(generator)
    return generator.send(RetriableAPIError("busy", response))


def in_seconds(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


def test_waits_double_up_to_a_minute_and_outlast_a_minutes_quota() -> None:
    generator = waits()
    next(generator)
    seconds = [generator.send(None) for _ in range(10)]
    least = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    for wait, low in zip(seconds, least, strict=True):
        assert low <= wait <= low * 1.25
    assert sum(seconds) > 60


def test_waits_differ_from_tap_to_tap() -> None:
    generators = [waits() for _ in range(5)]
    for generator in generators:
        next(generator)
    assert len({generator.send(None) for generator in generators}) > 1


@pytest.mark.parametrize("retry_after", ["0", "1", "17", " 17 ", "300"])
def test_obeys_seconds(retry_after: str) -> None:
    assert wait_for(retry_after=retry_after) == int(retry_after)


@pytest.mark.parametrize("retry_after", ["301", "86400", "9" * 30])
def test_waits_five_minutes_at_the_most(retry_after: str) -> None:
    assert wait_for(retry_after=retry_after) == MAX_RETRY_AFTER == 300


def test_obeys_a_date() -> None:
    assert 18 < wait_for(retry_after=in_seconds(20)) <= 20
    assert wait_for(retry_after=in_seconds(4000)) == MAX_RETRY_AFTER
    assert wait_for(retry_after=in_seconds(-4000)) == 0


@pytest.mark.parametrize("retry_after", [None, "", "soon", "-5", "nan", "1e3", "²"])
def test_what_says_no_time_is_not_obeyed(retry_after: str | None) -> None:
    assert 1 <= wait_for(retry_after=retry_after) <= 1.25


def test_a_wait_that_was_asked_for_does_not_stop_the_growth() -> None:
    generator = waits()
    next(generator)
    response = requests.Response()
    response.headers["Retry-After"] = "0"
    for _ in range(3):
        assert generator.send(RetriableAPIError("busy", response)) == 0
    assert generator.send(None) >= 8
