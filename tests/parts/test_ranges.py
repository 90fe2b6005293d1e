"""How an account is cut into ranges, which places are kept, and where a range ends.

What follows from it for customers is in `test_nobody_lost.py`.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.sync.ranges import (
    MOST_PLACES,
    SHORTEST,
    Place,
    Range,
    cut,
    is_behind,
    joined,
    thin,
)


def places(pages: int, *, step: int = 1) -> list[Place]:
    return [Place(n, f"at-{n}") for n in range(step, pages, step)]


def lengths(ranges: list[Range], pages: int) -> list[int]:
    """Return how many pages ranges have, by the names of `places`."""
    at = [0, *(int((part.start or "").removeprefix("at-")) for part in ranges[1:])]
    return [b - a for a, b in pairwise([*at, pages])]


@given(pages=st.integers(0, 3000), most=st.integers(1, 20), step=st.integers(1, 40))
def test_ranges_follow_one_another_and_none_is_too_short(
    pages: int, most: int, step: int
) -> None:
    ranges = cut(places(pages, step=step), pages, most)
    assert 1 <= len(ranges) <= most
    assert ranges[0] == Range()
    assert all(part.at_start and part.start for part in ranges[1:])
    if len(ranges) > 1:
        assert min(lengths(ranges, pages)) >= SHORTEST


@pytest.mark.parametrize("pages", [17, 31, 47, 100, 500])
def test_ranges_have_about_the_same_number_of_pages(pages: int) -> None:
    sizes = lengths(cut(places(pages), pages, 20), pages)
    assert len(sizes) == min(20, pages // SHORTEST)
    assert max(sizes) - min(sizes) <= 1


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=20),
    st.lists(st.integers(0, 19)),
)
def test_places_are_few_and_spread_over_all_that_was_read(
    sizes: list[int], order: list[int]
) -> None:
    ranges = [Range() for _ in sizes]
    turns = [n for n in order if n < len(sizes)]
    turns += [n for n, count in enumerate(sizes) for _ in range(count)]
    for number in turns:
        part = ranges[number]
        if not part.done:
            at = part.pages + 1
            part.advance(f"{number}-{at}", last=at == sizes[number])
            thin(ranges)
            assert sum(len(part.places) for part in ranges) <= MOST_PLACES
    stride = max(1, 2 * sum(sizes) / MOST_PLACES)
    for part in ranges:
        passed = [0, *(place.pages for place in part.places), part.pages]
        assert max(b - a for a, b in pairwise(passed)) <= stride


def test_places_behind_the_one_of_a_range_are_forgotten() -> None:
    part = Range(cursor="b", pages=2, places=[*places(2), Place(9, "old")])
    thin([part])
    assert part.places == places(2)


def test_places_follow_one_another_from_the_start_of_the_account() -> None:
    first = Range(cursor="b", done=True, pages=10, places=[Place(4, "a")])
    last = Range("b", done=True, pages=5, places=[Place(1, "c")])
    assert joined([first, last]) == ([Place(4, "a"), Place(11, "c")], 15)


def test_behind_a_range_that_read_to_the_end_there_is_no_place() -> None:
    whole = Range(done=True, pages=9, places=[Place(4, "a"), Place(8, "b")])
    twice = Range("a", "c", pages=3, done=True, places=[Place(1, "a")])
    assert joined([whole, twice]) == (whole.places, 9)


@pytest.mark.parametrize(
    ("page", "ends"),
    [
        ("vwxyz", False),
        ("a", True),
        ("ax", True),
        ("axy", False),
        ("abcxyz", True),
        ("", False),
    ],
)
def test_half_a_page_of_the_look_is_the_end(page: str, *, ends: bool) -> None:
    assert is_behind(page, frozenset("abcdefghij")) is ends
