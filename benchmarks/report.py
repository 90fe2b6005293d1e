"""`python -m benchmarks.report`: the last measurements as a table and as a plot."""

from __future__ import annotations

import sys

from benchmarks import plot, table
from benchmarks.figures import Figures
from benchmarks.samples import RESULTS, Measurements


def main() -> None:
    """Write both beside the measurements, and show the table."""
    measurements = Measurements.load()
    figures = Figures(measurements.samples)
    machine = ", ".join(
        f"{name} {value}" for name, value in measurements.machine.items()
    )
    text = table.render(figures, machine)
    (RESULTS / "results.md").write_text(text, encoding="utf-8")
    plot.draw(figures, machine, RESULTS / "results.svg")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
