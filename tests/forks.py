"""Starts the tap as a program in a tenth of the time: by a fork of one that is ready.

`python -m tests.forks` imports the tap, has a single thread, and forks for each line it
reads. A fork is a process like any other, with arguments, environment, working
directory, streams and an exit code of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.api import retries

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def _server() -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    # It ends with its standard input.
    atexit.register(server.communicate)
    return server


def run(arguments: Sequence[str], output: Path, log: Path, *, first_wait: float) -> int:
    """Run the tap to its end.

    Args:
        arguments: Its command line, without the program.
        output: The file that its standard output goes to.
        log: The file that its standard error goes to.
        first_wait: Seconds before a request is tried again; the one thing in which it
            is not the program that users run.

    Returns:
        Its exit code; minus the signal's number if one ended it.
    """
    start = {
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "output": str(output),
        "log": str(log),
        "first_wait": first_wait,
    }
    server = _server()
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(start).encode() + b"\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def _become(start: dict[str, Any]) -> None:
    """Turn this process into one that was started so."""
    os.environ.clear()
    os.environ.update(start["environment"])
    os.chdir(start["folder"])
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(start["output"], create), 1)
    os.dup2(os.open(start["log"], create), 2)
    sys.argv[1:] = start["arguments"]
    retries.FIRST_WAIT = start["first_wait"]


def _serve() -> None:
    """Fork for each line; the fork returns."""
    # Else a fork that collects garbage, as each does at its end, writes to all that it
    # shares with this process, and so has it copied: two thirds of its time.
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
            return
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    sys.exit()


if __name__ == "__main__":
    import tap_chartmogul_customers.tap  # noqa: F401 (imported once for all forks)
    from tap_chartmogul_customers.__main__ import main

    # Whoever interrupts the tests interrupts the forks, not this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve()
    main()
