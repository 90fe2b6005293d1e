"""What is loaded into a target, and what became of it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.targets.account import AFTER, BEFORE, with_custom_columns
from tests.targets.comparison import is_harmful, losses
from tests.targets.target import FLAT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.account import Account
    from tests.targets.comparison import Row
    from tests.targets.target import Settings, Target

WHOLE = "whole"
STOPS = "stops"
STAGED = "staged"
OTHER = "other customers"

VERSIONS = {"emit_activate_version_messages": True}
CUSTOM = {"custom_attributes_sample_size": 1000}

FIRST, SECOND, DELETES, FLATTENED, TYPED = SCENARIOS = (
    "first load",
    "second load",
    "ACTIVATE_VERSION",
    "flattened",
    "custom columns",
)

BASH = ("bash", "-e", "-o", "pipefail", "-c")

_numbers = itertools.count(1)
_placing = threading.Lock()
"""A server starts once, and is asked for one database at a time."""


@dataclass(frozen=True)
class Seen:
    """What became of the customers in one scenario.

    Attributes:
        outcome: In a word.
        losses: What was lost of their values.
        log: What the target printed.
    """

    outcome: str
    losses: frozenset[str] = frozenset()
    log: str = ""

    @property
    def failed(self) -> bool:
        """Whether not every customer is there."""
        return self.outcome in {STOPS, STAGED, OTHER}

    @property
    def is_whole(self) -> bool:
        """Whether every value of every customer can be told from what is there."""
        return not self.failed and not any(map(is_harmful, self.losses))

    def shown(self, evidence: str) -> list[str]:
        """Return what was seen that the evidence is in."""
        if self.failed:
            return [f"`{evidence}`"] if evidence in self.log else []
        return sorted(each for each in self.losses if evidence in each)


def tried(target: Target, account: Account) -> dict[str, Seen]:
    """Try a target in every scenario."""
    before, after = account.rows(BEFORE), account.rows(AFTER)
    merged = {row["uuid"]: row for row in [*before, *after]}
    later = {
        "updates": [*merged.values()],
        "appends": [*before, *after],
        "replaces": after,
    }
    typed = [with_custom_columns(row) for row in before]

    def once(settings: Settings, rows: list[Row]) -> Seen:
        return _seen(target, account, [(BEFORE, settings)], {WHOLE: rows})

    def twice(settings: Settings) -> Seen:
        loads = [(BEFORE, settings), (AFTER, settings)]
        return _seen(target, account, loads, later)

    second, deletes = twice(target.tap), twice(target.tap | VERSIONS)
    if deletes.outcome == second.outcome and not second.failed:
        deletes = replace(deletes, outcome="ignores")
    elif deletes.outcome == "replaces":
        deletes = replace(deletes, outcome="deletes")
    return {
        FIRST: once({}, before),
        SECOND: second,
        DELETES: deletes,
        FLATTENED: once(FLAT, before),
        TYPED: once(target.tap | CUSTOM, typed),
    }


def _seen(
    target: Target,
    account: Account,
    loads: list[tuple[int, Settings]],
    outcomes: dict[str, list[Row]],
) -> Seen:
    """Load into an empty destination, and find the outcome that fits what it holds."""
    folder = account.folder / f"load{next(_numbers)}"
    (folder / "home").mkdir(parents=True)
    with _placing:
        destination = target.place(folder)
    config = folder / "config.json"
    config.write_text(json.dumps(target.settings | destination.settings))
    environment = {**_environment(target, folder), **destination.environment}
    program = str(target.venv / "bin" / target.program)
    for when, settings in loads:
        if when == AFTER:
            # No load shares a second with the one before, as no two nights do: some
            # targets name files by the second, and S3 dates objects by it.
            time.sleep(1 - time.time() % 1)
        with account.written(when, settings).open() as messages:
            done = subprocess.run(
                [*BASH, target.run, "bash", program, "--config", str(config)],
                cwd=folder,
                stdin=messages,
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
        if done.returncode:
            # What was to go to a service for which there is a poor stand-in.
            staged = target.is_tried_in_part and WHOLE in outcomes
            lost = losses(outcomes[WHOLE], destination.rows()) if staged else None
            outcome = STOPS if lost is None else STAGED
            return Seen(outcome, frozenset(lost or ()), done.stderr)
    rows = destination.rows()
    for outcome, customers in outcomes.items():
        lost = losses(customers, rows)
        if lost is not None:
            return Seen(outcome, frozenset(lost), done.stderr)
    return Seen(OTHER, log=done.stderr)


def _environment(target: Target, folder: Path) -> dict[str, str]:
    """Return variables with which a program leaves nothing outside of its folder."""
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("XDG_")
    }
    return {
        **others,
        "PATH": f"{target.venv / 'bin'}:{os.environ['PATH']}",
        # Some append to what an earlier load left among temporary files.
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        # Whoever writes local time is to be seen.
        "TZ": "Asia/Kolkata",
        **target.environment,
    }
