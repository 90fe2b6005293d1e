from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.sdk.output import TOGETHER
from tests.running import TAP, Run, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Tap

SIGNALS = [signal.SIGTERM, signal.SIGINT]

PROMPTLY = 20
"""Seconds within which a run has to end, on a busy machine; all waits are longer."""


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave coverage out: its lock is held for good where a signal comes within it."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def start(tap: Tap) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(**settings: object) -> subprocess.Popen[bytes]:
        command = tap.command(**settings)
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def seen(sandbox: Sandbox, number: int) -> None:
    """Wait until the service has seen so many requests."""
    deadline = time.monotonic() + 60
    while len(sandbox.requests) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def asleep(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has used no CPU for half a second."""
    used = -1
    while True:
        with open(f"/proc/{process.pid}/stat") as stat:  # noqa: PTH123 (no path)
            fields = stat.read().rsplit(")", 1)[1].split()
        before, used = used, int(fields[11]) + int(fields[12])
        if used == before:
            return
        time.sleep(0.5)


def end(process: subprocess.Popen[bytes], signum: signal.Signals) -> Run:
    """Send a signal and read what is left."""
    sent = time.monotonic()
    process.send_signal(signum)
    output, log = process.communicate(timeout=30)
    assert time.monotonic() - sent < PROMPTLY
    return Run(process.returncode, parse(output), log.decode())


def check(run: Run, signum: signal.Signals) -> None:
    assert run.code == 128 + signum
    assert run.messages[-1]["type"] == "STATE"
    assert "Traceback" not in run.log
    assert f"Stopped by {signum.name}" in run.log


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_while_a_page_is_waited_for(
    sandbox: Sandbox, start: Callable[..., subprocess.Popen[bytes]], signum: int
) -> None:
    sandbox.script({3: faults.hang(60)})
    process = start(per_page=10)
    seen(sandbox, 3)
    run = end(process, signal.Signals(signum))
    check(run, signal.Signals(signum))
    assert len(run.records) == 20
    assert run.resume


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_while_a_retry_is_waited_for(
    sandbox: Sandbox, start: Callable[..., subprocess.Popen[bytes]], signum: int
) -> None:
    sandbox.script({3: faults.status(429, retry_after=300)})
    process = start(per_page=10)
    seen(sandbox, 3)
    asleep(process)
    run = end(process, signal.Signals(signum))
    check(run, signal.Signals(signum))
    assert run.resume


def test_a_signal_before_the_first_page(
    sandbox: Sandbox, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    sandbox.script({1: faults.hang(60)})
    process = start()
    seen(sandbox, 1)
    run = end(process, signal.SIGTERM)
    assert run.code == 128 + signal.SIGTERM
    assert [message["type"] for message in run.messages] == ["SCHEMA"]
    assert "Stopped by SIGTERM" in run.log


def test_a_signal_before_the_first_page_hands_on_the_state_that_was_given(
    sandbox: Sandbox, tap: Tap, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    state = tap.run().state
    sandbox.requests.clear()
    sandbox.script({1: faults.hang(60)})
    process = start(state=state)
    seen(sandbox, 1)
    run = end(process, signal.SIGTERM)
    check(run, signal.SIGTERM)
    assert run.state == state


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("maps", [None, {"customers": {"new": "uuid"}}])
def test_a_signal_while_the_pipe_is_full(
    tap_on: Callable[[Sandbox], Tap], signum: int, maps: object
) -> None:
    with Sandbox(generate_customers(2000, seed=1), rate_limit=None) as sandbox:
        settings = {} if maps is None else {"stream_maps": maps}
        process = subprocess.Popen(
            tap_on(sandbox).command(per_page=100, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        seen(sandbox, 1)
        asleep(process)
        assert process.poll() is None
        process.send_signal(signum)
        time.sleep(0.5)  # The reader is stuck: there is nothing the tap may do.
        assert process.poll() is None
        output, log = process.communicate(timeout=PROMPTLY)
    run = Run(process.returncode, parse(output), log.decode())
    check(run, signal.Signals(signum))
    assert 0 < len(run.records) < 2000


def test_a_second_signal_ends_a_run_whose_reader_is_stuck(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox(generate_customers(2000, seed=1), rate_limit=None) as sandbox:
        process = subprocess.Popen(
            tap_on(sandbox).command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            seen(sandbox, 1)
            asleep(process)
            process.send_signal(signal.SIGTERM)
            # On a busy machine it is noticed late, and from then on the time counts.
            time.sleep(4 * TOGETHER)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PROMPTLY) == 128 + signal.SIGTERM
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_signal_at_any_moment_of_a_quick_read(
    tap_on: Callable[[Sandbox], Tap], tmp_path: Path, unbuffered: str
) -> None:
    everyone = generate_customers(3000, seed=1)
    output = tmp_path / "output.jsonl"
    with Sandbox(everyone, rate_limit=None) as sandbox:
        sandbox.prerender(per_page=200)
        for number in range(1, 16, 3):
            sandbox.requests.clear()
            # So that no run comes to its end before the signal does.
            sandbox.script({number + 1: faults.hang(60)})
            with output.open("wb") as stdout:
                process = subprocess.Popen(
                    tap_on(sandbox).command(),
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
                )
                seen(sandbox, number)
                process.send_signal(signal.SIGTERM)
                _, log = process.communicate(timeout=PROMPTLY)
            run = Run(process.returncode, parse(output.read_bytes()), log.decode())
            assert run.code == 128 + signal.SIGTERM
            assert "Stopped by SIGTERM" in run.log
            if run.of_type("STATE") and run.resume:
                assert run.messages[-1]["type"] == "STATE"
                sandbox.requests.clear()
                sandbox.script({})
                rest = tap_on(sandbox).run(state=run.state)
                assert sandbox.requests[0].query["cursor"] == run.cursor
                everything = {customer["uuid"] for customer in sandbox.customers}
                assert set(run.uuids) | set(rest.uuids) == everything


def test_a_target_that_goes_away_ends_the_run_in_one_line(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox(generate_customers(2000, seed=1), rate_limit=None) as sandbox:
        process = subprocess.Popen(
            tap_on(sandbox).command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()
        assert process.wait(timeout=PROMPTLY) == 1
        process.stderr.close()
        assert len(sandbox.requests) < 8
    errors = [line for line in log.splitlines() if "ERROR" in line or "Exc" in line]
    assert len(errors) == 1
    assert "Standard output was closed by its reader" in errors[0]
    assert "Traceback" not in log
    assert "BrokenPipe" not in log


def test_a_signal_while_modules_are_imported_leaves_no_traceback(tap: Tap) -> None:
    process = subprocess.Popen(
        tap.command("--discover"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while "_rust" not in maps.read_text() and "msgspec" not in maps.read_text():
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert b"Traceback" not in log


def test_a_signal_while_discovery_reads_a_sample(sandbox: Sandbox, tap: Tap) -> None:
    sandbox.script({1: faults.hang(60)})
    process = subprocess.Popen(
        tap.command("--discover", custom_attributes_sample_size=1),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    seen(sandbox, 1)
    process.send_signal(signal.SIGTERM)
    output, log = process.communicate(timeout=PROMPTLY)
    assert process.returncode == 128 + signal.SIGTERM
    assert not output
    assert b"Traceback" not in log


@pytest.mark.parametrize("signals", [SIGNALS, SIGNALS[::-1]])
def test_two_signals_at_once_are_one(
    tap_on: Callable[[Sandbox], Tap], signals: list[signal.Signals]
) -> None:
    with Sandbox(generate_customers(2000, seed=1), rate_limit=None) as sandbox:
        process = subprocess.Popen(
            tap_on(sandbox).command(per_page=100),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        seen(sandbox, 1)
        asleep(process)
        for signum in signals:
            process.send_signal(signum)
        output, log = process.communicate(timeout=PROMPTLY)
    run = Run(process.returncode, parse(output), log.decode())
    assert run.code - 128 in signals
    assert run.messages[-1]["type"] == "STATE"
    assert 0 < len(run.records) < 2000


IN_DEL = """
import os, signal, sys
from tap_chartmogul_customers import __main__, stream

class Odd:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # Python calls the handler between two of these.
            pass

read = stream.RecordReader.read

def read_once(self, customer):
    if customer.uuid == uuid:
        Odd()
    return read(self, customer)

stream.RecordReader.read = read_once
uuid = sys.argv.pop()
__main__.main()
"""


def test_a_signal_within_a_finalizer_ends_the_run(sandbox: Sandbox, tap: Tap) -> None:
    uuid = sandbox.customers[25]["uuid"]
    arguments = tap.command(per_page=10)[len(TAP) :]
    done = subprocess.run(
        [sys.executable, "-c", IN_DEL, *arguments, uuid],
        capture_output=True,
        check=False,
    )
    run = Run(done.returncode, parse(done.stdout), done.stderr.decode())
    check(run, signal.SIGTERM)
    assert len(run.records) == 20
    assert "Exception ignored" not in run.log


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
def test_a_full_disk_is_said_in_one_line(tap: Tap, arguments: list[str]) -> None:
    done = in_shell(tap.command(*arguments), ">/dev/full")
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if "| INFO " not in line]
    assert "| ERROR " in error
    assert "Standard output cannot be written to: No space left on device" in error


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_a_log_that_nobody_takes_does_not_end_a_run(tap: Tap, streams: str) -> None:
    done = in_shell(tap.command(per_page=7), streams)
    assert done.returncode == 0
    run = Run(0, parse(done.stdout.encode()), "")
    assert run.uuids == [customer["uuid"] for customer in tap.sandbox.customers]


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
    assert "Standard output was closed by its reader" in error
