from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.pagination import Page
from tap_chartmogul_customers.sync.ranges import (
    ENOUGH,
    MOST_MARKS,
    SHORTEST,
    Latest,
    Look,
    Mark,
    Range,
    cut,
    joined,
)
from tap_chartmogul_customers.sync.resume import (
    cut_sync,
    last_boundaries,
    start_sync,
    unfinished_sync,
)
from tap_chartmogul_customers.sync.state import Boundaries, Sync, since_of


def customers(*numbers: int) -> list[dict[str, Any]]:
    return [{"uuid": f"cus_{number}"} for number in numbers]


def page(
    cursor: str | None,
    entries: list[dict[str, Any]] | None = None,
    *,
    more: bool = True,
) -> Page:
    return Page(1, entries or [], more, cursor, None)


def sync(*ranges: Range, versioned: bool = True) -> Sync:
    new = start_sync(filters={"status": None}, account="a", versioned=versioned)
    new.ranges = [*ranges] or new.ranges
    return new


def read_whole(part: Range, pages: int) -> None:
    for number in range(1, pages + 1):
        more = number < pages
        part.write(page(f"cursor-{number}", more=more), last=not more)


def marks(pages: int, *, step: int = 1) -> list[Mark]:
    return [Mark(number, f"cursor-{number}") for number in range(step, pages, step)]


class TestCutting:
    @given(pages=st.integers(0, 3000), most=st.integers(1, 20), step=st.integers(1, 40))
    def test_ranges_follow_one_another_and_none_is_too_short(
        self, pages: int, most: int, step: int
    ) -> None:
        ranges = cut(marks(pages, step=step), pages, most)
        assert 1 <= len(ranges) <= most
        assert ranges[0].start is None
        starts = [part.start for part in ranges[1:]]
        assert None not in starts
        assert len({*starts}) == len(starts)
        assert sum(part.expected for part in ranges) == pages
        if len(ranges) > 1:
            assert min(part.expected for part in ranges) >= SHORTEST
        for part in ranges:
            assert part.cursor == part.start
            assert all(0 < mark.pages < part.expected for mark in part.marks)

    @pytest.mark.parametrize("most", range(1, 21))
    def test_ranges_have_about_the_same_number_of_pages(self, most: int) -> None:
        ranges = cut(marks(500), 500, most)
        assert len(ranges) == most
        assert max(p.expected for p in ranges) - min(p.expected for p in ranges) <= 1

    @pytest.mark.parametrize("pages", [17, 31, 47, 100])
    def test_a_short_account_has_fewer_that_are_as_even(self, pages: int) -> None:
        sizes = [part.expected for part in cut(marks(pages), pages, 20)]
        assert len(sizes) == pages // 8
        assert max(sizes) - min(sizes) <= 1

    def test_an_account_of_less_than_two_ranges_is_one(self) -> None:
        assert len(cut(marks(2 * SHORTEST - 1), 2 * SHORTEST - 1, 4)) == 1
        assert len(cut(marks(2 * SHORTEST), 2 * SHORTEST, 4)) == 2

    @pytest.mark.parametrize(
        ("places", "starts"),
        [
            ([7], []),
            ([8], [8]),
            ([92], [92]),
            ([93], []),
            ([1, 50], [50]),
            ([50, 99], [50]),
            ([50, 57], [50]),
            ([50, 58], [50, 58]),
        ],
    )
    def test_a_range_has_eight_pages_at_least(
        self, places: list[int], starts: list[int]
    ) -> None:
        ranges = cut([Mark(place, f"{place}") for place in places], 100, 4)
        assert [part.start for part in ranges] == [None, *map(str, starts)]

    def test_without_places_it_is_one(self) -> None:
        (whole,) = cut([], 100, 4)
        assert whole.start is None


