from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.sdk.output import TOGETHER
from tests.running import Run, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Tap

SIGTERM, SIGINT = signal.SIGTERM, signal.SIGINT

PROMPTLY = 20
"""Seconds within which a run has to end, on a busy machine; all waits are longer."""


@pytest.fixture
def large(tap_on: Callable[[Sandbox], Tap]) -> Iterator[Tap]:
    """Return the tap on an account that has no room in a pipe."""
    with Sandbox(generate_customers(2000, seed=1), rate_limit=None) as sandbox:
        yield tap_on(sandbox)


def start(tap: Tap, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
    # Without coverage, whose lock is held for good where a signal comes within it.
    environment = {k: v for k, v in os.environ.items() if "COVERAGE" not in k}
    return subprocess.Popen(
        tap.command(*arguments, **options),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


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
        stat = Path(f"/proc/{process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        before, used = used, int(fields[11]) + int(fields[12])
        if used == before:
            return
        time.sleep(0.5)


def end(process: subprocess.Popen[bytes], *signals: signal.Signals) -> Run:
    """Send signals, which must end the run, and read what is left."""
    for signum in signals:
        process.send_signal(signum)
    output, log = process.communicate(timeout=PROMPTLY)
    run = Run(process.returncode, parse(output), log.decode())
    assert run.code - 128 in signals
    assert "Traceback" not in run.log
    assert f"Stopped by {signal.Signals(run.code - 128).name}" in run.log
    return run


@pytest.mark.parametrize("signum", [SIGTERM, SIGINT])
def test_a_signal_while_a_page_is_waited_for(
    sandbox: Sandbox, tap: Tap, signum: signal.Signals
) -> None:
    sandbox.script({3: faults.hang(60)})
    with start(tap, per_page=10) as process:
        seen(sandbox, 3)
        run = end(process, signum)
    assert len(run.records) == 20
    assert run.messages[-1]["type"] == "STATE"
    assert run.resume


def test_a_signal_while_a_retry_is_waited_for(sandbox: Sandbox, tap: Tap) -> None:
    sandbox.script({3: faults.status(429, retry_after=300)})
    with start(tap, per_page=10) as process:
        seen(sandbox, 3)
        asleep(process)
        run = end(process, SIGTERM)
    assert run.messages[-1]["type"] == "STATE"
    assert run.resume


def test_a_signal_before_the_first_page_hands_on_the_state_that_was_given(
    sandbox: Sandbox, tap: Tap
) -> None:
    state = tap.run().state
    sandbox.requests.clear()
    sandbox.script({1: faults.hang(60)})
    with start(tap, state=state) as process:
        seen(sandbox, 1)
        run = end(process, SIGTERM)
    assert not run.records
    assert run.messages[-1] == {"type": "STATE", "value": state}


# Ctrl-C under Meltano sends two; a container often has no buffer.
@pytest.mark.parametrize(
    ("signals", "unbuffered"), [([SIGTERM], ""), ([SIGINT, SIGTERM], "1")]
)
def test_a_signal_while_the_pipe_is_full(
    large: Tap,
    monkeypatch: pytest.MonkeyPatch,
    signals: list[signal.Signals],
    unbuffered: str,
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with start(large, per_page=100) as process:
        seen(large.sandbox, 1)
        asleep(process)
        assert process.poll() is None
        run = end(process, *signals)
    assert run.messages[-1]["type"] == "STATE"
    assert 0 < len(run.records) < 2000


def test_a_second_signal_ends_a_run_whose_reader_is_stuck(large: Tap) -> None:
    with start(large) as process:
        seen(large.sandbox, 1)
        asleep(process)
        process.send_signal(SIGTERM)
        # On a busy machine it is noticed late, and from then on the time counts.
        time.sleep(4 * TOGETHER)
        assert process.poll() is None
        process.send_signal(SIGTERM)
        assert process.wait(timeout=PROMPTLY) == 128 + SIGTERM


def test_a_target_that_goes_away_ends_the_run_in_one_line(large: Tap) -> None:
    with start(large) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()
    assert process.returncode == 1
    assert len(large.sandbox.requests) < 8
    errors = [line for line in log.splitlines() if "| INFO " not in line]
    assert len(errors) == 1
    assert "Standard output was closed by its reader" in errors[0]


def test_a_signal_while_modules_are_imported_leaves_no_traceback(tap: Tap) -> None:
    with start(tap, "--discover") as process:
        maps = Path(f"/proc/{process.pid}/maps")
        while "_rust" not in maps.read_text() and "msgspec" not in maps.read_text():
            time.sleep(0.001)
        process.send_signal(SIGINT)
        _, log = process.communicate(timeout=PROMPTLY)
    assert process.returncode == -SIGINT
    assert b"Traceback" not in log


def test_a_signal_while_discovery_reads_a_sample(sandbox: Sandbox, tap: Tap) -> None:
    sandbox.script({1: faults.hang(60)})
    with start(tap, "--discover", custom_attributes_sample_size=1) as process:
        seen(sandbox, 1)
        run = end(process, SIGTERM)
    assert not run.messages


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
