"""`python -m benchmarks.report`: writes the last measurements into the pages.

It runs where matplotlib is, in `.venv-bench`, so it needs nothing else.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from benchmarks.samples import (
    AIRBYTE,
    BARE_LOOP,
    COPY,
    DLT,
    EIGHT,
    FOUR,
    MELTANO,
    PIPE,
    PLAIN_TAP,
    RESULTS,
    TAP,
    Measurements,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.samples import Sample

ROOT = Path(__file__).parents[1]
PER_PAGE = 200
READERS = (BARE_LOOP, TAP, FOUR, EIGHT, PLAIN_TAP, AIRBYTE)
LOADERS = (PIPE, COPY, MELTANO, DLT)


class Figure(NamedTuple):
    """A figure's median over all rounds, and how far they spread."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        """Write it with three digits, and the spread if there is one."""
        middle, low, high = (
            f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
            for value in self
        )
        return middle if low == high else f"{middle} ({low} to {high})"


class Figures:
    """Derives figures from the runs.

    Args:
        samples: The runs.
    """

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples
        self.size = max(self._of("customers", DLT))
        """Customers of the account that all loaders loaded."""

    def load(self, fact: str, program: str, **where: float) -> Figure | None:
        """Return what a load cost, if it was measured."""
        where = {"customers": self.size, "deletes": False} | where
        return _figure(self._of(fact, program, **where))

    def per_customer(self, fact: str, program: str, latency: int) -> Figure | None:
        """Return what one more customer costs a reader: its start is taken out."""
        sizes = sorted(set(self._of("customers", program, latency=latency)))
        if not sizes:
            return None
        small, large = (
            self._of(fact, program, latency=latency, customers=size) for size in sizes
        )
        more = sizes[1] - sizes[0]
        return _figure([(b - a) / more for a, b in zip(small, large, strict=True)])

    def peak(self, program: str, *, smallest: bool = False) -> Figure | None:
        """Return a reader's memory for the largest account, or the smallest."""
        sizes = self._of("customers", program, latency=30)
        if not sizes:
            return None
        size = min(sizes) if smallest else max(sizes)
        return _figure(self._of("peak", program, latency=30, customers=size))

    def sizes(self) -> list[float]:
        """Return how many customers were loaded."""
        return sorted(set(self._of("customers", PIPE)))

    def most_in_a_second(self) -> Figure | None:
        """Return the most requests that the tap made in any second."""
        tap = (TAP, FOUR, EIGHT, *LOADERS[:-1])
        return _figure([max(max(self._of("in_a_second", each)) for each in tap)])

    def requests_per_page(self, program: str, latency: int) -> Figure | None:
        """Return how many requests a reader made for a page of a large account."""
        made = self._of("requests", program, latency=latency)
        read = self._of("customers", program, latency=latency)
        return _figure([max(made) * PER_PAGE / max(read)])

    def _of(self, fact: str, program: str, **where: float) -> list[float]:
        return [
            getattr(sample, fact)
            for sample in self._samples
            if sample.program == program
            and all(getattr(sample, name) == value for name, value in where.items())
        ]


def _figure(rounds: list[float]) -> Figure | None:
    if not rounds:
        return None
    return Figure(median(rounds), min(rounds), max(rounds))


def nights(figures: Figures) -> str:
    """Return how long accounts of several sizes take."""

    def row(size: float) -> list[object]:
        requests, *times = (
            [
                figures.load(fact, PIPE, latency=latency, sync=sync, customers=size)
                for latency in latencies
                for sync in (1, 2)
            ]
            for fact, latencies in (
                ("requests", (100,)),
                ("wall", (100,)),
                ("wall", (400,)),
            )
        )
        cells = [f"{first} s, {second} s" for first, second in times]
        return [f"{size:,}", ", ".join(map(str, requests)), *cells]

    head = ["customers", "requests", "100 ms a page", "400 ms a page"]
    return _table(head, map(row, figures.sizes()))


def loads(figures: Figures) -> str:
    """Return what each loader costs."""
    places = [(latency, sync) for latency in (100, 400) for sync in (1, 2)]
    ordinals = {1: "first", 2: "second"}

    def row(program: str, *, deletes: bool) -> list[object]:
        def cell(fact: str, latency: int, sync: int) -> object:
            where = {"latency": latency, "sync": sync, "deletes": deletes}
            return figures.load(fact, program, **where) or ""

        return [
            program + (", deletes" if deletes else ""),
            *(cell("wall", *place) for place in places),
            cell("cpu", 100, 2),
            cell("peak", 100, 2),
        ]

    head = [
        f"{figures.size:,} customers",
        *(f"{ordinals[sync]} sync, {latency} ms a page, s" for latency, sync in places),
        "CPU, s",
        "memory, MiB",
    ]
    plain = [row(program, deletes=False) for program in LOADERS]
    return _table(head, plain + [row(each, deletes=True) for each in (PIPE, DLT)])


def reads(figures: Figures) -> str:
    """Return what each reader costs."""
    head = [
        "",
        "CPU for a customer, µs",
        "memory, MiB",
        *(f"a page of {latency} ms, ms" for latency in (30, 100, 400)),
    ]
    return _table(
        head,
        (
            [
                program,
                _scaled(figures.per_customer("cpu", program, 30), 1e6),
                _scaled(figures.peak(program), 1),
                *(
                    _scaled(
                        figures.per_customer("wall", program, latency), 1e3 * PER_PAGE
                    )
                    for latency in (30, 100, 400)
                ),
            ]
            for program in READERS
        ),
    )


