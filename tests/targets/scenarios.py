"""What is loaded into a target, and what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests import forks
from tests.targets.account import AFTER, BEFORE, with_custom_columns
from tests.targets.comparison import is_harmful, losses
from tests.targets.target import FLAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.targets.account import Account
    from tests.targets.comparison import Row
    from tests.targets.target import Destination, Settings, Target

WHOLE = "whole"
STOPS = "stops"
STAGED = "staged"
OTHER = "other customers"

_forking = threading.Lock()
"""A server of forks starts one at a time."""
FORKED = {
    str(program.script): program
    for program in (forks.TARGET_POSTGRES, forks.TARGET_JSONL)
}

VERSIONS = {"emit_activate_version_messages": True}
CUSTOM = {"custom_attributes_sample_size": 1000}

FIRST, SECOND, DELETES, FLATTENED, TYPED = SCENARIOS = (
    "first load",
    "second load",
    "ACTIVATE_VERSION",
    "flattened",
    "custom columns",
)


@dataclass(frozen=True)
class Seen:
    """What became of the customers in one scenario.

    Args:
        outcome: In a word.
        losses: What was lost of their values.
        log: What the target printed.
    """

    outcome: str
    losses: frozenset[str] = frozenset()
    log: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} {sorted(self.losses)}\n{self.log[-600:]}"

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


@dataclass(frozen=True)
class Trial:
    """A target, tried in every scenario.

    Args:
        target: The target.
        account: What is loaded.
    """

    target: Target
    account: Account

    def run(self) -> dict[str, Seen]:
        """Run every scenario.

        Returns:
            What was seen, by scenario.
        """
        tap = self.target.tap
        before, after = self.account.rows(BEFORE), self.account.rows(AFTER)
        merged = {row["uuid"]: row for row in [*before, *after]}
        later = {
            "updates": list(merged.values()),
            "appends": [*before, *after],
            "replaces": after,
        }
        second = self._seen([(BEFORE, tap), (AFTER, tap)], later)
        deletes = self._seen([(BEFORE, tap | VERSIONS), (AFTER, tap | VERSIONS)], later)
        if deletes.outcome == second.outcome and not second.failed:
            deletes = replace(deletes, outcome="ignores")
        elif deletes.outcome == "replaces":
            deletes = replace(deletes, outcome="deletes")
        return {
            FIRST: self._seen([(BEFORE, {})], {WHOLE: before}),
            SECOND: second,
            DELETES: deletes,
            FLATTENED: self._seen([(BEFORE, FLAT)], {WHOLE: before}),
            TYPED: self._seen(
                [(BEFORE, tap | CUSTOM)], {WHOLE: [*map(with_custom_columns, before)]}
            ),
        }

    def _seen(
        self, inputs: list[tuple[int, Settings]], outcomes: dict[str, list[Row]]
    ) -> Seen:
        with (
            TemporaryDirectory() as folder,
            self.target.place(Path(folder)) as destination,
        ):
            variables = {**self.target.environment, **destination.environment}
            config = Path(folder, "config.json")
            config.write_text(json.dumps(self.target.settings | destination.settings))
            for load, (when, settings) in enumerate(inputs):
                if load:
                    _wait_for_the_next_second()
                log = ""
                messages = self.account.written(when, settings)
                for number, command in enumerate(self._commands(config)):
                    output = Path(folder, f"output-{number}.jsonl")
                    code, logged = self._run(command, messages, output, variables)
                    log += logged
                    if code:
                        staged = self._staged(destination, outcomes)
                        outcome = STOPS if staged is None else STAGED
                        return Seen(outcome, frozenset(staged or ()), log)
                    messages = output
            rows = destination.rows()
        for outcome, customers in outcomes.items():
            lost = losses(customers, rows)
            if lost is not None:
                return Seen(outcome, frozenset(lost), log)
        return Seen(OTHER, log=log)

    def _staged(
        self, destination: Destination, outcomes: dict[str, list[Row]]
    ) -> set[str] | None:
        """Look into what was to go to a service for which there is a poor stand-in."""
        if not self.target.is_tried_in_part or WHOLE not in outcomes:
            return None
        return losses(outcomes[WHOLE], destination.rows())

    def _commands(self, config: Path) -> Iterator[list[str]]:
        if self.target.mapper:
            venv, program, settings = self.target.mapper
            maps = config.with_name("mapper.json")
            maps.write_text(json.dumps(settings))
            yield [venv.program(program), "--config", str(maps)]
        yield self.target.command(config)

    def _run(
        self,
        command: list[str],
        source: Path,
        output: Path,
        variables: Mapping[str, str],
    ) -> tuple[int, str]:
        """Run a program, and return its exit code and what it logged."""
        folder = output.parent
        environment = {**_environment(folder), **variables}
        if program := FORKED.get(command[0]):
            log = output.with_suffix(".log")
            with _forking:
                code = forks.run(
                    *(program, command[1:], output, log),
                    source=source,
                    folder=folder,
                    environment=environment,
                )
            return code, log.read_text()
        with source.open() as lines, output.open("w") as printed:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=lines,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                env=environment,
            )
        return done.returncode, done.stderr


def _environment(folder: Path) -> dict[str, str]:
    """Return variables with which programs leave nothing outside of a folder.

    Some write into files that are named by the second, in a folder for temporary files,
    and append to those that an earlier load left there.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("XDG_")
    }
    return others | {
        "HOME": str(home),
        "TMPDIR": str(home),
        # Whoever writes local time is to be seen.
        "TZ": "Asia/Kolkata",
    }


def _wait_for_the_next_second() -> None:
    """Let no load share a second with the one before, as no two nights do.

    Some targets name files by the second, and S3 dates objects by it.
    """
    time.sleep(1 - time.time() % 1)
