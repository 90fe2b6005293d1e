"""What README says of a tap from the SDK's template is so of the one in benchmarks/."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.running import TAP, Run, Tap, parse

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.faults import Fault


def run(sandbox: Sandbox, folder: Path, state: object) -> Run:
    options = Tap(sandbox, folder).command(state=state)[len(TAP) :]
    plain = [sys.executable, "-m", "benchmarks.plain_tap", *options]
    done = subprocess.run(plain, capture_output=True, check=False)
    return Run(done.returncode, parse(done.stdout), done.stderr.decode())


@pytest.mark.parametrize(
    "fault",
    [faults.empty_page(), faults.without("cursor"), faults.with_values(cursor=None)],
)
def test_a_plain_tap_ends_before_the_last_customer_as_if_all_were_read(
    tmp_path: Path, fault: Fault
) -> None:
    with Sandbox(generate_customers(450, seed=1), rate_limit=None) as sandbox:
        sandbox.script({2: fault})
        ended = run(sandbox, tmp_path, state={})
    assert ended.code == 0
    assert 0 < len(ended.records) < 450
    assert not ended.errors


def test_a_plain_tap_starts_over_after_an_interrupted_read(tmp_path: Path) -> None:
    with Sandbox(generate_customers(450, seed=1), rate_limit=None) as sandbox:
        sandbox.script({3: faults.status(401)})
        first = run(sandbox, tmp_path, state={})
        assert first.code != 0
        assert "cursor" in sandbox.requests[-1].query
        states = [{}] + [message["value"] for message in first.of_type("STATE")]
        again = run(sandbox, tmp_path, state=states[-1])
    assert again.code == 0
    assert len(again.records) == 450
