"""The results as a plot in SVG."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from benchmarks.measures import MEASURES
from benchmarks.scenarios import RANGES, TAP

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.figures import Figures
    from benchmarks.measures import Measure

_STYLE = {
    # Text stays text, and equal results give equal files.
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
}
_TAP_COLOUR, _OTHER_COLOUR = "#1f6feb", "#b4bcc8"
_COLUMNS = 2


def draw(figures: Figures, machine: str, file: Path) -> None:
    """Draw a panel for each measure.

    Args:
        figures: What was measured.
        machine: What it was measured on.
        file: Where the plot goes.
    """
    with mpl.rc_context(_STYLE):
        canvas = Canvas(figsize=(10, 12), layout="constrained")
        canvas.suptitle("What the tap costs: less is better")
        canvas.supxlabel(textwrap.fill(machine, 120), fontsize="small")
        panels = canvas.subplots(-(-len(MEASURES) // _COLUMNS), _COLUMNS)
        for panel, measure in zip(panels.flat, MEASURES, strict=True):
            _draw_panel(panel, measure, figures)
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _draw_panel(panel: Axes, measure: Measure, figures: Figures) -> None:
    by_program = measure.by_program(figures)
    programs, values = list(by_program), list(by_program.values())
    bars = panel.barh(
        programs,
        [value.median for value in values],
        xerr=[
            [value.median - value.lowest for value in values],
            [value.highest - value.median for value in values],
        ],
        color=[
            _TAP_COLOUR if program in {TAP, *RANGES} else _OTHER_COLOUR
            for program in programs
        ],
        ecolor="#57606a",
    )
    panel.bar_label(bars, [f"{value.median:.3g}" for value in values], padding=4)
    panel.set_title(measure.title)
    panel.margins(x=0.15)
    panel.invert_yaxis()
    panel.set_xlim(left=0)
