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
    """A row of the table, and what wrote it."""

    run: int
    version: int | None


@dataclass
class Target:
    """The tap's standard output, and the target that reads it.

    Rows wait for their batch to be full. Then, and at the end of its input, the target
    writes all of them, and prints the state. A killed one, or one that reads half a
    line, does neither.
    """

    table: dict[str, Row]
    """The rows by uuid; it is changed."""
    run: int
    batch: int
    event: str | None
    """What interrupts: `tap terminated`, `tap killed` or `target killed`."""
    at_line: int
    """It comes after so many lines."""
    line: bytes = b""
    types: list[str] = field(default_factory=list)
    version: int | None = None
    printed: dict[str, Any] | None = None
    _dead: bool = False
    _latest: dict[str, Any] | None = None
    _pending: dict[str, Row] = field(default_factory=dict)

    def write(self, data: memoryview) -> int:
        """Take a line, unless that is when it happens."""
        if self.event and len(self.types) == self.at_line:
            event, self.event = self.event, None
            if event == "tap terminated":
                signal.raise_signal(signal.SIGTERM)
            elif event == "tap killed":
                _exit(-signal.SIGKILL)
            else:
                self._dead = True
        if self._dead:
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
            self._drain()

    def _process(self, message: dict[str, Any]) -> None:
        self.types.append(message["type"])
        match message["type"]:
            case "RECORD":
                record, self.version = message["record"], message.get("version")
                self._pending[record["uuid"]] = Row(self.run, self.version)
                if len(self._pending) >= self.batch:
                    self._drain()
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
        self.printed = self._latest


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
        _process_left_as_it_was(),
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
def _process_left_as_it_was() -> Iterator[None]:
    """Undo what a program need not undo itself."""
    signals = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    log = [*logging.root.handlers]
    # So that collecting garbage below does not look at all that was there before.
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()  # Until whatever holds a connection is gone.
        gc.unfreeze()
        logging.root.handlers[:] = log
        for signum, handler in signals.items():
            signal.signal(signum, handler)
