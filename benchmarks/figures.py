"""What the measurements say: each figure once for every round."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter, truediv
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scenarios import PER_PAGE, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.samples import Sample
    from benchmarks.scenarios import Scenario


class Figure(NamedTuple):
    """A figure's median over all rounds, and how far they spread.

    Args:
        median: The median.
        lowest: The lowest of any round.
        highest: The highest of any round.
    """

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, rounds: Iterable[float]) -> Figure:
        """Sum up the rounds."""
        values = sorted(rounds)
        return cls(median(values), values[0], values[-1])


Rounds = list[float]
"""A figure for each round."""


class Figures:
    """Derives figures from samples.

    Args:
        samples: The runs in the order in which they were made.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[tuple[str, str, int], list[Sample]] = defaultdict(list)
        for sample in samples:
            key = sample.program, sample.scenario, sample.customers
            self._samples[key].append(sample)
        measured = {program for program, *_ in self._samples}
        self.programs = [program for program in PROGRAMS if program in measured]

    def cpu_per_customer(self, program: str, scenario: Scenario) -> Rounds:
        """Return the CPU time of one more customer, in seconds."""
        return self._per_customer("cpu", program, scenario)

    def wall_per_page(self, program: str, scenario: Scenario) -> Rounds:
        """Return the time that one more page takes, in seconds."""
        return [
            seconds * PER_PAGE
            for seconds in self._per_customer("wall", program, scenario)
        ]

    def peak(self, program: str, scenario: Scenario, customers: int) -> Rounds:
        """Return the peak of the memory, in MiB."""
        return self._values("peak", program, scenario, customers)

    def requests_per_page(self, program: str, scenario: Scenario) -> Rounds:
        """Return how many requests it made over the pages of the large account."""
        pages = scenario.large // PER_PAGE
        made = self._values("requests", program, scenario, scenario.large)
        return [requests / pages for requests in made]

    def of_every_run(self, fact: str, program: str) -> Rounds:
        """Return a fact of each run in every scenario: `in_flight` or `in_a_second`."""
        return [
            getattr(sample, fact)
            for (name, *_), samples in self._samples.items()
            for sample in samples
            if name == program
        ]

    def _per_customer(self, cost: str, program: str, scenario: Scenario) -> Rounds:
        # What a run costs whatever it reads is in both runs, and so in neither.
        small = self._values(cost, program, scenario, scenario.small)
        large = self._values(cost, program, scenario, scenario.large)
        more = scenario.large - scenario.small
        return [(b - a) / more for a, b in zip(small, large, strict=True)]

    def _values(
        self, cost: str, program: str, scenario: Scenario, customers: int
    ) -> Rounds:
        samples = self._samples[program, scenario.name, customers]
        return list(map(attrgetter(cost), samples))


def ratio(rounds: Rounds, reference: Rounds) -> Rounds:
    """Divide round by round, so that what slows a whole round down is in neither."""
    return list(map(truediv, rounds, reference))
