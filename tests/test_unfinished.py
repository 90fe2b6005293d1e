"""An unfinished sync: how it is read from a state, and when it may be resumed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tap_chartmogul_customers.sync.ranges import Range
from tap_chartmogul_customers.sync.resume import (
    account_fingerprint,
    start_sync,
    unfinished_sync,
    why_not_resumed,
)
from tests.test_ranges import sync

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_range_of_which_nothing_was_read_starts_where_the_last_one_ended() -> None:
    first = Range(cursor="behind", pages=9, done=True)
    second = Range(start="old", cursor="old")
    back = unfinished_sync(sync(first, second).to_state())
    assert back is not None
    assert back.ranges[1].start == back.ranges[1].cursor == "behind"


def test_a_sync_that_starts_now_has_the_second_as_its_version() -> None:
    before = datetime.now(UTC)
    whole = sync()
    assert timedelta(0) <= whole.started_at - before < timedelta(minutes=1)
    assert whole.version == int(whole.started_at.timestamp())
    assert sync(versioned=False).version is None


def kept(state: dict[str, Any]) -> Any:
    """Return a state as the next run finds it."""
    return json.loads(json.dumps(state))


NO_START = "its start is not one of a sync"
NO_CURSOR = "it has no cursor to resume at"
NOT_TYPED = r"at `\$\."


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ({"ranges": None}, NOT_TYPED),
        ({"ranges": []}, NO_START),
        ({"ranges": [{}]}, NO_CURSOR),
        ({"ranges": [{}, {"start": "bound", "cursor": "bound"}]}, NO_CURSOR),
        ({"ranges": [{"cursor": ""}]}, NOT_TYPED),
        ({"ranges": [{"cursor": 5}]}, NOT_TYPED),
        ({"ranges": [{"start": "a", "cursor": "b"}]}, NO_START),
        ({"ranges": [{"cursor": "b"}, {"cursor": "c"}]}, NO_CURSOR),
        ({"ranges": [{"cursor": "b", "pages": -1}]}, NOT_TYPED),
        ({"ranges": [{"cursor": "b", "marks": [["c", 1]]}]}, NOT_TYPED),
        ({"ranges": [{"cursor": "b", "customers": "many"}]}, NOT_TYPED),
        ({"streams": "customers"}, NOT_TYPED),
        ({"recent": {"cursor": "b"}}, NOT_TYPED),
        ({"filters": None}, NOT_TYPED),
        ({"filters": "none"}, NOT_TYPED),
        ({"started_at": "yesterday"}, NOT_TYPED),
        ({"started_at": "2023-01-01T00:00:00"}, NOT_TYPED),
        ({"recent": {"since": "2023-01-01T00:00:00", "cursor": "b"}}, NOT_TYPED),
        ({"ranges": [{"cursor": "b", "pages": 10**400}]}, NOT_TYPED),
        ({"version": 10**400}, NOT_TYPED),
        ({"ranges": [{"cursor": "\ud800"}]}, "surrogates not allowed"),
        ({"ranges": [{"cursor": "b", "done": True}]}, "nothing of it is left to read"),
        ({"version": "1"}, NOT_TYPED),
        ({"account": None}, NOT_TYPED),
    ],
)
def test_what_is_damaged_is_an_error(damage: dict[str, Any], why: str) -> None:
    state = sync(Range(cursor="a")).to_state()
    assert unfinished_sync(state)
    with pytest.raises(ValueError, match=why):
        unfinished_sync(kept(state | damage))


@pytest.mark.parametrize(("done", "counted"), [(False, 5 + 30 - 10), (True, 5 + 30)])
def test_counts_the_first_page_of_a_range_where_the_one_before_will_read_it_again(
    *, done: bool, counted: int
) -> None:
    before = Range(cursor="a", pages=1, customers=5, done=done)
    part = Range(start="b", cursor="c", pages=3, customers=30, first_page=10)
    state = sync(before, part).to_state()
    for _ in range(2):
        back = unfinished_sync(kept(state))
        assert back is not None
        assert back.customers == counted
        state = back.to_state()


def test_of_a_sync_that_found_nobody_nobody_is_counted() -> None:
    begun = Range(start="b", cursor="c", pages=1)
    back = unfinished_sync(sync(Range(cursor="a", pages=1), begun).to_state())
    assert back is not None
    assert back.customers == 0


def test_where_there_is_none_there_is_none() -> None:
    assert unfinished_sync(None) is None


def test_of_version_0_1_0_it_is_one_range_with_a_customer_at_least() -> None:
    of_all = {"started_at": NOW.isoformat(), "filters": {}, "account": "a"}
    back = unfinished_sync({**of_all, "version": 7, "cursor": "b"})
    assert back is not None
    assert [(each.start, each.cursor) for each in back.ranges] == [(None, "b")]
    assert (back.customers, back.version, back.started_at) == (1, 7, NOW)


@pytest.mark.parametrize(
    ("hours", "most", "why"),
    [
        (5.9, 6, None),
        (-5.9, 6, None),
        (6, 6, "it started 6.0 hours ago, `resume_max_age_hours` is 6"),
        (-6, 6, "it started 6.0 hours ago, `resume_max_age_hours` is 6"),
        (30.25, 1.5, "it started 30.2 hours ago, `resume_max_age_hours` is 1.5"),
        (0, 0, "it started 0.0 hours ago, `resume_max_age_hours` is 0"),
    ],
)
def test_resumes_what_is_not_too_far_away(
    hours: float, most: float, why: str | None
) -> None:
    old, new = sync(), sync()
    old.started_at, new.started_at = NOW - timedelta(hours=hours), NOW
    assert why_not_resumed(old, new, max_age_hours=most) == why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"filters": {"status": "Active"}}, "it had other filters"),
        ({"account": "b"}, "it read with another `api_key` or `api_url`"),
        ({"versioned": True}, "`emit_activate_version_messages` has changed since"),
    ],
)
def test_resumes_what_is_the_same_sync_alone(change: dict[str, Any], why: str) -> None:
    options: dict[str, Any] = {"filters": {}, "account": "an", "versioned": False}
    one, other = start_sync(**options), start_sync(**options | change)
    old = unfinished_sync(kept(one.to_state() | {"ranges": [{"cursor": "a"}]}))
    assert old is not None
    assert why_not_resumed(old, one, max_age_hours=6) is None
    assert why_not_resumed(one, one, max_age_hours=6) is None
    assert why_not_resumed(other, other, max_age_hours=6) is None
    assert why_not_resumed(one, other, max_age_hours=6) == why
    assert why_not_resumed(other, one, max_age_hours=6) == why


def test_an_account_is_told_by_its_key_and_address() -> None:
    found = account_fingerprint("https://a.example/v1", "key")
    assert found == account_fingerprint("https://a.example/v1", "key")
    assert found != account_fingerprint("https://b.example/v1", "key")
    assert found != account_fingerprint("https://a.example/v1", "other")
    assert len(bytes.fromhex(found)) == 4
