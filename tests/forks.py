"""Starts programs in a tenth of the time: by a fork of one that is ready.

`python -m tests.forks MAIN MODULE…` imports the modules, has a single thread, and forks
for each line it reads. A fork is a process like any other, with arguments, environment,
working directory, streams and an exit code of its own; it calls MAIN, as the program's
script does, and ends as that does, but leaves its memory as it is.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]


class Program(NamedTuple):
    """A program that tests start often, and what is imported once for all forks."""

    script: Path
    main: str
    modules: tuple[str, ...]


TAP = Program(
    Path(sys.executable).with_name("tap-chartmogul-customers"),
    "tap_chartmogul_customers.__main__:main",
    ("tap_chartmogul_customers.tap",),
)
MELTANO = Program(
    ROOT / ".venv-meltano/bin/meltano",
    "meltano.cli:main",
    ("meltano.cli", "alembic.command"),
)
TARGET_POSTGRES = Program(
    ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres",
    "target_postgres.target:TargetPostgres.cli",
    ("target_postgres.target", "sqlalchemy.dialects.postgresql.psycopg"),
)


@cache
def _server(program: Program) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [
            *(program.script.with_name("python"), "-m", __name__),
            *(program.main, *program.modules),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(server.communicate)  # It ends with its standard input.
    return server


def run(  # noqa: PLR0913 (what a process is started with)
    program: Program,
    arguments: Sequence[str],
    output: Path,
    log: Path,
    *,
    source: Path = Path(os.devnull),
    folder: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    first_wait: float | None = None,
) -> int:
    """Run a program to its end, and return its exit code, below 0 for a signal.

    `first_wait`, the seconds before the tap tries a request again, is the one thing in
    which it is not what users run.
    """
    start = {
        "arguments": arguments,
        "environment": dict(environment),
        "folder": str(folder or Path.cwd()),
        "streams": [str(source), str(output), str(log)],
        "first_wait": first_wait,
    }
    server = _server(program)
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps(start).encode() + b"\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def _become(start: dict[str, Any]) -> None:
    """Turn this process into one that was started so."""
    os.environ.clear()
    os.environ.update(start["environment"])
    time.tzset()
    os.chdir(start["folder"])
    source, *written = start["streams"]
    os.dup2(os.open(source, os.O_RDONLY), 0)
    for number, path in enumerate(written, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv[1:] = start["arguments"]
    if start["first_wait"] is not None:
        from tap_chartmogul_customers.api import pace  # noqa: PLC0415 (the tap's)

        pace.FIRST_WAIT = start["first_wait"]


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


def _exit(code: object) -> NoReturn:
    """Do what the interpreter does at its end, but free no memory.

    To free what is shared with the server, it would have to be copied first.
    """
    if isinstance(code, str):
        sys.exit(code)
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 (waits for them)
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    assert isinstance(code, int | None)
    os._exit(code or 0)


if __name__ == "__main__":
    name, *modules = sys.argv[1:]
    for module in modules:
        import_module(module)
    # Whoever interrupts the tests interrupts the forks, not this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve()
    try:
        code = resolve_name(name)()
    except SystemExit as end:
        code = end.code
    _exit(code)
