"""`make history`: what it keeps of the days, and the plot of them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from examples.dbt.history import run
from tests.postgres import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HERE = ROOT / "examples/dbt/history"
PLOT = """
import json, sys
from pathlib import Path
from examples.dbt.history.plot import draw
draw(json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]))
"""


def test_the_days_of_an_account_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tmp_path / "history.json"
    monkeypatch.setattr(run, "RESULT", result)
    run.main(2)
    first, second = json.loads(result.read_text("utf-8"))
    assert (first["day"], second["day"]) == ("2026-03-01", "2026-03-02")
    assert first["movements"] == {}
    added = sum(second["mrr"].values()) - sum(first["mrr"].values())
    assert sum(second["movements"].values()) == added != 0


def test_the_plot_is_of_the_days_that_are_kept(tmp_path: Path) -> None:
    drawn = tmp_path / "history.svg"
    subprocess.run(
        [ROOT / ".venv-bench/bin/python", "-c", PLOT, HERE / "history.json", drawn],
        cwd=ROOT,
        check=True,
    )
    assert drawn.read_text("utf-8") == (HERE / "history.svg").read_text("utf-8")
