"""`make soak`: a large account, read under faults to the last customer, in flat memory.

One request in ten fails. The tap's peak memory is compared with that for a small
account. Linux alone: the peak is read from `/proc`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, NamedTuple

import msgspec

from sandbox import API_KEY, generate_customers
from sandbox.cursors import position_of
from tests.running import TAP

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL, LARGE = 5_000, 200_000
MOST_GROWTH = 1.10


class Soak(NamedTuple):
    """What one read came to."""

    customers: int
    complete: bool
    seconds: float
    retries: str
    peak: float
    """In MiB."""

    def __str__(self) -> str:
        complete = "yes" if self.complete else "NO"
        return (
            f"{self.customers:9,}  {complete:>8}  {self.seconds:7.1f}  "
            f"{self.retries:>7}  {self.peak:8.1f}"
        )


class _Record(msgspec.Struct):
    uuid: str


class _Message(msgspec.Struct):
    type: str
    record: _Record | None = None


def main() -> int:
    """Read both accounts and print the figures.

    Returns:
        The exit code: 0 if both were read whole, in memory that did not grow.
    """
    small, large = soak(SMALL), soak(LARGE)
    growth = large.peak / small.peak
    sys.stdout.write(
        "customers  complete  seconds  retries  peak MiB\n"
        f"{small}\n{large}\nMemory: {growth - 1:+.1%}\n"
    )
    return int(not (small.complete and large.complete) or growth > MOST_GROWTH)


def soak(customers: int) -> Soak:
    """Let the tap read an account.

    Args:
        customers: How many it has.

    Returns:
        What it came to.
    """
    account = sorted(generate_customers(customers), key=position_of)
    uuids = [customer["uuid"] for customer in account]
    # The sandbox needs the memory.
    del account
    with sandbox(customers) as url, TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps({"api_url": url, "api_key": API_KEY}))
        with Path(folder, "log").open("w+") as log:
            started = time.monotonic()
            with subprocess.Popen(
                [*TAP, "--config", config], stdout=subprocess.PIPE, stderr=log
            ) as tap:
                assert tap.stdout
                peak = Peak(tap.pid)
                complete = all(
                    read == uuid
                    for read, uuid in zip_longest(read_uuids(tap.stdout, peak), uuids)
                )
            seconds = time.monotonic() - started
            log.seek(0)
            said = re.search(r"with ([\d,]+) retr", log.read())
    return Soak(
        customers,
        complete and tap.returncode == 0,
        seconds,
        said[1] if said else "?",
        peak.mebibytes,
    )


@contextmanager
def sandbox(customers: int) -> Iterator[str]:
    """Run the sandbox as a program, and return its URL."""
    options = {
        "--customers": customers,
        "--port": 0,
        "--latency": 0,
        "--rate-limit": 0,
        "--prerender": 200,
        "--fault-every": 10,
    }
    command = [sys.executable, "-m", "sandbox", *map(str, sum(options.items(), ()))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            yield program.stdout.readline().strip()
        finally:
            program.terminate()


class Peak:
    """The peak memory of a process, as last seen while it ran.

    Not from `wait4`: there a child starts with the peak of its parent.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.mebibytes = 0.0
        self.look()

    def look(self) -> None:
        """See what it is now."""
        found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
        self.mebibytes = int(found[1]) / 1024 if found else self.mebibytes


def read_uuids(output: IO[bytes], peak: Peak) -> Iterator[str]:
    """Read the tap's records, looking at its memory after each page."""
    decode = msgspec.json.Decoder(_Message).decode
    for line in output:
        message = decode(line)
        if message.record:
            yield message.record.uuid
        elif message.type == "STATE":
            peak.look()


if __name__ == "__main__":
    sys.exit(main())
