"""What an account may cost in memory."""

from __future__ import annotations

import logging
import tracemalloc
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from benchmarks.account import served
from tap_chartmogul_customers.api import pace
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_memory_does_not_grow_with_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else pytest keeps what is logged of each page.
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    monkeypatch.setattr(pace, "MOST_A_SECOND", 10_000)
    # This process keeps its own handlers of signals.
    monkeypatch.setattr(TapChartMogulCustomers, "_setup_signal_handlers", str)

    def peak(customers: int) -> int:
        with served(customers) as account, (tmp_path / "out").open("w") as out:
            config = {"api_url": account.url, "api_key": account.api_key}
            tap = TapChartMogulCustomers(config=config | {"per_page": 50})
            tracemalloc.start()
            with redirect_stdout(out):
                tap.sync_all()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return peak

    peak(500)  # what stays in memory from the first run on
    # A page more or less is in memory by chance, of some 60 KB; all would be ten times.
    assert peak(5_000) < 3 * peak(500)
