"""What README says of a tap from the SDK's template is so of the one in benchmarks/."""

from __future__ import annotations

import json
import subprocess
import sys
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


def run(sandbox: Sandbox, folder: Path, state: object = None) -> Run:
    files = {
        "config": {"api_key": sandbox.api_key, "api_url": sandbox.url},
        "state": state or {},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.plain_tap"),
            *(f"--{name}={folder / name}" for name in files),
        ],
        capture_output=True,
        check=False,
    )
    return Run(done.returncode, parse(done.stdout), done.stderr.decode())


@pytest.mark.parametrize(
    "fault",
    [faults.empty_page(), faults.without("cursor"), faults.with_values(cursor=None)],
)
def test_a_plain_tap_ends_before_the_last_customer_as_if_all_were_read(
    sandbox: Sandbox, tmp_path: Path, fault: Fault
) -> None:
    sandbox.script({2: fault})
    ended = run(sandbox, tmp_path)
    assert ended.code == 0
    assert 0 < len(ended.records) < 450
    assert not ended.errors


def test_a_plain_tap_starts_over_after_an_interrupted_read(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.script({3: faults.status(401)})
    first = run(sandbox, tmp_path)
    assert first.code != 0
    assert "cursor" in sandbox.requests[-1].query
    last = first.of_type("STATE")[-1:]
    again = run(sandbox, tmp_path, last[0]["value"] if last else None)
    assert again.code == 0
    assert len(again.records) == 450
