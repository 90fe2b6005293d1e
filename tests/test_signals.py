from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from singer_sdk.io_base import SingerWriter

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.running import Run, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Tap

SIGNALS = [signal.SIGTERM, signal.SIGINT]

PROMPTLY = 20
"""Seconds within which a run has to end, on a busy machine; all waits are longer."""


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
    check(run, signal.SIGTERM)
    assert run.state == {"bookmarks": {}}


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
        seen(sandbox, 1)
        asleep(process)
        process.send_signal(signal.SIGTERM)
        asleep(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PROMPTLY) == 128 + signal.SIGTERM
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
            check(run, signal.SIGTERM)
            if run.state["bookmarks"] and run.resume:
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
    assert "The target closed the pipe" in errors[0]
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


def test_a_signal_ends_a_tap_with_another_writer(tap: Tap) -> None:
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    try:
        config = {"api_key": "key", "api_url": tap.sandbox.url}
        TapChartMogulCustomers(config=config, message_writer=SingerWriter())
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
    assert ended.value.code == 128 + signal.SIGTERM
