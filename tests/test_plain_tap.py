"""What README says of a tap from the SDK's template is so of the one in benchmarks/."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.running import Run, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.faults import Fault


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_customers(450, seed=1), rate_limit=None) as sandbox:
        yield sandbox


def start(sandbox: Sandbox, folder: Path) -> subprocess.Popen[bytes]:
    config = folder / "config.json"
    settings = {
        "api_key": sandbox.api_key,
        "api_url": sandbox.url,
        "emit_activate_version_messages": True,
    }
    config.write_text(json.dumps(settings))
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plain_tap", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: subprocess.Popen[bytes]) -> Run:
    output, log = process.communicate(timeout=60)
    return Run(process.returncode, parse(output), log.decode())


@pytest.mark.parametrize(
    "fault",
    [faults.empty_page(), faults.without("cursor"), faults.with_values(cursor=None)],
)
def test_a_plain_tap_ends_quietly_before_the_last_customer(
    sandbox: Sandbox, tmp_path: Path, fault: Fault
) -> None:
    sandbox.script({2: fault})
    run = end(start(sandbox, tmp_path))
    assert run.code == 0
    assert 0 < len(run.records) < 450
    assert not run.errors


def test_a_plain_tap_activates_its_version_before_the_first_record(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    run = end(start(sandbox, tmp_path))
    kinds = [message["type"] for message in run.messages]
    assert kinds.index("ACTIVATE_VERSION") < kinds.index("RECORD")


def test_a_plain_tap_takes_a_signal_for_success(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.script({1: faults.hang(60)})
    process = start(sandbox, tmp_path)
    deadline = time.monotonic() + 60
    while not sandbox.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    run = end(process)
    assert run.code == 0
    assert not run.records
