"""The pipe without Meltano, as docs/pipe.md gives it, up to a night of cron."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import ROOT, Reader, changed, clone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# It makes environments, from packages that are downloaded.
pytestmark = pytest.mark.timeout(1200)

PER_PAGE = 20
CUSTOMERS = generate_customers(8 * PER_PAGE, seed=6)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Eight pages, each of which takes a moment."""
    key = "YOUR_API_KEY"
    with Sandbox(CUSTOMERS, api_key=key, rate_limit=None, latency=0.15) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def reader(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    home = tmp_path_factory.mktemp("pipe")
    clone(home)
    key = '"YOUR_API_KEY"'
    more = f'"api_url": "{sandbox.url}", "per_page": {PER_PAGE}'
    reader = Reader(ROOT / "docs/pipe.md", home, {key: f"{key}, {more}"})
    reader.type("pipe-install")
    reader.save("config.json", "target.json", "sync.sh")
    return reader


@pytest.fixture
def nightly(reader: Reader, sandbox: Sandbox) -> Iterator[Path]:
    """The reader's folder, with nothing loaded yet."""
    sandbox.requests.clear()
    yield reader.folder
    for name in ("output/customers.jsonl", "state.json", "states.jsonl"):
        (reader.folder / name).unlink(missing_ok=True)


EVERYONE = {customer["uuid"] for customer in CUSTOMERS}


def loaded(folder: Path) -> set[str]:
    lines = (folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    return {json.loads(line)["uuid"] for line in lines}


def test_cron_loads_every_customer(reader: Reader, nightly: Path) -> None:
    code, output = reader.cron("pipe-cron")
    assert (code, output) == (0, "")
    assert loaded(nightly) == EVERYONE
    assert "Read 160 customers" in (nightly / "sync.log").read_text()


@pytest.mark.usefixtures("nightly")
@pytest.mark.parametrize("name", ["config.json", "target.json"])
def test_cron_learns_of_a_tap_or_target_that_failed(reader: Reader, name: str) -> None:
    config = reader.folder / name
    right = config.read_text()
    config.write_text("{")
    code, _ = reader.cron("pipe-cron")
    config.write_text(right)
    assert code == 1


TAP, TARGET, ALL = "bin/tap-chartmogul-customers", "bin/target-jsonl", "all"


def members(group: int, program: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if program in " ".join(process.info["cmdline"] or ())
        and os.getpgid(process.pid) == group
    ]


def stop(sandbox: Sandbox, folder: Path, program: str, number: signal.Signals) -> int:
    """Start the script as a terminal does, and send a signal in the middle of the read.

    Returns:
        Its exit code.
    """
    at_first = len(sandbox.requests)
    with subprocess.Popen(
        ["/bin/bash", "sync.sh"], cwd=folder, stderr=subprocess.DEVNULL, process_group=0
    ) as script:
        while len(sandbox.requests) < at_first + 4:
            time.sleep(0.05)
        if program == ALL:
            os.killpg(script.pid, number)
        else:
            (process,) = members(script.pid, program)
            os.kill(process, number)
    # Whoever still wrote states would write them into those of the next run.
    assert number == signal.SIGKILL or members(script.pid, "bin/") == []
    return script.returncode


@pytest.mark.parametrize(
    ("program", "number", "code"),
    [
        (ALL, signal.SIGINT, 130),
        (ALL, signal.SIGTERM, 143),
        (TAP, signal.SIGTERM, 143),
        (TAP, signal.SIGKILL, 137),
        (TARGET, signal.SIGKILL, 137),
        (ALL, signal.SIGKILL, -9),
    ],
)
def test_a_run_that_is_stopped_fails_and_costs_no_customer(
    sandbox: Sandbox,
    reader: Reader,
    nightly: Path,
    program: str,
    number: signal.Signals,
    code: int,
) -> None:
    assert stop(sandbox, nightly, program, number) == code
    sandbox.requests.clear()
    reader.type("pipe")
    # Even at once, what was stopped by itself goes on where it was.
    assert number == signal.SIGKILL or "cursor" in sandbox.requests[0].query
    assert loaded(nightly) == EVERYONE


def test_a_state_outlives_a_run_that_never_began(
    sandbox: Sandbox, reader: Reader, nightly: Path
) -> None:
    stop(sandbox, nightly, TAP, signal.SIGTERM)
    config = nightly / "config.json"
    right = config.read_text()
    config.write_text("{}")
    assert reader.cron("pipe-cron")[0] == 1
    assert reader.cron("pipe-cron")[0] == 1
    config.write_text(right)
    sandbox.requests.clear()
    reader.type("pipe")
    assert "cursor" in sandbox.requests[0].query


def test_git_sees_nothing_of_what_the_page_made(reader: Reader) -> None:
    assert changed(reader.folder.parent) == ""
