"""A sync in several ranges, in process and without its pace, to be quick."""

from __future__ import annotations

import io
import logging
import re
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers, stale
from tap_chartmogul_customers import streams
from tap_chartmogul_customers.api import pace
from tap_chartmogul_customers.records.typed import decode_typed_page
from tap_chartmogul_customers.sync import ranges
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.running import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.exchange import SeenRequest
    from sandbox.faults import Fault
    from sandbox.stale import Reading
    from tap_chartmogul_customers.pagination import Page
    from tests.running import Message

PER_PAGE = 10
PAGES = 33
DELETES: dict[str, Any] = {"emit_activate_version_messages": True}
EVERYONE = generate_customers(PAGES * PER_PAGE, seed=4)


@pytest.fixture
def sandbox(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Sandbox]:
    """Return the API of an account with 33 pages of ten customers."""
    monkeypatch.setattr(pace, "MOST_A_SECOND", 1_000_000)
    caplog.set_level(logging.INFO)
    with Sandbox(EVERYONE, rate_limit=None) as sandbox:
        yield sandbox


def sync(
    sandbox: Sandbox,
    state: Any = None,
    *,
    error: str = "",
    **settings: Any,
) -> list[Message]:
    """Run the tap, to its end or to an error, and return its messages."""
    sandbox.requests.clear()
    config = {"api_key": sandbox.api_key, "api_url": sandbox.url, "per_page": PER_PAGE}
    written = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(written):
        tap = TapChartMogulCustomers(config={**config, **settings}, state=state)
        with pytest.raises(Exception, match=error) if error else nullcontext():
            tap.sync_all()
        tap.message_writer.flush()  # type: ignore[attr-defined]
    assert isinstance(written.buffer, io.BytesIO)
    return parse(written.buffer.getvalue())


def customers(state: Any) -> Any:
    return state["bookmarks"]["customers"]


def uuids(messages: list[Message]) -> set[str]:
    return {m["record"]["uuid"] for m in messages if m["type"] == "RECORD"}


def everyone(sandbox: Sandbox) -> set[str]:
    return {customer["uuid"] for customer in sandbox.customers}


def last_state(messages: list[Message]) -> Any:
    return [m["value"] for m in messages if m["type"] == "STATE"][-1]


