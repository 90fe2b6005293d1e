"""What the tap may cost, beside what it does cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Figure, Rounds, ratio
from benchmarks.programs import BARE_LOOP, PLAIN_TAP, TAP
from benchmarks.scenarios import DISTANT, DISTANT_TO_SLOW, QUICK

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Figures
    from benchmarks.scenarios import Scenario


class Promise(NamedTuple):
    """A bound on a figure.

    Args:
        what: What is measured.
        plain: The figure of the plain SDK tap.
        tap: The figure of this tap.
        bound: The bound.
        at_least: Whether the figure may not be under it, rather than not over it.
    """

    what: str
    plain: Figure
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

    def promise(
        what: str,
        rounds: Callable[[str], Rounds],
        bound: float,
        *,
        at_least: bool = False,
    ) -> Promise:
        plain, tap = Figure.of(rounds(PLAIN_TAP)), Figure.of(rounds(TAP))
        return Promise(what, plain, tap, bound, at_least)

    def cpu(program: str) -> Rounds:
        return figures.cpu_per_customer(program, QUICK)

    def wall(program: str, scenario: Scenario) -> Rounds:
        # The bare loop has the quick target in either case: as fast as it could go.
        bare = figures.wall_per_page(BARE_LOOP, DISTANT)
        return ratio(figures.wall_per_page(program, scenario), bare)

    def peak(program: str) -> Rounds:
        return figures.peak(program, QUICK, QUICK.large)

    return [
        promise(
            "CPU for each customer, over the bare loop",
            lambda program: ratio(cpu(program), cpu(BARE_LOOP)),
            2.0,
        ),
        promise(
            "CPU for each customer, so many times less than the plain SDK tap",
            lambda program: ratio(cpu(PLAIN_TAP), cpu(program)),
            3.5,
            at_least=True,
        ),
        promise(
            f"Wall time, {DISTANT.name}, over the bare loop",
            lambda program: wall(program, DISTANT),
            1.03,
        ),
        promise(
            f"Wall time, {DISTANT_TO_SLOW.name}, over the bare loop with a quick one",
            lambda program: wall(program, DISTANT_TO_SLOW),
            1.10,
        ),
        promise(
            f"Peak memory, {QUICK.large:,} customers over {QUICK.small:,}",
            lambda program: ratio(
                peak(program), figures.peak(program, QUICK, QUICK.small)
            ),
            1.1,
        ),
        promise(f"Peak memory, {QUICK.large:,} customers, MiB", peak, 80),
        promise("Requests in flight at once", figures.in_flight, 1),
    ]
