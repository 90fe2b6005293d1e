"""Standard output and standard error that are closed, full, slow or no pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.running import TAP, Run, parse
from tests.test_signals import PROMPTLY, asleep, check, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Tap


@pytest.fixture
def many(tap_on: Callable[[Sandbox], Tap]) -> Iterator[Tap]:
    """Return a tap on an account with more customers than a pipe holds."""
    with Sandbox(generate_customers(1000, seed=1), rate_limit=None) as sandbox:
        yield tap_on(sandbox)


def in_shell(command: list[str], streams: str) -> subprocess.CompletedProcess[str]:
    """Run a command with its streams as a shell redirects them."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {streams}', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [[], ["--discover"], ["--about"]])
@pytest.mark.parametrize(
    ("streams", "says"),
    [
        (">&-", "Standard output is closed"),
        ("<&- >&-", "Standard output is closed"),
        (">/dev/full", "Standard output cannot be written to: No space left on device"),
    ],
)
def test_standard_output_that_takes_nothing_is_said_in_one_line(
    tap: Tap, arguments: list[str], streams: str, says: str
) -> None:
    done = in_shell(tap.command(*arguments), streams)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if "| INFO " not in line]
    assert error.endswith(says)
    assert "| ERROR " in error


def test_nothing_follows_a_line_that_a_full_disk_has_cut(many: Tap) -> None:
    output = many.folder / "output.jsonl"
    command = ["bash", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "bash"]
    with output.open("wb") as stdout:
        done = subprocess.run(
            [*command, *many.command(per_page=100)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if "| ERROR " in line]
    assert "Standard output cannot be written to: File too large" in error
    whole, _, cut = output.read_bytes().rpartition(b"\n")
    assert cut
    assert b"\n" not in cut
    assert parse(whole + b"\n")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_a_log_that_nobody_takes_does_not_end_a_run(tap: Tap, streams: str) -> None:
    done = in_shell(tap.command(per_page=7), streams)
    assert done.returncode == 0
    run = Run(0, parse(done.stdout.encode()), "")
    assert run.uuids == [customer["uuid"] for customer in tap.sandbox.customers]


def test_no_connection_takes_the_number_of_a_stream_that_is_closed(tap: Tap) -> None:
    tap.sandbox.script({1: faults.hang(60)})
    command = ["/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh", *tap.command()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        seen(tap.sandbox, 1)
        streams = [Path(f"/proc/{process.pid}/fd/{number}") for number in (0, 2)]
        opened = [os.path.realpath(stream) for stream in streams]
        process.kill()
    assert opened == [os.devnull, os.devnull]


def test_a_log_whose_reader_went_away_does_not_end_a_run(tap: Tap) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        tap.command(), stdout=subprocess.PIPE, stderr=writing, check=False
    )
    os.close(writing)
    assert done.returncode == 0
    assert len(Run(0, parse(done.stdout), "").records) == 60


def non_blocking(descriptor: int) -> int:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    return descriptor


def test_waits_for_the_reader_of_a_non_blocking_pipe(many: Tap) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        many.command(per_page=100), stdout=non_blocking(writing), stderr=subprocess.PIPE
    )
    os.close(writing)
    seen(many.sandbox, 1)
    asleep(process)
    with os.fdopen(reading, "rb") as pipe:
        messages = parse(pipe.read())
    _, log = process.communicate(timeout=PROMPTLY)
    assert process.returncode == 0
    run = Run(0, messages, log.decode())
    assert run.uuids == [customer["uuid"] for customer in many.sandbox.customers]
    assert not run.errors


def test_discovers_into_a_non_blocking_pipe(tap: Tap) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(tap.command("--discover"), stdout=non_blocking(writing))
    os.close(writing)
    asleep(process)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    assert process.wait(timeout=PROMPTLY) == 0
    assert text == tap.output("--discover")


def test_a_signal_while_a_non_blocking_pipe_is_full(many: Tap) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        many.command(per_page=100), stdout=non_blocking(writing), stderr=subprocess.PIPE
    )
    os.close(writing)
    seen(many.sandbox, 1)
    asleep(process)
    process.send_signal(signal.SIGTERM)
    asleep(process)
    assert process.poll() is None
    with os.fdopen(reading, "rb") as pipe:
        messages = parse(pipe.read())
    _, log = process.communicate(timeout=PROMPTLY)
    run = Run(process.returncode, messages, log.decode())
    check(run, signal.SIGTERM)
    assert 0 < len(run.records) < 1000


def test_a_second_signal_while_a_non_blocking_pipe_is_full(many: Tap) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        many.command(), stdout=non_blocking(writing), stderr=subprocess.DEVNULL
    )
    os.close(writing)
    seen(many.sandbox, 1)
    asleep(process)
    process.send_signal(signal.SIGTERM)
    asleep(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PROMPTLY) == 128 + signal.SIGTERM
    os.close(reading)


def test_writes_into_a_socket(many: Tap) -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(many.command(), stdout=non_blocking(theirs.fileno()))
    theirs.close()
    with ours, ours.makefile("rb") as stream:
        messages = parse(stream.read())
    assert process.wait(timeout=PROMPTLY) == 0
    assert len(Run(0, messages, "").records) == 1000


def test_a_socket_whose_reader_goes_away_ends_the_run_in_one_line(many: Tap) -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        many.command(), stdout=theirs.fileno(), stderr=subprocess.PIPE, text=True
    )
    theirs.close()
    ours.recv(1)
    ours.close()
    _, log = process.communicate(timeout=PROMPTLY)
    assert process.returncode == 1
    (error,) = [line for line in log.splitlines() if "| INFO " not in line]
    assert "The target closed the pipe" in error


def test_writes_to_a_terminal(tap: Tap) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(tap.command(), stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    parts: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # how the end of a terminal is told
            return

    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(timeout=PROMPTLY) == 0
    reader.join()
    os.close(ours)
    text = b"".join(parts).replace(b"\r\n", b"\n")
    assert len(Run(0, parse(text), "").records) == 60


def test_a_reader_of_discovery_that_goes_away_is_said_in_one_line() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*TAP, "--discover"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    (error,) = done.stderr.splitlines()
    assert "The target closed the pipe" in error
