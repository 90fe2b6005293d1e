"""The pipe without Meltano, as docs/pipe.md gives it, up to a night of cron."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox import Sandbox, generate_customers
from sandbox.traffic import connections
from tests.pages import ROOT, Reader, changed, clone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


def loaded(folder: Path) -> set[str]:
    lines = (folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    return {json.loads(line)["uuid"] for line in lines}


EVERYONE = {customer["uuid"] for customer in CUSTOMERS}


def test_loads_every_customer(reader: Reader, nightly: Path) -> None:
    reader.type("pipe")
    assert loaded(nightly) == EVERYONE


def test_the_next_night_reads_in_ranges(
    sandbox: Sandbox, reader: Reader, nightly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "latency", 0)
    config = nightly / "config.json"
    right = config.read_text()
    config.write_text(right.replace(f": {PER_PAGE}}}", f": {PER_PAGE // 2}}}"))
    assert "ranges" not in reader.type("pipe")
    (nightly / "output/customers.jsonl").unlink()
    sandbox.requests.clear()
    assert "Reading in 2 ranges at once" in reader.type("pipe")
    config.write_text(right)
    assert connections(sandbox.requests) == 2
    assert loaded(nightly) == EVERYONE


def test_cron_loads_every_customer(reader: Reader, nightly: Path) -> None:
    code, output = reader.cron("pipe-cron")
    assert (code, output) == (0, "")
    assert loaded(nightly) == EVERYONE
    assert "Read 160 customers" in (nightly / "sync.log").read_text()


@pytest.mark.usefixtures("nightly")
def test_cron_learns_of_a_tap_that_failed(reader: Reader) -> None:
    config = reader.folder / "config.json"
    right = config.read_text()
    config.write_text(right.replace("YOUR_API_KEY", "a-wrong-key"))
    code, _ = reader.cron("pipe-cron")
    config.write_text(right)
    assert code == 1


@pytest.mark.usefixtures("nightly")
def test_cron_learns_of_a_target_that_failed(reader: Reader) -> None:
    config = reader.folder / "target.json"
    right = config.read_text()
    config.write_text("{")
    code, _ = reader.cron("pipe-cron")
    config.write_text(right)
    assert code == 1


def members(group: int, program: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if program in " ".join(process.info["cmdline"] or ())
        and os.getpgid(process.pid) == group
    ]


def one(program: str, number: signal.Signals) -> Callable[[int], None]:
    def kill(group: int) -> None:
        (process,) = members(group, program)
        os.kill(process, number)

    return kill


tap = partial(one, "bin/tap-chartmogul-customers")
target = partial(one, "bin/target-jsonl")


def everything(number: signal.Signals) -> Callable[[int], None]:
    return lambda group: os.killpg(group, number)


def stop(
    sandbox: Sandbox, folder: Path, kill: Callable[[int], None]
) -> subprocess.Popen[bytes]:
    """Start the script as a terminal does, and kill in the middle of the read."""
    at_first = len(sandbox.requests)
    with subprocess.Popen(
        ["/bin/bash", "sync.sh"], cwd=folder, stderr=subprocess.DEVNULL, process_group=0
    ) as script:
        while len(sandbox.requests) < at_first + 4:
            time.sleep(0.05)
        kill(script.pid)
    return script


@pytest.mark.parametrize(
    ("kill", "code"),
    [
        (everything(signal.SIGINT), 130),
        (everything(signal.SIGTERM), 143),
        (tap(signal.SIGTERM), 143),
    ],
    ids=["Ctrl-C", "SIGTERM to all", "SIGTERM to the tap"],
)
def test_a_stopped_read_is_resumed_where_it_stopped_even_at_once(
    sandbox: Sandbox,
    reader: Reader,
    nightly: Path,
    kill: Callable[[int], None],
    code: int,
) -> None:
    script = stop(sandbox, nightly, kill)
    assert script.returncode == code
    # Whoever still wrote states would write them into those of the next run.
    assert members(script.pid, "bin/") == []
    sandbox.requests.clear()
    reader.type("pipe")
    assert "cursor" in sandbox.requests[0].query
    assert loaded(nightly) == EVERYONE


@pytest.mark.parametrize(
    "kill",
    [tap(signal.SIGKILL), target(signal.SIGKILL), everything(signal.SIGKILL)],
    ids=["the tap", "the target", "all"],
)
def test_whatever_is_killed_the_run_fails_and_costs_no_customer(
    sandbox: Sandbox, reader: Reader, nightly: Path, kill: Callable[[int], None]
) -> None:
    assert stop(sandbox, nightly, kill).returncode != 0
    reader.type("pipe")
    assert loaded(nightly) == EVERYONE


def test_a_state_outlives_a_run_that_never_began(
    sandbox: Sandbox, reader: Reader, nightly: Path
) -> None:
    stop(sandbox, nightly, tap(signal.SIGTERM))
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
