"""What is reported of every program."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scenarios import QUICK, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Figures, Rounds
    from benchmarks.scenarios import Scenario


class Measure(NamedTuple):
    """Something that is reported.

    Args:
        title: What, and in which unit.
        rounds: Derives it for a program.
    """

    title: str
    rounds: Callable[[Figures, str], Rounds]


def _cpu(figures: Figures, program: str) -> Rounds:
    return [second * 1e6 for second in figures.cpu_per_customer(program, QUICK)]


def _peak(figures: Figures, program: str) -> Rounds:
    return figures.peak(program, QUICK, QUICK.large)


def _wall(scenario: Scenario) -> Measure:
    return Measure(
        f"Wall time for a page, ms: {scenario.name}",
        lambda figures, program: [
            second * 1e3 for second in figures.wall_per_page(program, scenario)
        ],
    )


MEASURES = (
    Measure("CPU for a customer, µs", _cpu),
    Measure(f"Peak memory, MiB: {QUICK.large:,} customers", _peak),
    *map(_wall, SCENARIOS),
)
