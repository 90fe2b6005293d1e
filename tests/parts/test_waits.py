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


def test_waits_double_up_to_a_minute_and_differ_from_tap_to_tap() -> None:
    for tries, low in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60, 60], 1):
        waits = {seconds_to_wait(tries, "") for _ in range(5)}
        assert len(waits) > 1
        assert all(low <= wait <= low * 1.25 for wait in waits)
    assert 60 <= seconds_to_wait(10_000, "") <= 75


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (" 17 ", 17),
        ("2.5", 2.5),
        ("301", 300),
        ("9" * 5000, 300),
    ],
)
def test_obeys_seconds_up_to_five_minutes(retry_after: str, seconds: float) -> None:
    assert seconds_to_wait(1, retry_after) == seconds


@pytest.mark.parametrize("zone", [" GMT", "", " -0000"])
def test_obeys_a_date_which_is_in_utc_where_it_names_no_zone(zone: str) -> None:
    # Here the local time is another: see `conftest.py`.
    assert 90 < seconds_to_wait(1, in_seconds(100).replace(" GMT", zone)) <= 100
    assert seconds_to_wait(1, in_seconds(4000).replace(" GMT", zone)) == 300


NO_TIME = ["", "soon", "-5", "nan", "inf", "1e3", "1_0", "\xb2", "1 2", "0x1F"]
PAST = ["0", "0.5", "Wed, 21 Oct 2015 07:28:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize("retry_after", [*NO_TIME, *PAST])
def test_never_waits_for_less_than_without_retry_after(retry_after: str) -> None:
    assert 4 <= seconds_to_wait(3, retry_after) <= 5


@given(st.text(st.characters(codec="latin-1")))
@example("Mon, 01 Jan 9999 00:00:00 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999")
def test_no_text_makes_it_fail(retry_after: str) -> None:
    assert 1 <= seconds_to_wait(1, retry_after) <= MAX_RETRY_AFTER
