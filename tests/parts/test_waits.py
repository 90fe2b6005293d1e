"""How long a failed request waits."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.pace import MAX_RETRY_AFTER, seconds_to_wait


def in_seconds(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


def test_waits_double_up_to_a_minute_and_outlast_a_minutes_quota() -> None:
    waits = [seconds_to_wait(tries, "") for tries in range(1, 11)]
    least = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    for wait, low in zip(waits, least, strict=True):
        assert low <= wait <= low * 1.25
    assert sum(waits) > 60
    assert 60 <= seconds_to_wait(10_000, "") <= 75


def test_waits_differ_from_tap_to_tap() -> None:
    assert len({seconds_to_wait(1, "") for _ in range(5)}) > 1


@pytest.mark.parametrize("retry_after", ["2", "17", " 17 ", "2.5", "17.", "300"])
def test_obeys_seconds(retry_after: str) -> None:
    assert seconds_to_wait(1, retry_after) == float(retry_after)


@pytest.mark.parametrize("retry_after", ["301", "86400", "9" * 5000])
def test_obeys_five_minutes_at_most(retry_after: str) -> None:
    assert seconds_to_wait(1, retry_after) == MAX_RETRY_AFTER == 300
    assert seconds_to_wait(1, in_seconds(4000)) == MAX_RETRY_AFTER


@pytest.mark.parametrize("zone", ["Etc/GMT+5", "Etc/GMT-5"])
@pytest.mark.parametrize("written", [" GMT", "", " -0000"])
def test_obeys_a_date_which_is_in_utc_where_it_names_no_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str, written: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        date = in_seconds(100).replace(" GMT", written)
        assert 90 < seconds_to_wait(1, date) <= 100
    finally:
        monkeypatch.undo()
        time.tzset()


NO_TIME = ["", "soon", "-5", "nan", "inf", "1e3", "1_0", "\xb2", "1 2", "0x1F"]
PAST = ["0", "0.5", "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize("retry_after", [*NO_TIME, *PAST])
def test_never_waits_for_less_than_without_retry_after(retry_after: str) -> None:
    assert 4 <= seconds_to_wait(3, retry_after) <= 5


@given(st.text(st.characters(codec="latin-1")))
@example("Mon, 01 Jan 9999 00:00:00 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2024 00:00:00 +9999999999")
def test_no_text_makes_it_fail(retry_after: str) -> None:
    assert 1 <= seconds_to_wait(1, retry_after) <= MAX_RETRY_AFTER