class TestReading:
    def test_a_range_resumes_at_the_cursor_of_the_last_page_written(self) -> None:
        part = Range()
        part.write(page("a"), last=False)
        part.write(page("b"), last=False)
        assert (part.cursor, part.pages, part.done) == ("b", 2, False)

    def test_its_start_becomes_a_cursor_of_this_sync(self) -> None:
        part = Range(start="old", cursor="old")
        part.write(page("a"), last=False)
        part.write(page("b"), last=False)
        assert part.start == "a"

    def test_the_first_range_starts_at_the_start_of_the_account(self) -> None:
        part = Range()
        part.write(page("a"), last=False)
        assert part.start is None

    def test_nothing_is_behind_what_ends_with_the_account(self) -> None:
        part = Range()
        part.write(page("a", more=False), last=True)
        assert part.done
        assert not part.reopen()

    def test_what_ends_at_the_next_range_can_continue_behind_it(self) -> None:
        part = Range()
        part.write(page("a"), last=True)
        assert part.reopen()
        assert (part.cursor, part.done) == ("a", False)

    def test_what_is_under_way_is_not_reopened(self) -> None:
        part = Range()
        part.write(page("a"), last=False)
        assert not part.reopen()

    def test_a_range_that_is_restarted_reads_all_of_it(self) -> None:
        part = Range(start="old", cursor="old")
        part.write(page("a"), last=False)
        part.write(page("b"), last=False)
        part.restart()
        assert (part.cursor, part.pages, part.done) == ("a", 0, False)

    @given(st.integers(1, 2000))
    def test_its_places_are_few_and_spread_over_all_of_it(self, pages: int) -> None:
        part = Range()
        read_whole(part, pages)
        places = [0, *(mark.pages for mark in part.marks), pages]
        assert len(part.marks) <= MOST_MARKS
        widest = max(b - a for a, b in pairwise(places))
        assert widest <= max(1, 4 * pages / MOST_MARKS)
        assert all(mark.cursor == f"cursor-{mark.pages}" for mark in part.marks)

    def test_places_of_the_last_read_give_way_to_those_of_this_one(self) -> None:
        old = [Mark(n, f"old-{n}") for n in range(1, 6)]
        part = Range(start="old", cursor="old", expected=6, marks=old)
        for number in (1, 2):
            part.write(page(f"new-{number}"), last=False)
        cursors = [mark.cursor for mark in part.marks]
        assert cursors == ["new-1", "new-2", "old-3", "old-4", "old-5"]
        part.write(page("new-3"), last=True)
        assert [mark.cursor for mark in part.marks] == ["new-1", "new-2"]

    def test_joins_the_places_of_ranges_in_order(self) -> None:
        done = Range(done=True, pages=10, marks=[Mark(4, "a")])
        begun = Range(start="b", cursor="c", pages=1, expected=8, marks=[Mark(1, "c")])
        waiting = Range(start="d", cursor="d", expected=9, marks=[Mark(3, "e")])
        places, pages = joined([done, begun, waiting])
        assert places == [Mark(4, "a"), Mark(11, "c"), Mark(18, "d"), Mark(21, "e")]
        assert pages == 27


class TestEnds:
    def test_one_customer_of_the_look_is_not_the_end(self) -> None:
        look = Look()
        assert look.add(customers(*range(10)))
        here = customers(3, *range(100, 109))
        assert look.known(here) == 1
        assert not Latest().stand_behind(1, 10)

    @pytest.mark.parametrize(("known", "behind"), [(99, False), (100, True)])
    def test_half_a_page_of_the_look_is_the_end(
        self, known: int, *, behind: bool
    ) -> None:
        assert Latest().stand_behind(known, 200) is behind

    def test_an_empty_page_ends_nothing(self) -> None:
        latest = Latest()
        assert not latest.stand_behind(0, 0)
        latest.stand_behind(3, 10)
        assert not latest.stand_behind(0, 0)

    def test_a_page_counts_alone_when_it_is_enough(self) -> None:
        latest = Latest()
        assert not latest.stand_behind(0, 200)
        assert latest.stand_behind(ENOUGH, ENOUGH)

    def test_pages_of_one_customer_count_together(self) -> None:
        latest = Latest()
        verdicts = [latest.stand_behind(1, 1) for _ in range(ENOUGH)]
        assert verdicts == [False] * (ENOUGH - 1) + [True]

    def test_a_look_reads_until_it_has_enough_customers(self) -> None:
        look = Look()
        assert not look.add(customers(*range(ENOUGH - 1)))
        assert not look.add([])
        assert not look.add(customers(0))
        assert look.add(customers(100))

    def test_odd_uuids_are_no_customers(self) -> None:
        look = Look()
        odd: list[dict[str, Any]] = [{}, {"uuid": None}, {"uuid": []}, {"uuid": 5}]
        assert not look.add(odd * 10)
        assert look.known(odd) == 0