def promises(figures: Figures) -> str:
    """Hold what was measured against what is promised: a ratio is one of medians."""
    rows = []

    def promise(
        what: str, found: Figure | None, bound: float, over: Figure | None = None
    ) -> None:
        assert found  # noqa: S101 - all that is promised is measured
        value = found.median / (over.median if over else 1)
        kept = "yes" if value <= bound else "**no**"
        rows.append([what, f"{value:.3g}", f"at most {bound:g}", kept])

    for deletes, note in (False, ""), (True, ", deletes"):
        for latency in (100, 400):
            for sync, name, bound in (1, "first", 1.0), (2, "second", 0.5):
                own, dlt = (
                    figures.load(
                        "wall", each, latency=latency, sync=sync, deletes=deletes
                    )
                    for each in (PIPE, DLT)
                )
                what = f"{name.capitalize()} sync over dlt's, {latency} ms a page{note}"
                promise(what, own, bound, dlt)
    cpu = {each: figures.per_customer("cpu", each, 30) for each in READERS}
    for program in TAP, FOUR:
        what = f"CPU for a customer over the bare loop's: {program}"
        promise(what, cpu[program], 1.4, cpu[BARE_LOOP])
    what = "CPU for a customer over the plain SDK tap's"
    promise(what, cpu[TAP], 0.3, cpu[PLAIN_TAP])
    for latency, program, bound in (
        (100, TAP, 1.03),
        # Below 40 requests a second it can be 0.24 at best, in any number of ranges.
        (100, FOUR, 0.35),
        (400, FOUR, 0.30),
        (400, EIGHT, 0.18),
    ):
        own, bare = (
            figures.per_customer("wall", each, latency) for each in (program, BARE_LOOP)
        )
        what = f"Time for a page over the bare loop's, {latency} ms: {program}"
        promise(what, own, bound, bare)
    for program, latency in (FOUR, 100), (EIGHT, 400):
        made = figures.requests_per_page(program, latency)
        promise(f"Requests for a page: {program}", made, 1.15)
    promise("Requests in any second", figures.most_in_a_second(), 40)
    peak = figures.peak(TAP)
    promise("Memory, MiB", peak, 80)
    small = figures.peak(TAP, smallest=True)
    promise("Memory, largest account over smallest", peak, 1.1, small)
    promise("Memory, second sync over first", figures.peak(FOUR), 1.1, peak)
    return _table(["", "measured", "promised", "kept"], rows)


def draw(figures: Figures, machine: str, file: Path) -> None:
    """Draw what loaders and readers cost."""
    style = {
        # Text stays text, and equal results give equal files.
        "svg.fonttype": "none",
        "svg.hashsalt": "benchmarks",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": "medium",
    }
    panels: dict[str, dict[str, float]] = {}
    for latency in (100, 400):
        title = f"{figures.size:,} customers into PostgreSQL, {latency} ms a page: s"
        panels[title] = {
            f"{program}, {name} sync": found.median
            for sync, name in ((1, "first"), (2, "second"))
            for program in LOADERS
            if (found := figures.load("wall", program, latency=latency, sync=sync))
        }
    panels["Reading alone, CPU for a customer: µs"] = {
        program: found.median * 1e6
        for program in READERS
        if (found := figures.per_customer("cpu", program, 30))
    }
    with mpl.rc_context(style):
        canvas = Canvas(figsize=(9, 9), layout="constrained")
        canvas.suptitle("Less is better")
        canvas.supxlabel(textwrap.fill(machine, 110), fontsize="small")
        heights = [len(bars) for bars in panels.values()]
        axes = canvas.subplots(len(panels), height_ratios=heights)
        for axis, (title, bars) in zip(axes, panels.items(), strict=True):
            colours = ["#1f6feb" if "tap," in name else "#b4bcc8" for name in bars]
            drawn = axis.barh(list(bars), list(bars.values()), color=colours)
            axis.bar_label(
                drawn, [f"{value:.3g}" for value in bars.values()], padding=4
            )
            axis.set_title(title)
            axis.margins(x=0.1)
            axis.invert_yaxis()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _scaled(figure: Figure | None, by: float) -> object:
    return Figure(*(value * by for value in figure)) if figure else ""


def _table(head: list[str], rows: Iterable[list[object]] | list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(
        f"| {' | '.join(map(str, cells))} |" for cells in [head, rule, *rows]
    )


def fill(page: str, parts: dict[str, str]) -> str:
    """Put each part between its two markers.

    Args:
        page: The page's text.
        parts: What goes between `<!-- NAME -->` and `<!-- /NAME -->`, by name.

    Returns:
        The page's new text.
    """
    for name, part in parts.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, after = page.index(start) + len(start), page.index(end)
        page = f"{page[:before]}\n{part}\n\n{page[after:]}"
    return page


def main() -> None:
    """Write the tables and the picture."""
    measurements = Measurements.load()
    figures = Figures(measurements.samples)
    machine = ", ".join(f"{k} {v}" for k, v in measurements.machine.items())
    draw(figures, machine, RESULTS / "results.svg")
    made = {make.__name__: make(figures) for make in (nights, promises, loads, reads)}
    for page, parts in {
        ROOT / "README.md": {"nights": made["nights"]},
        ROOT / "docs/performance.md": made | {"machine": f"{machine}."},
    }.items():
        page.write_text(fill(page.read_text("utf-8"), parts), "utf-8")


if __name__ == "__main__":
    main()
