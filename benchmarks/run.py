"""One run of one program, with a target that reads what it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from benchmarks.scenarios import PER_PAGE

if TYPE_CHECKING:
    from pathlib import Path

# What Python's own standard input reads at once.
_READ_SIZE = 8192
# A target works on a few records, then reads on; it does not swallow a page and rest.
_WORKS_ON = 20
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_MEBIBYTE = 2**20


class Cost(NamedTuple):
    """What a run cost.

    Args:
        cpu: CPU time in user and system mode, seconds.
        wall: Time from its start to its end, seconds.
        peak: The most memory that was resident, MiB.
    """

    cpu: float
    wall: float
    peak: float


class RunFailedError(RuntimeError):
    """A program that delivered too few customers; there is nothing to compare."""


def run(command: list[str], *, customers: int, pause: float, log: Path) -> Cost:
    """Run a program to its end.

    The memory of this process counts as the program's until that has started, so
    whoever calls this must stay small.

    Args:
        command: The program and its arguments.
        customers: How many customers it must deliver; one may come twice.
        pause: Seconds that its target needs for a page of customers.
        log: A file for what it writes to standard error.

    Returns:
        What it cost.

    Raises:
        RunFailedError: It failed, or delivered fewer customers.
    """
    start = time.monotonic()
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - no part of the command comes from outside
            command, stdout=subprocess.PIPE, stderr=errors, bufsize=_READ_SIZE
        ) as process,
    ):
        delivered = _read(cast("IO[bytes]", process.stdout), pause)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or delivered < customers:
        msg = (
            f"{command}: exit code {process.returncode}, "
            f"{delivered} of {customers} customers\n{log.read_text()[-2000:]}"
        )
        raise RunFailedError(msg)
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu, wall, usage.ru_maxrss * _MAXRSS_UNIT / _MEBIBYTE)


def _read(lines: IO[bytes], pause: float) -> int:
    """Read messages as a target does; return how many records there were."""
    records = 0
    for line in lines:
        if b'"RECORD"' in line[:20]:
            records += 1
            if pause and records % _WORKS_ON == 0:
                time.sleep(pause * _WORKS_ON / PER_PAGE)
    return records
