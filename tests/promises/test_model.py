"""Random runs, broken off anywhere, into a model of a target that deletes rows.

What customers who move meanwhile may cost is in `parts/test_nobody_lost.py`.
"""
# ruff: noqa: S311 (seeds are no secrets)

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from sandbox import Sandbox, faults, generate_customers
from tests.model import Row, Target, run_tap

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 31, tzinfo=UTC)
HEALING = (
    *map(faults.status, (429, 503)),
    *(faults.reset(), faults.cut_body(after=20), faults.empty_page()),
)
LASTING = (faults.status(401), faults.without("has_more"), faults.without("cursor"))
EVENTS = (None, "tap terminated", "tap killed", "target killed")


class Loads:
    """One account, one table, and a state that is kept from run to run."""

    def __init__(self, rng: Random, sandbox: Sandbox, folder: Path) -> None:
        self.rng, self.sandbox, self.folder = rng, sandbox, folder
        self.size = len(sandbox.customers)
        self.deletes = rng.random() < 0.7
        self.settings = {
            "api_key": sandbox.api_key,
            "api_url": sandbox.url,
            "emit_activate_version_messages": self.deletes,
            "per_page": rng.randint(4, 12),
            "parallel_requests": rng.choice((1, 2, 4, 20)),
            "max_retries": 3,
        }
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.runs = self.began = self.version = 0

    @property
    def is_unfinished(self) -> bool:
        bookmark = self.state.get("bookmarks", {}).get("customers", {})
        return bookmark.get("ranges") is not None

    def load(self, event: str | None, met: dict[int, faults.Fault]) -> None:
        """Run the tap, and check what came of it.

        Args:
            event: What interrupts it.
            met: Faults, by the number of the request.
        """
        self.runs += 1
        is_resumed, rows = self.is_unfinished, {*self.table}
        if not is_resumed:
            self.began = self.runs
            for customer in self.rng.sample(
                self.sandbox.customers, self.rng.choice((0, 9))
            ):
                self.sandbox.remove(customer["uuid"])
        before = len(self.sandbox.requests)
        self.sandbox.script({before + number: fault for number, fault in met.items()})
        files = []
        for name, value in (("config", self.settings), ("state", self.state)):
            (self.folder / name).write_text(json.dumps(value))
            files += [f"--{name}", str(self.folder / name)]
        batch, at_line = self.rng.choice((1, 7, 10_000)), self.rng.randrange(self.size)
        target = Target(self.table, self.runs, batch, event, at_line)
        with time_machine.travel(START + timedelta(minutes=self.runs), tick=False):
            code = run_tap(target, *files, seed=self.rng.randrange(1000))
        if target.version is not None:
            assert target.version >= self.version + (not is_resumed)
            self.version = target.version
        if code == 128 + signal.SIGTERM:
            assert not target.line
            # Within the first line, it has had no state yet.
            assert target.types[1:] == [] or target.types[-1] == "STATE"
        elif event in {None, "tap terminated"} and {*met.values()} <= {*HEALING}:
            assert code == 0
        is_activated = "ACTIVATE_VERSION" in target.types
        assert is_activated or rows <= self.table.keys()
        if code == 0 or is_activated:
            there = {customer["uuid"] for customer in self.sandbox.customers}
            assert there == {
                u for u, row in self.table.items() if row.run >= self.began
            }
            assert is_activated is self.deletes
            assert not self.deletes or self.table.keys() == there
        self.state = target.printed or self.state
        assert code != 0 or not self.is_unfinished


@pytest.mark.parametrize("seed", range(12))
def test_wherever_runs_are_broken_off_the_table_comes_to_hold_the_account(
    tmp_path: Path, seed: int
) -> None:
    rng = Random(seed)
    customers = generate_customers(rng.randint(60, 240), seed=seed)
    # Without waits, a connection that was just closed would still count.
    with Sandbox(customers, rate_limit=None, connection_limit=1000) as sandbox:
        loads = Loads(rng, sandbox, tmp_path)
        loads.load(None, {})
        for _ in range(6):
            kinds = HEALING * 3 + LASTING
            met = {
                rng.randint(1, 40): rng.choice(kinds) for _ in range(rng.randrange(3))
            }
            loads.load(rng.choice(EVENTS), met)
        loads.load(None, {})
