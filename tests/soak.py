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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sandbox import API_KEY, generate_customers
from sandbox.cursors import position_of
from tests.running import TAP

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL, LARGE = 5_000, 200_000
MOST_GROWTH = 1.10


def main() -> int:
    """Read both accounts whole and return 0, if in memory that did not grow."""
    growth = soak(LARGE) / soak(SMALL) - 1
    sys.stdout.write(f"Memory: {growth:+.1%}\n")
    return int(growth > MOST_GROWTH - 1)


def soak(customers: int) -> float:
    """Let the tap read an account to its end, and return its peak memory in MiB."""
    account = sorted(generate_customers(customers), key=position_of)
    expected = [customer["uuid"] for customer in account]
    del account  # The sandbox needs the memory.
    with sandbox(customers) as url, TemporaryDirectory() as folder:
        config, log = Path(folder, "config.json"), Path(folder, "log")
        config.write_text(json.dumps({"api_url": url, "api_key": API_KEY}))
        started, read, peak = time.monotonic(), 0, 0.0
        with (
            log.open("w") as errors,
            subprocess.Popen(
                [*TAP, "--config", config], stdout=subprocess.PIPE, stderr=errors
            ) as tap,
        ):
            assert tap.stdout
            for line in tap.stdout:
                message = json.loads(line)
                if message["type"] == "RECORD":
                    assert message["record"]["uuid"] == expected[read]
                    read += 1
                elif message["type"] == "STATE":
                    peak = peak_of(tap.pid) or peak
        seconds = time.monotonic() - started
        assert (tap.returncode, read) == (0, customers), log.read_text()[-2000:]
        (retries,) = re.findall(r"with ([\d,]+) retr", log.read_text())
    sys.stdout.write(
        f"{customers:,} customers: {seconds:.1f} s, {retries} retries, {peak:.1f} MiB\n"
    )
    return peak


@contextmanager
def sandbox(customers: int) -> Iterator[str]:
    """Run the sandbox as a program, and return its URL."""
    options = f"--customers={customers} --prerender=200 --fault-every=10"
    command = [sys.executable, "-m", "sandbox", *options.split()]
    command += ["--port=0", "--latency=0", "--rate-limit=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            yield program.stdout.readline().strip()
        finally:
            program.terminate()


def peak_of(pid: int) -> float | None:
    """Return the peak memory of a process in MiB, unless it is at its end.

    Not from `wait4`: there a child starts with the peak of its parent.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else None


if __name__ == "__main__":
    sys.exit(main())
