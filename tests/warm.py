"""Runs pytest in forks of a process that has the libraries ready, for mutation testing.

A mutant is a change of a line, yet most of the time of its tests is spent on imports.
`python -m tests.warm SOCKET` imports all but the tap, and forks for each connection;
`python -S tests/warm.py SOCKET ARGUMENTS` is the client, which ends as pytest did.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.forks import Program

LONGEST = 300
"""Seconds that the tests of a mutant may take; what ends by it counts as noticed."""


def ask(path: str, arguments: Sequence[str]) -> int:
    """Have the server run pytest.

    Args:
        path: The server's socket.
        arguments: Those of pytest.

    Returns:
        Its exit code; 0 if the server has gone: a mutant whose tests did not run is
        none that they noticed, and is tried anew.
    """
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX) as client,
        client.makefile("rw") as stream,
    ):
        client.connect(path)
        stream.write(json.dumps(arguments) + "\n")
        stream.flush()
        return int(stream.readline() or 0)
    return 0


def _serve(path: str) -> None:
    """Answer each connection; a fork for the tests, or for the tap, returns by exit."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            client, _ = server.accept()
            with client, client.makefile("rw") as stream:
                arguments = json.loads(stream.readline())
                pid = os.fork()
                if pid == 0:
                    break
                stream.write(f"{_exit_code(pid)}\n")
    os.setsid()
    sys.exit(_tests(arguments))


def _exit_code(pid: int) -> int:
    """Wait for the tests, and leave nothing of them behind."""
    deadline = time.monotonic() + LONGEST
    ended, status = 0, 1
    while not ended and time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        os.waitpid(pid, 0)
        return 1
    return abs(os.waitstatus_to_exitcode(status))


def _tests(arguments: list[str]) -> int:
    from tests import forks  # noqa: PLC0415 (as the mutant has it)

    # The tap is a fork of this process too, which has the libraries it imports.
    server = _fork_of_taps(forks.TAP)
    forks._server = lambda _: server  # type: ignore[assignment]  # noqa: SLF001
    # The first example that fails will do, and few show what a mutant breaks.
    phases = [phase for phase in hypothesis.Phase if phase != hypothesis.Phase.shrink]
    hypothesis.settings.register_profile(
        "mutants", deadline=None, phases=phases, max_examples=20
    )
    options = ["-Wignore:Module already imported", "--hypothesis-profile=mutants"]
    options += arguments
    return int(pytest.main(options, plugins=[_QuickFirst()]))


class _QuickFirst:
    """Lets tests that run no program go first: most mutants fail one of them."""

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        programs = {"tap", "tap_on", "project"}
        items.sort(key=lambda item: not programs.isdisjoint(item.fixturenames))


def _fork_of_taps(tap: Program) -> SimpleNamespace:
    """Start what `python -m tests.forks` is, once it is asked for the first time."""
    there, here = socket.socketpair()
    if os.fork() == 0:
        here.close()
        select.select([there], [], [])
        os.dup2(there.fileno(), 0)
        os.dup2(there.fileno(), 1)
        sys.argv[1:] = [tap.main, *tap.modules]
        del sys.modules["tests.forks"]
        runpy.run_module("tests.forks", run_name="__main__")
        sys.exit()
    there.close()
    return SimpleNamespace(
        stdin=here.makefile("wb"), stdout=here.makefile("rb"), socket=here
    )


if __name__ == "__main__" and sys.argv[2:]:
    sys.exit(ask(sys.argv[1], sys.argv[2:]))

if __name__ == "__main__":
    import gc
    import importlib.metadata
    import runpy

    import aiohttp.web  # noqa: F401 (as are the next ones: for the forks)
    import backoff  # noqa: F401
    import hypothesis.strategies
    import pendulum  # noqa: F401
    import pytest
    import singer_sdk.typing  # noqa: F401
    import trustme  # noqa: F401
    import yaml  # noqa: F401

    import sandbox  # noqa: F401

    for plugin in importlib.metadata.entry_points(group="pytest11"):
        plugin.load()
    # Else each fork looks through all of this, a few times, for what to collect.
    gc.freeze()
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    _serve(sys.argv[1])