class TestRefusals:
    def test_the_range_before_reads_what_is_dropped(self) -> None:
        first = Range(cursor="a", pages=3, expected=10)
        second = Range(start="b", cursor="b", expected=10)
        third = Range(start="c", cursor="c", expected=10)
        whole = sync(first, second, third)
        assert whole.drop(second) is first
        assert whole.ranges == [first, third]
        assert whole.expected == 30

    def test_a_last_range_of_one_page_is_left_to_the_one_before(self) -> None:
        first = Range(cursor="a", pages=3)
        second = Range(start="b", cursor="b")
        whole = sync(first, second)
        whole.write(second, page("c", more=False), last=True)
        assert whole.ranges == [first]
        assert not first.done

    @pytest.mark.parametrize(("pages", "more"), [(1, True), (2, False)])
    def test_a_last_range_of_more_is_not(self, pages: int, *, more: bool) -> None:
        first, second = Range(cursor="a", pages=3), Range(start="b", cursor="b")
        whole = sync(first, second)
        for _ in range(pages - 1):
            whole.write(second, page("c"), last=False)
        whole.write(second, page("d", more=more), last=True)
        assert whole.ranges == [first, second]

    def test_the_only_range_is_not(self) -> None:
        whole = sync()
        whole.write(whole.ranges[0], page("a", more=False), last=True)
        assert len(whole.ranges) == 1


class TestCounting:
    def test_counts_who_is_in_two_pages_once(self) -> None:
        whole = sync()
        (part,) = whole.ranges
        whole.write(part, page("a", customers(*range(10))), last=False)
        whole.write(part, page("b", customers(*range(7, 17))), 3, last=False)
        whole.write(part, page("c", []), last=False)
        assert whole.customers == 17

    def test_counts_no_customer_who_will_be_read_once_more(self) -> None:
        whole = sync()
        (part,) = whole.ranges
        whole.write(part, page("a", customers(*range(10))), last=False)
        part.restart()
        assert whole.customers == 0

    def test_an_account_read_from_its_start_tells_its_pages(self) -> None:
        whole = sync()
        assert whole.expected == 0
        whole.write(whole.ranges[0], page("a")._replace(total_pages=64), last=False)
        whole.write(whole.ranges[0], page("b"), last=False)
        assert (whole.pages, whole.expected) == (2, 64)

    def test_what_it_tells_is_not_the_length_of_a_range(self) -> None:
        whole = sync(Range(expected=30), Range(start="b", cursor="b", expected=34))
        whole.write(whole.ranges[0], page("a")._replace(total_pages=64), last=False)
        assert whole.expected == 64

    @pytest.mark.parametrize("versioned", [False, True])
    @pytest.mark.parametrize("pages", [1, 5])
    def test_is_done_when_nothing_is_left_to_read(
        self, pages: int, *, versioned: bool
    ) -> None:
        whole = sync(Range(), Range(start="b", cursor="b"), versioned=versioned)
        read_whole(whole.ranges[0], pages)
        assert whole.done is False
        whole.ranges[1].done = True
        assert whole.done is (pages == 1 or not versioned)

    def test_a_range_has_as_many_pages_as_were_found(self) -> None:
        assert Range(pages=3, expected=8).size == 8
        assert Range(pages=9, expected=8).size == 9
        assert Range(pages=3, expected=8, done=True).size == 3


class TestSecondLook:
    START = datetime(2026, 1, 31, tzinfo=UTC)

    def seen(self, *times: str | None) -> str | None:
        whole = sync()
        whole.started_at = self.START
        for number, time in enumerate(times):
            whole.see(page(f"c{number}", [{"uuid": "u", "customer-since": time}]))
        return whole.recent.cursor if whole.recent else None

    def test_starts_a_week_before_the_sync(self) -> None:
        assert self.seen("2026-01-01T00:00:00Z", "2026-01-23T23:59:59Z") == "c1"
        assert self.seen("2026-01-01T00:00:00Z", "2026-01-24T00:00:00Z") == "c1"
        assert self.seen("2026-01-01T00:00:00Z", "2026-01-24T00:00:01Z") == "c0"

    def test_starts_at_the_latest_place_whatever_range_it_was_in(self) -> None:
        assert self.seen("2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z") == "c0"

    def test_a_page_is_as_late_as_its_last_customer(self) -> None:
        times = ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-31T00:00:00Z")
        first, second, third = ({"uuid": "u", "customer-since": t} for t in times)
        whole = sync()
        whole.started_at = self.START
        whole.see(page("a", [first, second]))
        whole.see(page("b", [second, third]))
        assert whole.recent is not None
        assert whole.recent.cursor == "a"
        assert whole.recent.since == datetime(2026, 1, 3, tzinfo=UTC)

    def test_starts_at_the_last_of_the_places_that_are_as_late(self) -> None:
        assert self.seen("2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z") == "c1"

    def test_leads_and_odd_times_tell_no_place(self) -> None:
        assert self.seen(None, "", "soon") is None

    def test_one_page_needs_none(self) -> None:
        whole = sync()
        assert not whole.looks_again
        whole.write(whole.ranges[0], page("a"), last=False)
        assert not whole.looks_again
        whole.write(whole.ranges[0], page("b"), last=False)
        assert whole.looks_again

    def test_without_deletes_there_is_none(self) -> None:
        whole = sync(versioned=False)
        read_whole(whole.ranges[0], 5)
        assert not whole.looks_again

    @pytest.mark.parametrize("value", [None, "", "soon", 5, {}, []])
    def test_a_customer_without_a_time_is_a_lead(self, value: object) -> None:
        assert since_of({"customer-since": value}) is None

    def test_a_time_is_compared_in_utc(self) -> None:
        since = since_of({"customer-since": "2026-01-01T00:00:00-04:00"})
        assert since == datetime(2026, 1, 1, 4, tzinfo=UTC)


