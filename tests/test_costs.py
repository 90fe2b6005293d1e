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
from typing import TYPE_CHECKING, Self

import msgspec
import pytest
import singer_sdk

from benchmarks.account import served
from sandbox import Sandbox, generate_customers
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    CountCalls = Callable[[int, int], Counter[str]]

SDK = str(Path(singer_sdk.__file__).parent)


class Calls:
    """Counts the calls that decode JSON, write to a file, or run code of the SDK.

    Args:
        out: The file.
    """

    def __init__(self, out: io.FileIO) -> None:
        self._out = out
        # The tap has two threads: appending is safe, counting would not be.
        self._seen: list[str] = []

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def counter(self) -> Counter[str]:
        return Counter(self._seen)

    def _note(self, frame: FrameType, event: str, called: object) -> None:
        if event == "c_call":
            owner = getattr(called, "__self__", None)
            name = getattr(called, "__name__", None)
            if owner is self._out and name == "write":
                self._seen.append("write")
            elif name == "decode" and (
                owner is msgspec.json or isinstance(owner, msgspec.json.Decoder)
            ):
                self._seen.append("decode")
        elif event == "call":
            code = frame.f_code
            if code.co_filename.startswith(SDK):
                self._seen.append("sdk")
            elif code.co_name == "decode" and "json" in code.co_filename:
                self._seen.append("decode")


def read(url: str, api_key: str, per_page: int) -> None:
    config = {"api_url": url, "api_key": api_key, "per_page": per_page}
    TapChartMogulCustomers(config=config).sync_all()


@contextmanager
def standard_output(file: Path) -> Iterator[io.FileIO]:
    raw = io.FileIO(file, "w")
    with io.TextIOWrapper(io.BufferedWriter(raw)) as text, redirect_stdout(text):
        yield raw


@pytest.fixture(autouse=True)
def _signal_handlers_of_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def count_calls(tmp_path: Path) -> CountCalls:
    """Return a function that reads an account and counts calls."""

    def count(customers: int, per_page: int) -> Counter[str]:
        with (
            Sandbox(generate_customers(customers, seed=1), rate_limit=None) as sandbox,
            standard_output(tmp_path / "out") as out,
            Calls(out) as calls,
        ):
            read(sandbox.url, sandbox.api_key, per_page)
        return calls.counter()

    return count


def test_a_page_is_decoded_once(count_calls: CountCalls) -> None:
    few, many = count_calls(100, 20), count_calls(300, 20)
    assert many["decode"] - few["decode"] == 10


def test_a_state_and_the_records_before_it_leave_in_one_write(
    count_calls: CountCalls,
) -> None:
    few, many = count_calls(100, 20), count_calls(300, 20)
    assert many["write"] - few["write"] == 10


def test_a_record_costs_few_calls_of_the_sdk(count_calls: CountCalls) -> None:
    small, large = count_calls(100, 20), count_calls(200, 40)
    assert (large["sdk"] - small["sdk"]) / 100 <= 13


def test_memory_does_not_grow_with_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else pytest keeps what is logged of each page.
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)

    def peak(customers: int) -> int:
        with (
            served(customers) as account,
            standard_output(tmp_path / "out"),
        ):
            tracemalloc.start()
            read(account.url, account.api_key, per_page=50)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return peak

    peak(1000)  # what stays in memory from the first run on
    # A page more or less is in memory by chance, of some 60 KB; all would be ten times.
    assert peak(10_000) < 3 * peak(1000)
