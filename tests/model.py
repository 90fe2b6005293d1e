"""The tap in this process, for speed, and a model of a target that deletes rows.

The model does what the SDK's targets do.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from unittest.mock import patch

from tap_chartmogul_customers.__main__ import main
from tap_chartmogul_customers.api import pace
from tests.turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator


class _ExitError(BaseException):
    """The end of the tap's process: it has no say in it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Row(NamedTuple):
    """A row of the table, by a name that tells each change of a customer."""

    run: int
    """The run of the tap that it came from."""
    version: int | None
    name: str


class Interruption(NamedTuple):
    """What interrupts tap or target, and how soon the target writes."""

    event: str | None
    """`tap terminated`, `tap killed` or `target killed`."""
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

    def write(self, data: memoryview) -> int:
        """Take a line, unless that is when it happens."""
        if self._dead:
            raise BrokenPipeError
        if not self._happened and len(self.types) == self.interruption.at_line:
            self._happened = True
            match self.interruption.event:
                case "tap terminated":
                    signal.raise_signal(signal.SIGTERM)
                case "tap killed":
                    _exit(-signal.SIGKILL)
                case "target killed":
                    self._dead = True
                    raise BrokenPipeError
        line = bytes(data).partition(b"\n")[0]
        size = min(len(line) + 1, len(data))
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


def run_tap(target: Target, *arguments: str, seed: int) -> int:
    """Run the tap's program with its output to a target.

    Args:
        target: The target.
        arguments: The command line.
        seed: Of the order in which pages come.

    Returns:
        Its exit code.
    """
    with (
        # Until whatever holds a connection is gone.
        process_left_as_it_was(),
        patch.object(pace, "MOST_A_SECOND", 10**6),
        patch.object(pace, "FIRST_WAIT", 0),
        in_turns(seed),
        # Nor is it searched for proxies for each request, which takes half the time.
        patch.dict(os.environ, clear=True),
        patch.object(os, "_exit", _exit),
        patch.object(sys, "stdout", SimpleNamespace(buffer=target, flush=lambda: None)),
        patch.object(sys, "argv", ["tap", *arguments]),
    ):
        try:
            main()
        except _ExitError as error:
            code = error.code
    target.end()
    return code


def _exit(code: int) -> NoReturn:
    raise _ExitError(code)


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
        gc.collect()
        gc.unfreeze()
        logging.root.handlers[:] = log
        for signum, handler in signals.items():
            signal.signal(signum, handler)
