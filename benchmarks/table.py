"""The results as tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.measures import MEASURES
from benchmarks.programs import AIRBYTE, PLAIN_TAP, TAP
from benchmarks.promises import promises
from benchmarks.scenarios import PER_PAGE, ROUNDS, SLOW_TARGET

if TYPE_CHECKING:
    from benchmarks.figures import Figures
    from benchmarks.promises import Promise

_METHOD = f"""\
In each of {ROUNDS} rounds the programs run in turn, each as a process of its own that
writes into a pipe. A figure is the median of the rounds, the lowest and the highest in
brackets; a ratio is taken within each round.

CPU for a customer and wall time for a page are the difference between a run on a large
and a run on a small account, divided by the difference in customers or pages: start-up
is taken out of every program in the same way.

The sandbox is another process and serves pages of {PER_PAGE} customers, rendered and
compressed beforehand. The quick target reads as fast as it can; the slow one needs
{SLOW_TARGET * 1000:.0f} ms for each page, spread over its records."""


def render(figures: Figures, machine: str) -> str:
    """Write the report.

    Args:
        figures: What was measured.
        machine: What it was measured on.

    Returns:
        Markdown.
    """
    parts = [
        "# What the tap costs",
        f"Measured on: {machine}.",
        _METHOD,
        "## What is promised",
        _table(
            ["", PLAIN_TAP, TAP, "promised", "kept"],
            [_promise(promise) for promise in promises(figures)],
        ),
        "## Every program",
        _table(
            ["", *figures.programs],
            [
                [
                    measure.title,
                    *(
                        _show(Figure.of(measure.rounds(figures, program)))
                        for program in figures.programs
                    ),
                ]
                for measure in MEASURES
            ],
        ),
    ]
    if AIRBYTE not in figures.programs:
        parts.append("Airbyte's CDK could not be installed, so its source is missing.")
    return "\n\n".join(parts) + "\n"


def _promise(promise: Promise) -> list[str]:
    return [
        promise.what,
        _show(promise.plain),
        _show(promise.tap),
        f"at {'least' if promise.at_least else 'most'} {promise.bound:g}",
        "yes" if promise.kept else "**no**",
    ]


def _show(figure: Figure) -> str:
    median, lowest, highest = (f"{value:.3g}" for value in figure)
    return median if lowest == highest else f"{median} ({lowest} to {highest})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])
