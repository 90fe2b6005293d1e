"""What is reported of every program."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Figure, Figures
from benchmarks.scenarios import NEAR, QUICK, SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Rounds


class Measure(NamedTuple):
    """Something that is reported.

    Args:
        title: What, and in which unit.
        scenario: Where it is measured.
        rounds: Derives it for a program.
    """

    title: str
    scenario: Scenario
    rounds: Callable[[Figures, str], Rounds]

    def by_program(self, figures: Figures) -> dict[str, Figure]:
        """Return it for each program that was measured in the scenario."""
        return {
            program: Figure.of(self.rounds(figures, program))
            for program in figures.programs
            if program in self.scenario.programs
        }


def cpu(figures: Figures, program: str) -> Rounds:
    """Return the CPU time of one more customer, in seconds."""
    return figures.cpu_per_customer(program, NEAR)


def peak(figures: Figures, program: str) -> Rounds:
    """Return the peak of the memory for the largest account, in MiB."""
    return figures.peak(program, QUICK, QUICK.large)


def _in(
    scenario: Scenario,
    title: str,
    units: float,
    seconds: Callable[[Figures, str, Scenario], Rounds],
) -> Measure:
    return Measure(
        f"{title}: {scenario.name}",
        scenario,
        lambda figures, program: [
            each * units for each in seconds(figures, program, scenario)
        ],
    )


MEASURES = (
    *(
        _in(scenario, "CPU for a customer, µs", 1e6, Figures.cpu_per_customer)
        for scenario in (NEAR, QUICK)
    ),
    Measure(f"Peak memory, MiB: {QUICK.large:,} customers", QUICK, peak),
    *(
        _in(scenario, "Wall time for a page, ms", 1e3, Figures.wall_per_page)
        for scenario in SCENARIOS
    ),
)