@pytest.fixture
def state(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> Any:
    """Return what a first sync leaves."""
    state = last_state(sync(sandbox))
    caplog.clear()
    return state


def test_a_sync_in_one_range_speaks_of_no_range(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.script({3: faults.status(402)})
    refused = "^GET /v1/customers, page 3: 402"
    messages = sync(sandbox, error=refused)
    resumed = sync(sandbox, last_state(messages), error=refused)
    assert not uuids(messages) & uuids(resumed)
    assert "range" not in caplog.text
    assert "Resuming the sync that started at" in caplog.text
    assert ", 2 pages in" in caplog.text


@pytest.mark.parametrize("at_once", [2, 3])
def test_a_sync_in_ranges_writes_each_page_and_ends(
    sandbox: Sandbox, state: Any, caplog: pytest.LogCaptureFixture, at_once: int
) -> None:
    messages = sync(sandbox, state, parallel_requests=at_once)
    assert uuids(messages) == everyone(sandbox)
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    # The SDK writes the first one.
    assert [[*customers(each)] for each in states] == [
        ["boundaries"],
        # A page of overlap for each boundary; the last one ends the sync.
        *[["resume"]] * (PAGES + at_once - 2),
        ["boundaries"],
    ]
    assert f"Reading in {at_once} ranges at once" in caplog.text


@pytest.mark.parametrize("gone", [0, 1, 4, 5, 6, 9])
def test_counts_each_customer_once_though_pages_begin_elsewhere_than_last_time(
    sandbox: Sandbox, state: Any, caplog: pytest.LogCaptureFixture, gone: int
) -> None:
    for customer in sandbox.customers[:gone]:
        sandbox.remove(customer["uuid"])
    sync(sandbox, state, parallel_requests=4)
    assert f"Read {PAGES * PER_PAGE - gone} customers on " in caplog.text


def test_counts_each_customer_once_though_a_resumed_sync_meets_some_twice(
    sandbox: Sandbox, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (9, 14):
        sandbox.script({number: faults.status(402)})
        state = last_state(sync(sandbox, state, error="402", parallel_requests=3))
    sandbox.script({})
    sync(sandbox, state, parallel_requests=3)
    assert f"Read {PAGES * PER_PAGE} customers on " in caplog.text


def test_a_place_that_was_refused_is_not_asked_for_again(
    sandbox: Sandbox, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.age_cursors()
    messages = sync(sandbox, state, parallel_requests=4)
    assert uuids(messages) == everyone(sandbox)
    assert caplog.text.count("Reading from an earlier place") == 3
    left = last_state(messages)
    assert customers(left)["boundaries"]["pages"] == PAGES
    caplog.clear()
    sync(sandbox, left, parallel_requests=4)
    assert "Reading from an earlier place" not in caplog.text


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("at_once", [2, 8])
@pytest.mark.parametrize(
    "reading",
    [
        stale.refused,
        stale.first_page,
        stale.end,
        stale.shifted(33),
        stale.shifted(-33),
        stale.anywhere(1),
        stale.anywhere(2),
    ],
)
def test_boundaries_that_the_service_takes_for_something_else_lose_nobody(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    reading: Reading,
    at_once: int,
) -> None:
    monkeypatch.setattr(ranges, "SHORTEST", PAGES // 8)
    first = last_state(sync(sandbox))
    sandbox.age_cursors(reading)
    messages = sync(sandbox, first, parallel_requests=at_once, **DELETES)
    assert uuids(messages) == everyone(sandbox)
    caplog.clear()
    again = sync(sandbox, last_state(messages), parallel_requests=at_once)
    assert uuids(again) == everyone(sandbox)
    assert f"Reading in {at_once} ranges at once" in caplog.text


def test_a_sync_whose_only_place_was_refused_is_read_from_its_start(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.script({3: faults.status(402)})
    broken = last_state(sync(sandbox, error="402"))
    sandbox.script({})
    sandbox.age_cursors()
    messages = sync(sandbox, broken)
    assert uuids(messages) == everyone(sandbox)
    assert customers(last_state(messages))["boundaries"]["pages"] == PAGES
    assert caplog.text.count("Reading from an earlier place") == 1


@pytest.fixture
def stopped(sandbox: Sandbox) -> Any:
    """Return what a sync in one range leaves that was stopped at the last page."""
    sandbox.script({PAGES: faults.status(402)})
    return last_state(sync(sandbox, error="402"))


@pytest.fixture
def places(stopped: Any) -> dict[int, str]:
    """Return the cursor behind each page but the last, by the number of the page."""
    return dict(customers(stopped)["resume"]["ranges"][0]["marks"])


def refuse(sandbox: Sandbox, *cursors: str) -> None:
    """Refuse cursors once: those of an earlier run, but not the same ones of this."""
    old = {*cursors}

    def script(request: SeenRequest) -> Fault | None:
        cursor = request.query.get("cursor")
        if cursor not in old:
            return None
        old.remove(cursor)
        return faults.status(400)

    sandbox.script(script)


def test_a_range_of_an_earlier_run_reads_on_if_the_start_of_the_next_is_refused(
    sandbox: Sandbox, stopped: Any, places: dict[int, str]
) -> None:
    customers(stopped)["resume"]["ranges"] = [
        {"cursor": places[10], "pages": 10, "done": True},
        {"start": places[11], "cursor": places[15], "pages": 5},
    ]
    refuse(sandbox, places[11], places[15])
    messages = sync(sandbox, stopped)
    read = [customer["uuid"] for customer in sandbox.customers[: 10 * PER_PAGE]]
    assert uuids(messages) | {*read} == everyone(sandbox)
    assert len(sandbox.requests) == 2 + PAGES - 10


def test_a_range_that_has_passed_a_refused_start_reads_nothing_twice(
    sandbox: Sandbox, stopped: Any, places: dict[int, str]
) -> None:
    customers(stopped)["resume"]["ranges"] = [
        {"cursor": places[5], "pages": 5},
        {"start": places[10], "cursor": places[10]},
        {"start": places[20], "cursor": places[20]},
    ]
    refuse(sandbox, places[10])
    messages = sync(sandbox, stopped, parallel_requests=1)
    read = [customer["uuid"] for customer in sandbox.customers[: 5 * PER_PAGE]]
    assert uuids(messages) | {*read} == everyone(sandbox)
    # Behind the first five, with one more for the end of the first range.
    assert len(sandbox.requests) == 1 + PAGES - 5 + 1


def test_an_error_in_a_record_says_its_range_and_page(
    sandbox: Sandbox, state: Any
) -> None:
    sandbox.script(
        lambda request: (
            faults.with_values(entries=[{"uuid": 7}]) if request.number == 5 else None
        )
    )
    sync(sandbox, state, error=r"^range \d, page \d+: .*uuid")


def test_places_of_a_sync_that_is_not_resumed_are_good_all_the_same(
    sandbox: Sandbox, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.script({20: faults.status(402)})
    broken = last_state(sync(sandbox, state, error="402"))
    caplog.clear()
    sandbox.script({})
    messages = sync(sandbox, broken, resume_max_age_hours=0)
    assert uuids(messages) == everyone(sandbox)
    assert "Starting over: the unfinished sync cannot be resumed" in caplog.text
    assert re.search("Reading in [34] ranges at once", caplog.text)


@pytest.mark.parametrize(
    ("settings", "straight"),
    [
        ({}, True),
        ({"stream_maps": {"customers": {"email": None}}}, False),
        ({"flattening_enabled": True, "flattening_max_depth": 1}, False),
    ],
)
def test_pages_are_decoded_straight_into_columns_where_nothing_else_is_done(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    *,
    straight: bool,
) -> None:
    decoded = []

    def decode(body: bytes, number: int) -> Page:
        decoded.append(number)
        return decode_typed_page(body, number)

    monkeypatch.setattr(streams, "decode_typed_page", decode)
    sync(sandbox, **settings)
    assert bool(decoded) is straight


class Clock:
    """A clock that stands still, and notes for how long the end of a sync sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that the end of a sync goes by."""
    clock = Clock()
    monkeypatch.setattr(streams, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("passed", "slept"), [(0, 1), (0.25, 0.75), (1, 0), (9, 0), (-9, 1)]
)
def test_waits_until_the_second_of_its_version_is_over_and_no_longer(
    sandbox: Sandbox, clock: Clock, passed: float, slept: float
) -> None:
    sandbox.script({PAGES: faults.status(402)})
    broken = last_state(sync(sandbox, error="402", **DELETES))
    sandbox.script({})
    version = customers(broken)["resume"]["version"]
    clock.now = version + passed
    messages = sync(sandbox, broken, **DELETES)
    activated = {"type": "ACTIVATE_VERSION", "stream": "customers", "version": version}
    assert activated in messages
    assert clock.slept == [slept]


def test_the_second_look_ends_at_the_first_page_of_leads(
    sandbox: Sandbox, clock: Clock
) -> None:
    everyone = sandbox.customers
    paying = [c for c in everyone if c["customer-since"]]
    leads = len(everyone) - len(paying)
    assert leads > 4 * PER_PAGE
    sync(sandbox, **DELETES)
    # The last place that will not change, and the first page of leads alone.
    assert 2 <= len(sandbox.requests) - PAGES < leads // PER_PAGE
    assert sandbox.requests[PAGES].query["cursor"]
    assert clock.slept == [1]


def test_the_second_look_starts_at_the_start_if_its_place_is_refused(
    sandbox: Sandbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.script({PAGES: faults.status(402)})
    broken = last_state(sync(sandbox, error="402", **DELETES))
    sandbox.script({})
    customers(broken)["resume"]["recent"] = {
        "since": datetime.now(UTC).isoformat(),
        "cursor": "of-another-form",
    }
    messages = sync(sandbox, broken, **DELETES)
    assert caplog.text.count("Looking from the start") == 1
    paying = {c["uuid"] for c in sandbox.customers if c["customer-since"]}
    assert paying < uuids(messages)
    assert [m["type"] for m in messages][-2:] == ["ACTIVATE_VERSION", "STATE"]
    assert clock.slept == [1]


def test_an_error_in_the_second_look_says_so(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.script({PAGES + 1: faults.with_values(entries=[{"uuid": 7}])})
    sync(sandbox, error=r"^second look, page 1: .*uuid", **DELETES)
    sandbox.script({PAGES + 1: faults.status(402)})
    sync(sandbox, error=r"^GET /v1/customers, second look, page 1: 402", **DELETES)
    assert not clock.slept
