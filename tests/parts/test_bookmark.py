"""What the state keeps, what is read from a state, and where a run starts from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.sync.bookmark import (
    Account,
    Bookmark,
    Recent,
    read_bookmark,
    start,
)
from tap_chartmogul_customers.sync.ranges import Place, Range

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ACCOUNT = Account("https://a.example/v1", "key", {"status": None, "system": None})


def bookmark(*ranges: Range, **options: Any) -> Bookmark:
    usual: dict[str, Any] = {"started_at": NOW, "account": ACCOUNT.fingerprint}
    options = usual | options
    return Bookmark(filters=ACCOUNT.filters, ranges=[*ranges], **options)


def kept(mark: Bookmark) -> Any:
    """Return its state as the next run finds it."""
    return json.loads(json.dumps(mark.to_state()))


def started(
    state: Any, account: Account = ACCOUNT, **options: Any
) -> tuple[Bookmark, str | None]:
    usual: dict[str, Any] = {"versioned": False, "max_age_hours": 6, "most_ranges": 4}
    options = usual | options
    with time_machine.travel(options.pop("now", NOW), tick=False):
        return start(read_bookmark(state), account, **options)


def finished(pages: int = 100, cursor: str = "at", **options: Any) -> Any:
    """Return what a sync leaves."""
    sync = bookmark(Range(), **options)
    (part,) = sync.ranges or []
    for number in range(1, pages + 1):
        last = number == pages
        part.advance(None if last else f"{cursor}-{number}", last=last)
        sync.to_state()
    return kept(sync.finished())


class TestKeeping:
    def test_an_unfinished_sync_comes_back_as_it_was(self) -> None:
        begun = Range("b", "c", pages=3, places=[Place(1, "b")])
        recent = Recent(NOW - timedelta(days=30), "r")
        mark = bookmark(
            *(Range(cursor="a", pages=2), begun),
            version=7,
            versioned=True,
            customers=50,
            streams=["x"],
            recent=recent,
            boundaries=[Place(9, "d")],
            pages=20,
        )
        assert read_bookmark(kept(mark)) == mark

    def test_what_is_over_is_null(self) -> None:
        unfinished = kept(bookmark(Range(cursor="a", pages=2)))
        left = finished()
        assert left.keys() == unfinished.keys()
        assert [left[name] for name in ("ranges", "recent", "started_at")] == [None] * 3

    @given(most=st.integers(1, 20), pages=st.integers(1, 400))
    def test_is_small_however_large_the_account(self, most: int, pages: int) -> None:
        cursor = "a cursor is as long as this is, at most: +/+/AAAF"
        left = finished(pages, cursor)
        assert left["pages"] == pages
        assert len(json.dumps(left)) <= 3_500
        sync, _ = started(left, most_ranges=most)
        for _ in range(pages):
            for part in sync.ranges or []:
                part.advance(cursor, last=False)
        assert len(json.dumps(kept(sync))) <= 6_500 + 200 * most

    def test_no_key_can_be_found_in_it(self) -> None:
        # 32 bits: 2**96 keys of 128 bits have the same.
        assert len(bytes.fromhex(ACCOUNT.fingerprint)) == 4
        others = [ACCOUNT._replace(api_key="b"), ACCOUNT._replace(api_url="b")]
        assert len({each.fingerprint for each in [ACCOUNT, *others]}) == 3


class TestReading:
    @pytest.mark.parametrize(
        "damage",
        [
            {"ranges": [{"start": "a", "cursor": "b", "pages": 1}]},
            {"ranges": [{"cursor": "b", "pages": 1}, {"cursor": "c", "pages": 1}]},
            {"ranges": [{"pages": 1}]},
            {"ranges": [{"cursor": "b", "pages": 1}, {"start": "s", "cursor": "c"}]},
            {"ranges": [{"cursor": "b", "done": True}]},
            {"ranges": [{"cursor": "b", "pages": 3, "done": True}]},
            {"ranges": [{"cursor": ""}]},
            {"ranges": [{"cursor": "\ud800", "pages": 1}]},
            {"ranges": [{"cursor": "b", "pages": -1}]},
            {"ranges": [{"cursor": "b", "pages": 10**400}]},
            {"ranges": "b"},
            {"resume": {"cursor": 5}, "ranges": None},
            {"resume": "cursor"},
            {"started_at": None},
            {"started_at": "2023-01-01T00:00:00"},
        ],
    )
    def test_what_is_damaged_is_an_error(self, damage: dict[str, Any]) -> None:
        state = kept(bookmark(Range(cursor="a", pages=1)))
        assert read_bookmark(state)
        with pytest.raises(ValueError, match=r"."):
            read_bookmark(state | damage)

    def test_a_range_that_was_not_begun_starts_where_the_last_one_ended(self) -> None:
        before = Range(cursor="behind", pages=9, done=True)
        back = read_bookmark(kept(bookmark(before, Range("old", "old"))))
        assert back
        assert back.ranges
        assert back.ranges[1].start == back.ranges[1].cursor == "behind"

    def test_a_range_that_has_no_cursor_of_its_own_is_read_again(self) -> None:
        # A boundary that was taken for the end of the account is perhaps not any more.
        only = Range("old", None, pages=1, done=True)
        back = read_bookmark(kept(bookmark(Range(cursor="a", pages=2), only)))
        assert back
        assert back.ranges == [Range(cursor="a", pages=2), Range("old", "old")]


class TestStarting:
    @pytest.mark.parametrize(
        ("hours", "most", "why"),
        [
            (-5.9, 6, None),
            (-6, 6, "it started 6.0 hours ago, `resume_max_age_hours` is 6"),
            (30.25, 1.5, "it started 30.2 hours ago, `resume_max_age_hours` is 1.5"),
        ],
    )
    def test_resumes_what_is_not_too_far_away(
        self, hours: float, most: float, why: str | None
    ) -> None:
        state = kept(bookmark(Range(cursor="a", pages=1)))
        now = NOW + timedelta(hours=hours)
        assert started(state, now=now, max_age_hours=most)[1] == why

    @pytest.mark.parametrize(
        "filters",
        [{}, {"status": None, "system": None, "new": None}],
    )
    def test_a_filter_that_is_not_set_is_one_that_is_not_there(
        self, filters: dict[str, str | None]
    ) -> None:
        state = kept(bookmark(Range(cursor="a", pages=1)))
        sync, why_not = started(state, ACCOUNT._replace(filters=filters))
        assert why_not is None
        assert sync.filters == filters

    @pytest.mark.parametrize(
        "account",
        [ACCOUNT._replace(filters={"status": "Active"}), ACCOUNT._replace(api_key="b")],
    )
    def test_boundaries_are_of_their_account_and_filters_alone(
        self, account: Account
    ) -> None:
        assert len(started(finished())[0].ranges or []) == 4
        assert started(finished(), account)[0].ranges == [Range()]

    def test_one_that_starts_over_has_the_boundaries_of_the_one_before_it(self) -> None:
        sync, _ = started(finished())
        (sync.ranges or [])[0].advance("a", last=False)
        over, why_not = started(kept(sync), max_age_hours=0)
        assert why_not
        fresh, _ = started(finished())
        assert over.ranges == fresh.ranges
        assert len(over.ranges or []) == 4
        # Not if it read anything else.
        other = ACCOUNT._replace(filters={"status": "Active"})
        assert started(kept(sync), other)[0].ranges == [Range()]

    def test_a_version_is_higher_than_the_last_one_though_the_clock_is_set_back(
        self,
    ) -> None:
        first, _ = started({}, versioned=True)
        assert first.version == int(NOW.timestamp())
        # One without versions keeps what the next is to be higher than.
        without, _ = started(kept(first.finished()))
        assert not without.versioned
        earlier = NOW - timedelta(days=31)
        state = kept(without.finished())
        assert started(state, now=earlier, versioned=True)[0].version == (
            first.version + 1
        )
