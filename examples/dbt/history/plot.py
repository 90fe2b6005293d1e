"""`python -m examples.dbt.history.plot`: the days of the last run as a plot in SVG."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HERE = Path(__file__).parent

_STYLE = {
    # Text stays text, and equal results give equal files.
    "svg.fonttype": "none",
    "svg.hashsalt": "history",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
}
_STATUSES = {"Active": "#1f6feb", "Past Due": "#d4a72c"}
_MOVEMENTS = {
    "new": "#1f6feb",
    "expansion": "#54aeff",
    "reactivation": "#8250df",
    "contraction": "#fb8f44",
    "churn": "#cf222e",
}

Days = list[dict[str, Any]]


def draw(days: Days, file: Path) -> None:
    """Draw MRR, and under it its movements.

    Args:
        days: What each day came to, in cents.
        file: Where the plot goes.
    """
    with mpl.rc_context(_STYLE):
        canvas = Figure(figsize=(10, 6), layout="constrained")
        above, below = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        dates = [date.fromisoformat(day["day"]) for day in days]
        _draw_totals(above, dates, days)
        _draw_movements(below, dates, days)
        below.xaxis.set_major_formatter(
            ConciseDateFormatter(below.xaxis.get_major_locator())
        )
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _draw_totals(panel: Axes, dates: list[date], days: Days) -> None:
    below = [0.0] * len(days)
    for status, colour in _STATUSES.items():
        units = [day["mrr"].get(status, 0) / 100 for day in days]
        panel.bar(dates, units, bottom=below, color=colour, label=status)
        below = [x + y for x, y in zip(below, units, strict=True)]
    panel.set_title("MRR at the end of each day, USD (mrr_by_day)")
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _draw_movements(panel: Axes, dates: list[date], days: Days) -> None:
    ends = {True: [0.0] * len(days), False: [0.0] * len(days)}
    for movement, colour in _MOVEMENTS.items():
        units = [day["movements"].get(movement, 0) / 100 for day in days]
        side = ends[movement in {"contraction", "churn"}]
        panel.bar(dates, units, bottom=side, color=colour, label=movement)
        side[:] = [x + y for x, y in zip(side, units, strict=True)]
    net = [sum(day["movements"].values()) / 100 for day in days]
    panel.plot(dates, net, color="#24292f", marker=".", linewidth=1, label="together")
    panel.axhline(0, color="#24292f", linewidth=0.5)
    panel.set_title("What changed it since the day before (mrr_movements)")
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


if __name__ == "__main__":
    draw(
        json.loads((HERE / "history.json").read_text("utf-8")),
        HERE / "history.svg",
    )
