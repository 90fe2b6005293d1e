"""The tap in this process, for speed, and a model of a target that deletes rows.

The model does what the SDK's targets do.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from unittest.mock import patch

from tap_chartmogul_customers import output
from tap_chartmogul_customers.__main__ import main
from tap_chartmogul_customers.api import pace, retries
from tap_chartmogul_customers.output import StandardOutput
from tests.turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator


class KilledError(BaseException):
    """The end of the tap by SIGKILL: it has no say in it."""


class Row(NamedTuple):
    """A row of the table, by a name that tells each change of a customer."""

    run: int
    """The run of the tap that it came from."""
    version: int | None
    name: str


class Interruption(NamedTuple):
    """What interrupts tap or target, and how soon the target writes."""

    event: Literal["tap terminated", "tap killed", "target killed"] | None
    at_line: int
    """It comes after so many lines."""
    batch: int
    """Rows that the target writes together."""
    aged_at: int
    """The row with which it finds that the first one has waited too long."""


@dataclass
class Target:
    """The tap's standard output, and the target that reads it.

    Rows wait for their batch to be full. At the end of its input, or when they have
    waited too long, the target writes all of them, and prints the state. A killed one,
    or one that reads half a line, does neither.
    """

    table: dict[str, Row]
    """The rows by uuid; it is changed."""
    interruption: Interruption
    run: int
    line: bytes = b""
    types: list[str] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)
    version: int | None = None
    printed: dict[str, Any] | None = None
    _happened: bool = False
    _dead: bool = False
    _latest: dict[str, Any] | None = None
    _pending: dict[str, Row] = field(default_factory=dict)

    def write(self, data: bytes) -> int:
        """Take a line, unless that is when it happens."""
        if self._dead:
            raise BrokenPipeError
        if not self._happened and len(self.types) == self.interruption.at_line:
            self._happened = True
            match self.interruption.event:
                case "tap terminated":
                    signal.raise_signal(signal.SIGTERM)
                case "tap killed":
                    raise KilledError
                case "target killed":
                    self._dead = True
                    raise BrokenPipeError
        size = data.find(b"\n") + 1 or len(data)
        self.line += data[:size]
        if self.line.endswith(b"\n"):
            self._process(json.loads(self.line))
            self.line = b""
        return size

    def end(self) -> None:
        """Come to the end of the input."""
        if not (self._dead or self.line):
            self._drain_and_print()

    def _process(self, message: dict[str, Any]) -> None:
        self.types.append(message["type"])
        match message["type"]:
            case "RECORD":
                record, self.version = message["record"], message.get("version")
                uuid = record["uuid"]
                self.uuids.append(uuid)
                self._pending[uuid] = Row(self.run, self.version, record["name"])
                if len(self._pending) >= self.interruption.batch:
                    self._drain()
                if len(self.uuids) == self.interruption.aged_at:
                    self._drain_and_print()
            case "STATE":
                self._latest = message["value"]
            case "ACTIVATE_VERSION":
                self._drain()
                for uuid, row in [*self.table.items()]:
                    if row.version is None or row.version < message["version"]:
                        del self.table[uuid]

    def _drain(self) -> None:
        self.table.update(self._pending)
        self._pending.clear()

    def _drain_and_print(self) -> None:
        self._drain()
        # The SDK does not print an empty state.
        self.printed = self._latest or self.printed


class Pipe(io.FileIO):
    """What is below the tap's standard output: here, a pipe to a target."""

    target: Target

    def write(self, data: Any, /) -> int:
        copy = bytes(data)
        # Nor does a real pipe hold it when it fails.
        del data
        return self.target.write(copy)


class OutputToTarget(StandardOutput, Pipe):
    """The tap's own standard output, on such a pipe."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target


def run_tap(target: Target, *arguments: str, seed: int) -> int:
    """Run the tap's program with its output to a target.

    Args:
        target: The target.
        arguments: The command line.
        seed: Of the order in which ranges are read.

    Returns:
        Its exit code.
    """
    code: object = None
    with (
        # Until the last thread has ended.
        without_waits(),
        process_left_as_it_was(),
        in_turns(seed),
        patch.object(output, "StandardOutput", lambda: OutputToTarget(target)),
        patch.object(sys, "argv", ["tap", *arguments]),
    ):
        try:
            main()
        except SystemExit as error:
            code = error.code
        except KilledError:
            code = -signal.SIGKILL
    target.end()
    assert isinstance(code, int | None)
    return code or 0


@contextmanager
def without_waits() -> Iterator[None]:
    """Let nothing be waited for."""
    with (
        patch.object(pace, "MOST_A_SECOND", 10**6),
        patch.object(retries, "FIRST_WAIT", 0),
    ):
        yield


@contextmanager
def process_left_as_it_was() -> Iterator[None]:
    """Undo what a program need not undo itself."""
    signals = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    log = [*logging.root.handlers]
    # So that collecting garbage below does not look at all that was there before.
    gc.freeze()
    try:
        yield
    finally:
        logging.root.handlers[:] = log
        for signum, handler in signals.items():
            signal.signal(signum, handler)
        gc.unfreeze()
