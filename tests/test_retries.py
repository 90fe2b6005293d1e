from __future__ import annotations

import time
from email.utils import formatdate

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
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


@pytest.mark.parametrize(("drawn", "factor"), [(0, 1), (1, 1.25)])
def test_waits_twice_as_long_each_time_up_to_a_minute(
    monkeypatch: pytest.MonkeyPatch, drawn: float, factor: float
) -> None:
    monkeypatch.setattr("random.random", lambda: drawn)
    generator = waits()
    next(generator)
    seconds = [generator.send(OSError()) for _ in range(8)]
    assert seconds == [factor * wait for wait in (1, 2, 4, 8, 16, 32, 60, 60)]


@pytest.mark.parametrize("retry_after", ["2", "17", " 17 ", "2.5", "17.", "300"])
def test_obeys_seconds(retry_after: str) -> None:
    assert wait_for(retry_after=retry_after) == float(retry_after)


@pytest.mark.parametrize("retry_after", ["301", "86400", "9" * 5000])
def test_waits_five_minutes_at_the_most(retry_after: str) -> None:
    assert wait_for(retry_after=retry_after) == MAX_RETRY_AFTER == 300


def test_obeys_a_date() -> None:
    assert 18 < wait_for(retry_after=in_seconds(20)) <= 20
    assert wait_for(retry_after=in_seconds(4000)) == MAX_RETRY_AFTER


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "Etc/GMT-5"])
@pytest.mark.parametrize("written", ["", " -0000"])
def test_a_date_without_a_zone_is_in_utc(
    monkeypatch: pytest.MonkeyPatch, zone: str, written: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        date = in_seconds(100).replace(" GMT", written)
        assert 98 < wait_for(retry_after=date) <= 100
    finally:
        monkeypatch.undo()
        time.tzset()


NO_TIME = [None, "", "soon", "-5", "nan", "inf", "1e3", "1_0", "\xb2", "1 2", "0x1F"]
PAST = ["0", "0.5", "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize("retry_after", [*NO_TIME, *PAST])
def test_never_waits_for_less_than_without_retry_after(retry_after: str | None) -> None:
    assert 1 <= wait_for(retry_after=retry_after) <= 1.25


@given(st.text(st.characters(codec="latin-1")))
@example("Mon, 01 Jan 9999 00:00:00 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2024 00:00:00 +9999999999")
def test_no_text_makes_it_fail(retry_after: str) -> None:
    assert 1 <= wait_for(retry_after=retry_after) <= MAX_RETRY_AFTER


def test_waits_grow_whatever_is_asked_for() -> None:
    generator = waits()
    next(generator)
    response = requests.Response()
    response.headers["Retry-After"] = "0"
    for least in (1, 2, 4):
        assert generator.send(RetriableAPIError("busy", response)) >= least
    response.headers["Retry-After"] = "100"
    assert generator.send(RetriableAPIError("busy", response)) == 100
    assert generator.send(None) >= 16
