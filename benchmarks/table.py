"""The results as tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures import MEASURES
from benchmarks.promises import promises
from benchmarks.scenarios import (
    AIRBYTE,
    NEAR,
    PER_PAGE,
    PLAIN_TAP,
    SLOW_TARGET,
    TAP,
)

if TYPE_CHECKING:
    from benchmarks.figures import Figure, Figures
    from benchmarks.measures import Measure
    from benchmarks.promises import Promise

_METHOD = f"""\
In each of {NEAR.rounds} rounds, fewer where it is waiting that takes the time, the
programs run in turn, each as a process of its own that writes into a pipe. A figure is
the median of the rounds, the lowest and the highest in brackets; a ratio is taken
within each round.

CPU for a customer and wall time for a page are the difference between a run on a large
and a run on a small account, divided by the difference in customers or pages: start-up
is taken out of every program in the same way.

The sandbox is another process and serves pages of {PER_PAGE} customers, rendered and
compressed beforehand. The quick target reads as fast as it can; the slow one needs
{SLOW_TARGET * 1000:.0f} ms for each page, spread over its records.

Read in ranges is what the tap reads on its second sync, from the state of a first one.
It keeps below the 40 requests a second that ChartMogul allows, the other programs do
not: at 0 ms, that is what its wall time shows. It shows in its CPU there, too:
to wait for each page costs some, as the bare loop's figures show. So CPU is compared at
30 ms, where every program waits, as it would for the real API."""


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
            [_measure(measure, figures) for measure in MEASURES],
        ),
    ]
    if AIRBYTE not in figures.programs:
        parts.append("Airbyte's CDK could not be installed, so its source is missing.")
    return "\n\n".join(parts) + "\n"


def _measure(measure: Measure, figures: Figures) -> list[str]:
    values = measure.by_program(figures)
    return [measure.title, *map(_show, map(values.get, figures.programs))]


def _promise(promise: Promise) -> list[str]:
    return [
        promise.what,
        _show(promise.plain),
        _show(promise.tap),
        f"at {'least' if promise.at_least else 'most'} {promise.bound:g}",
        "yes" if promise.kept else "**no**",
    ]


def _show(figure: Figure | None) -> str:
    if figure is None:
        return ""
    median, lowest, highest = (f"{value:.3g}" for value in figure)
    return median if lowest == highest else f"{median} ({lowest} to {highest})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])
