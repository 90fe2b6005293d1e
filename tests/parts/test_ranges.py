"""How an account is cut into ranges, how far each has come, and where one ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.paging import Customer
from tap_chartmogul_customers.sync.ranges import (
    MOST_PLACES,
    SHORTEST,
    Place,
    Range,
    cut,
    is_behind,
    joined,
    keys,
    thinned,
)


def places(pages: int, *, step: int = 1, length: int = 0) -> list[Place]:
    return [Place(n, f"at-{n}".ljust(length, "+")) for n in range(step, pages, step)]


def cursors(part: Range) -> list[str]:
    return [place.cursor for place in part.places]


class TestCutting:
    @given(pages=st.integers(0, 3000), most=st.integers(1, 20), step=st.integers(1, 40))
    def test_ranges_follow_one_another_and_none_is_too_short(
        self, pages: int, most: int, step: int
    ) -> None:
        ranges = cut(places(pages, step=step), pages, most)
        assert 1 <= len(ranges) <= most
        assert ranges[0].start is None
        starts = [part.start for part in ranges[1:]]
        assert None not in starts
        assert len({*starts}) == len(starts)
        assert sum(part.expected for part in ranges) == pages
        if len(ranges) > 1:
            assert min(part.expected for part in ranges) >= SHORTEST
        for part in ranges:
            assert part.at_start
            assert all(0 < place.pages < part.expected for place in part.places)

    @pytest.mark.parametrize("pages", [17, 31, 47, 100, 500])
    def test_ranges_have_about_the_same_number_of_pages(self, pages: int) -> None:
        sizes = [part.expected for part in cut(places(pages), pages, 20)]
        assert len(sizes) == min(20, pages // SHORTEST)
        assert max(sizes) - min(sizes) <= 1

    @pytest.mark.parametrize(
        ("at", "starts"),
        [
            ([], []),
            ([7], []),
            ([8], [8]),
            ([92], [92]),
            ([93], []),
            ([50, 57], [50]),
            ([50, 58], [50, 58]),
        ],
    )
    def test_a_range_has_eight_pages_at_least(
        self, at: list[int], starts: list[int]
    ) -> None:
        ranges = cut([Place(pages, f"{pages}") for pages in at], 100, 4)
        assert [part.start for part in ranges] == [None, *map(str, starts)]

    @pytest.mark.parametrize(
        ("length", "most"), [(36, 20), (75, 20), (150, 10), (1000, 1), (20_000, 1)]
    )
    def test_long_cursors_make_fewer_ranges(self, length: int, most: int) -> None:
        assert len(cut(places(500, length=length), 500, 20)) == most


class TestAdvancing:
    def test_goes_on_behind_the_last_page_emitted(self) -> None:
        part = Range()
        part.advance("a", last=False)
        part.advance("b", last=False)
        assert (part.start, part.cursor, part.pages, part.done) == (None, "b", 2, False)

    def test_its_start_becomes_a_cursor_of_this_sync(self) -> None:
        part = Range(start="old", cursor="old")
        part.advance("a", last=False)
        part.advance("b", last=False)
        assert part.start == "a"

    def test_goes_back_to_its_start(self) -> None:
        part = Range(start="a", cursor="c", pages=2, done=True)
        part.restart()
        assert (part.cursor, part.pages, part.at_start) == ("a", 0, True)

    @given(st.integers(1, 2000))
    def test_its_places_are_few_and_spread_over_all_of_it(self, pages: int) -> None:
        part = Range()
        for number in range(1, pages + 1):
            part.advance(f"at-{number}", last=number == pages)
        at = [0, *(place.pages for place in part.places), pages]
        assert len(part.places) <= MOST_PLACES
        assert max(b - a for a, b in pairwise(at)) <= max(1, 4 * pages / MOST_PLACES)
        assert all(place.cursor == f"at-{place.pages}" for place in part.places)

    def test_places_of_the_last_read_give_way_to_those_of_this_one(self) -> None:
        part = Range(start="o", cursor="o", expected=6, places=places(6))
        for number in (1, 2):
            part.advance(f"new-{number}", last=False)
        assert cursors(part) == ["new-1", "new-2", "at-3", "at-4", "at-5"]
        part.advance("new-3", last=True)
        assert cursors(part) == ["new-1", "new-2"]

    def test_it_has_as_many_pages_as_were_found(self) -> None:
        assert Range(pages=3, expected=8).size == 8
        assert Range(pages=9, expected=8).size == 9
        assert Range(pages=3, expected=8, done=True).size == 3


class TestJoining:
    def test_places_follow_one_another_from_the_start_of_the_account(self) -> None:
        done = Range(cursor="b", done=True, pages=10, places=[Place(4, "a")])
        begun = Range("b", "c", pages=1, expected=8, places=[Place(1, "c")])
        waiting = Range("d", "d", expected=9, places=[Place(3, "e")])
        found, pages = joined([done, begun, waiting])
        assert found == [Place(4, "a"), Place(11, "c"), Place(18, "d"), Place(21, "e")]
        assert pages == 27

    def test_behind_a_range_that_read_to_the_end_there_is_no_more(self) -> None:
        whole = Range(done=True, pages=9, places=[Place(4, "a"), Place(8, "b")])
        twice = Range("a", "c", pages=3, done=True, places=[Place(1, "a")])
        assert joined([whole, twice]) == (whole.places, 9)

    def test_places_are_thinned_evenly_until_they_are_short_enough(self) -> None:
        short, long = (
            [[n, "+" * length] for n in range(1, 100)] for length in (48, 9999)
        )
        assert [pages for pages, _ in thinned(short, 3_000)] == [*range(2, 100, 2)]
        assert thinned(long, 3_000) == []


class TestEnds:
    LOOK = frozenset("abcdefghij")

    @pytest.mark.parametrize(
        ("page", "ends"),
        [
            ("vwxyz", False),
            ("a", True),
            ("ax", True),
            ("axy", False),
            ("abxyz", False),
            ("abcxyz", True),
            ("abcdefghij", True),
            ("", False),
        ],
    )
    def test_half_a_page_of_the_look_is_the_end(self, page: str, *, ends: bool) -> None:
        assert is_behind(page, self.LOOK) is ends

    def test_behind_an_empty_look_there_is_no_end(self) -> None:
        assert not is_behind("abc", frozenset())

    def test_who_was_moved_is_not_the_same(self) -> None:
        lead = Customer("cus_1")
        paying = Customer("cus_1", "2026-01-01T00:00:00+00:00")
        edited = Customer("cus_1", None)
        assert keys([lead]) == keys([edited])
        assert len({*keys([lead, paying, Customer("cus_2")])}) == 3
