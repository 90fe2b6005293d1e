"""What a page and a record may cost, in calls and memory rather than in time.

What a run costs whatever it reads is taken out: two runs are compared that differ in
the number of pages, or of records, alone.
"""

from __future__ import annotations

import io
import logging
import signal
import sys
import threading
import tracemalloc
from collections import Counter
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
import singer_sdk

from benchmarks.account import served
from sandbox import Sandbox, generate_customers
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SDK = str(Path(singer_sdk.__file__).parent)


def read(url: str, api_key: str, per_page: int, file: Path) -> None:
    """Read an account in this process, with a file for the standard output."""
    config = {"api_url": url, "api_key": api_key, "per_page": per_page}
    raw = io.FileIO(file, "w")
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    with io.TextIOWrapper(io.BufferedWriter(raw)) as text, redirect_stdout(text):
        TapChartMogulCustomers(config=config).sync_all()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count calls that decode JSON, write to a file, or run code of the SDK."""
    seen: list[str] = []  # Appending is safe on threads, counting would not be.

    def note(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call":
            owner = getattr(called, "__self__", None)
            name = getattr(called, "__name__", None)
            if name == "write" and isinstance(owner, io.FileIO):
                seen.append("write")
            elif name == "decode" and (
                owner is msgspec.json or isinstance(owner, msgspec.json.Decoder)
            ):
                seen.append("decode")
        elif event == "call":
            code = frame.f_code
            if code.co_filename.startswith(SDK):
                seen.append("sdk")
            elif code.co_name == "decode" and "json" in code.co_filename:
                seen.append("decode")

    counter: Counter[str] = Counter()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield counter
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        counter.update(seen)


class Runs(NamedTuple):
    """Calls of three runs: on 5 pages, on 15, and on 5 with twice the customers."""

    few: Counter[str]
    many: Counter[str]
    large: Counter[str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    def calls(customers: int, per_page: int) -> Counter[str]:
        account = generate_customers(customers, seed=1)
        file = tmp_path_factory.mktemp("costs") / "out"
        with Sandbox(account, rate_limit=None) as sandbox, counted() as counter:
            read(sandbox.url, sandbox.api_key, per_page, file)
        return counter

    return Runs(calls(100, 20), calls(300, 20), calls(200, 40))


def test_a_page_is_decoded_once(runs: Runs) -> None:
    assert runs.many["decode"] - runs.few["decode"] == 10


def test_a_state_and_the_records_before_it_leave_in_one_write(runs: Runs) -> None:
    assert runs.many["write"] - runs.few["write"] == 10


def test_a_record_costs_no_call_of_the_sdk(runs: Runs) -> None:
    assert runs.few["sdk"] == runs.large["sdk"]


def test_memory_does_not_grow_with_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else pytest keeps what is logged of each page.
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)

    def peak(customers: int) -> int:
        with served(customers) as account:
            tracemalloc.start()
            read(account.url, account.api_key, 50, tmp_path / "out")
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return peak

    peak(1000)  # what stays in memory from the first run on
    # A page more or less is in memory by chance, of some 60 KB; all would be ten times.
    assert peak(10_000) < 3 * peak(1000)
