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
    thin,
)


def places(pages: int, *, step: int = 1) -> list[Place]:
    return [Place(n, f"at-{n}") for n in range(step, pages, step)]


def lengths(ranges: list[Range], pages: int) -> list[int]:
    """Return how many pages ranges have, by the names of `places`."""
    at = [0, *(int((part.start or "").removeprefix("at-")) for part in ranges[1:])]
    return [b - a for a, b in pairwise([*at, pages])]


class TestCutting:
    @given(pages=st.integers(0, 3000), most=st.integers(1, 20), step=st.integers(1, 40))
    def test_ranges_follow_one_another_and_none_is_too_short(
        self, pages: int, most: int, step: int
    ) -> None:
        ranges = cut(places(pages, step=step), pages, most)
        assert 1 <= len(ranges) <= most
        assert ranges[0] == Range()
        assert all(part.at_start and part.start for part in ranges[1:])
        if len(ranges) > 1:
            assert min(lengths(ranges, pages)) >= SHORTEST

    @pytest.mark.parametrize("pages", [17, 31, 47, 100, 500])
    def test_ranges_have_about_the_same_number_of_pages(self, pages: int) -> None:
        sizes = lengths(cut(places(pages), pages, 20), pages)
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


class TestPlaces:
    @given(
        st.lists(st.integers(1, 500), min_size=1, max_size=20),
        st.lists(st.integers(0, 19)),
    )
    def test_they_are_few_and_spread_over_all_that_was_read(
        self, sizes: list[int], order: list[int]
    ) -> None:
        ranges = [Range() for _ in sizes]
        turns = [n for n in order if n < len(sizes)]
        turns += [n for n, count in enumerate(sizes) for _ in range(count)]
        left = list(sizes)
        for number in turns:
            if left[number]:
                left[number] -= 1
                at = sizes[number] - left[number]
                ranges[number].advance(f"{number}-{at}", last=not left[number])
                thin(ranges)
                assert sum(len(part.places) for part in ranges) <= MOST_PLACES
        stride = max(1, 2 * sum(sizes) / MOST_PLACES)
        for part in ranges:
            places = [0, *(place.pages for place in part.places), part.pages]
            assert max(b - a for a, b in pairwise(places)) <= stride

    def test_they_follow_one_another_from_the_start_of_the_account(self) -> None:
        first = Range(cursor="b", done=True, pages=10, places=[Place(4, "a")])
        last = Range("b", done=True, pages=5, places=[Place(1, "c")])
        assert joined([first, last]) == ([Place(4, "a"), Place(11, "c")], 15)

    def test_behind_a_range_that_read_to_the_end_there_is_no_more(self) -> None:
        whole = Range(done=True, pages=9, places=[Place(4, "a"), Place(8, "b")])
        twice = Range("a", "c", pages=3, done=True, places=[Place(1, "a")])
        assert joined([whole, twice]) == (whole.places, 9)

    def test_those_behind_its_place_are_forgotten(self) -> None:
        part = Range(cursor="b", pages=2, places=[*places(2), Place(9, "old")])
        thin([part])
        assert part.places == places(2)


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