class TestState:
    @given(
        st.integers(1, 20),
        st.integers(1, 400),
        st.sampled_from([8, 48, 100]),
    )
    def test_is_small_however_large_the_account(
        self, most: int, pages: int, length: int
    ) -> None:
        whole = sync()
        part = whole.ranges[0]
        for number in range(1, pages + 1):
            cursor = f"{number}".ljust(length, "+")
            whole.write(part, page(cursor, more=number < pages), last=number == pages)
        boundaries = whole.boundaries().to_state()
        assert len(json.dumps(boundaries)) <= 4096
        assert boundaries["pages"] == pages
        kept = last_boundaries(boundaries)
        cut_sync(whole, kept, most=most)
        assert len(json.dumps(whole.to_state())) <= 4096 + 3 * most * length

    def test_places_are_thinned_evenly(self) -> None:
        places = [Mark(number, f"{number}".ljust(48, "+")) for number in range(1, 100)]
        boundaries = Boundaries({}, "a", 100, places).to_state()
        assert [pages for pages, _ in boundaries["marks"]] == [*range(2, 100, 2)]
        whole = sync(Range(marks=places[:50]), Range(start="b", marks=places[50:]))
        first, second = whole.to_state()["ranges"]
        assert [pages for pages, _ in first["marks"]] == [*range(2, 51, 2)]
        assert [pages for pages, _ in second["marks"]] == [*range(52, 100, 2)]

    def test_what_fits_is_kept_whole(self) -> None:
        assert len(Boundaries({}, "a", 100, marks(100)).to_state()["marks"]) == 99

    def test_ranges_are_kept_where_places_do_not_fit(self) -> None:
        long = "+" * 100
        parts = [Range(start=long, cursor=long, marks=[Mark(1, long)] * 20)] * 20
        kept = sync(*parts).to_state()["ranges"]
        assert [each["cursor"] for each in kept] == [long] * 20
        assert not any(each["marks"] for each in kept)

    def test_a_sync_comes_back_as_it_was(self) -> None:
        whole = sync(Range(), Range(start="b", cursor="b", expected=9))
        entry = {"uuid": "u", "customer-since": "2020-01-01T00:00:00Z"}
        whole.see(page("c", [entry]))
        whole.write(whole.ranges[0], page("c"), last=False)
        state = json.loads(json.dumps(whole.to_state()))
        back = unfinished_sync(state)
        assert back is not None
        assert back.to_state() == state
        assert back.recent == whole.recent

    def test_boundaries_are_of_their_account_and_filters_alone(self) -> None:
        places = Boundaries({"status": None}, "a", 100, marks(100))
        whole = sync()
        cut_sync(whole, places, most=4)
        assert len(whole.ranges) == 4
        for other in (
            Boundaries({"status": "Active"}, "a", 100, marks(100)),
            Boundaries({"status": None}, "b", 100, marks(100)),
            None,
        ):
            whole = sync()
            cut_sync(whole, other, most=4)
            assert len(whole.ranges) == 1

    @pytest.mark.parametrize(
        "state", [None, 5, "x", [], {}, {"marks": []}, {"pages": 1, "marks": [["a"]]}]
    )
    def test_damaged_boundaries_are_none(self, state: object) -> None:
        assert last_boundaries(state) is None

    def test_an_unfinished_sync_that_is_too_old_leaves_its_places(self) -> None:
        whole = sync(*cut(marks(100), 100, 4))
        for number in range(1, 6):
            whole.write(whole.ranges[1], page(f"new-{number}"), last=False)
        left = whole.boundaries()
        assert left.pages == 100
        assert Mark(30, "new-5") in left.marks
        assert Mark(31, "cursor-31") in left.marks
        assert left.marks == sorted(left.marks, key=lambda mark: mark.pages)
