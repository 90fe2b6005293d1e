"""What the tap may cost, beside what it does cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Figure, Rounds, ratio
from benchmarks.measures import cpu, peak
from benchmarks.scenarios import (
    BARE_LOOP,
    DISTANT,
    DISTANT_TO_SLOW,
    EIGHT,
    FOUR,
    PLAIN_TAP,
    QUICK,
    RANGES,
    RANGES_AT_100,
    RANGES_AT_400,
    TAP,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.figures import Figures
    from benchmarks.scenarios import Scenario


class Promise(NamedTuple):
    """A bound on a figure.

    Args:
        what: What is measured.
        plain: The figure of the plain SDK tap, where there is one to compare.
        tap: The figure of this tap.
        bound: The bound.
        at_least: Whether the figure may not be under it, rather than not over it.
    """

    what: str
    plain: Figure | None
    tap: Figure
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the median keeps to the bound."""
        if self.at_least:
            return self.tap.median >= self.bound
        return self.tap.median <= self.bound


def promises(figures: Figures) -> list[Promise]:
    """Hold every promise against what was measured.

    Args:
        figures: What was measured.

    Returns:
        The promises, kept or not.
    """
    return [*_alone(figures), *_in_ranges(figures)]


def _alone(figures: Figures) -> Iterator[Promise]:
    """Hold the tap without ranges against the plain one."""

    def promise(
        what: str,
        rounds: Callable[[str], Rounds],
        bound: float,
        *,
        at_least: bool = False,
    ) -> Promise:
        plain, tap = Figure.of(rounds(PLAIN_TAP)), Figure.of(rounds(TAP))
        return Promise(what, plain, tap, bound, at_least)

    def wall(program: str, scenario: Scenario) -> Rounds:
        # The bare loop has the quick target in either case: as fast as it could go.
        bare = figures.wall_per_page(BARE_LOOP, DISTANT)
        return ratio(figures.wall_per_page(program, scenario), bare)

    yield promise(
        "CPU for each customer, over the bare loop",
        lambda program: ratio(cpu(figures, program), cpu(figures, BARE_LOOP)),
        1.2,
    )
    yield promise(
        "CPU for each customer, so many times less than the plain SDK tap",
        lambda program: ratio(cpu(figures, PLAIN_TAP), cpu(figures, program)),
        3.5,
        at_least=True,
    )
    yield promise(
        f"Wall time, {DISTANT.name}, over the bare loop",
        lambda program: wall(program, DISTANT),
        1.03,
    )
    yield promise(
        f"Wall time, {DISTANT_TO_SLOW.name}, over the bare loop with a quick one",
        lambda program: wall(program, DISTANT_TO_SLOW),
        1.10,
    )
    yield promise(
        f"Peak memory, {QUICK.large:,} customers over {QUICK.small:,}",
        lambda program: ratio(
            peak(figures, program), figures.peak(program, QUICK, QUICK.small)
        ),
        1.1,
    )
    yield promise(
        f"Peak memory, {QUICK.large:,} customers, MiB",
        lambda program: peak(figures, program),
        80,
    )
    yield promise(
        "Requests in flight at once",
        lambda program: figures.of_every_run("in_flight", program),
        1,
    )


def _in_ranges(figures: Figures) -> Iterator[Promise]:
    """Hold a second sync, which reads in ranges, against a first one."""
    for scenario, program, bound in (
        (RANGES_AT_400, FOUR, 0.30),
        (RANGES_AT_400, EIGHT, 0.18),
        # At 38 requests a second it can be 0.24 at best, however many ranges there are.
        (RANGES_AT_100, FOUR, 0.35),
        (RANGES_AT_100, EIGHT, 0.35),
    ):
        bare = figures.wall_per_page(BARE_LOOP, scenario)
        yield Promise(
            f"Wall time, {scenario.name}, over the bare loop: {program}",
            None,
            Figure.of(ratio(figures.wall_per_page(program, scenario), bare)),
            bound,
        )
    for program, number in RANGES.items():
        made = figures.requests_per_page(program, RANGES_AT_400)
        at_once = figures.of_every_run("in_flight", program)
        yield Promise(f"Requests for a page: {program}", None, Figure.of(made), 1.15)
        yield Promise(
            f"Requests in flight at once: {program}", None, Figure.of(at_once), number
        )
    over_bare = Figure.of(ratio(cpu(figures, FOUR), cpu(figures, BARE_LOOP)))
    yield Promise(
        f"CPU for each customer, over the bare loop: {FOUR}", None, over_bare, 1.2
    )
    over_one = Figure.of(ratio(peak(figures, FOUR), peak(figures, TAP)))
    yield Promise(
        f"Peak memory, {QUICK.large:,} customers, over one range: {FOUR}",
        None,
        over_one,
        1.1,
    )
    most = [
        requests
        for program in (TAP, *RANGES)
        for requests in figures.of_every_run("in_a_second", program)
    ]
    yield Promise("Requests in any second", None, Figure.of(most), 40)
