"""The lines that say how far a read has come."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers import progress
from tap_chartmogul_customers.progress import Progress

if TYPE_CHECKING:
    import pytest


def test_says_how_far_it_has_come_every_ten_seconds_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 1000.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    sync: Any = SimpleNamespace(pages=100, customers=20_000, resumed=True)
    said = Progress(logging.getLogger(), sync)
    for _ in range(25):
        now += 1
        sync.pages += 1
        sync.customers += 200
        said.say()
    said.end(retries=1)
    assert caplog.messages == [
        "22,000 customers on 110 pages so far, 200 a second",
        "24,000 customers on 120 pages so far, 200 a second",
        "Read 25,000 customers on 125 pages; this run took 25.0 s with 1 retry",
    ]
