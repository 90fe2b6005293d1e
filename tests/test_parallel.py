"""A second sync in several ranges at once, by the program against the service."""

from __future__ import annotations

import json
import signal
import subprocess
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from sandbox.traffic import connections, most_at_once, most_in_a_second
from tap_chartmogul_customers.sync.resume import account_fingerprint
from tests.running import Run, Tap, parse
from tests.test_signals import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PER_PAGE = 10
PAGES = 64
EVERYONE = generate_customers(PAGES * PER_PAGE, seed=4)
DELETES = {"emit_activate_version_messages": True}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return the API of an account with 64 pages of ten customers."""
    with account() as sandbox:
        yield sandbox


def account() -> Sandbox:
    return Sandbox(EVERYONE, rate_limit=None)


def sync(tap: Tap, state: Any = None, **settings: object) -> Run:
    tap.sandbox.requests.clear()
    return tap.run(state=state, per_page=PER_PAGE, **settings)


@pytest.fixture(scope="module")
def first_state(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what a first sync of the same customers leaves."""
    with account() as sandbox:
        run = sync(Tap(sandbox, tmp_path_factory.mktemp("first")))
    assert run.code == 0
    return run.state


@pytest.fixture
def state(first_state: Any, sandbox: Sandbox) -> Any:
    """Return what a first sync leaves, at the address of this sandbox."""
    state = deepcopy(first_state)
    boundaries = state["bookmarks"]["customers"]["boundaries"]
    boundaries["account"] = account_fingerprint(sandbox.url, sandbox.api_key)
    return state


def everyone(sandbox: Sandbox) -> set[str]:
    return {customer["uuid"] for customer in sandbox.customers}


@pytest.mark.parametrize("at_once", [1, 2, 4, 8])
def test_reads_everyone_in_as_many_ranges_as_are_asked_for(
    tap: Tap, sandbox: Sandbox, state: Any, at_once: int
) -> None:
    run = sync(tap, state, parallel_requests=at_once)
    assert run.code == 0, run.log
    assert set(run.uuids) == everyone(sandbox)
    assert f"Read {PAGES * PER_PAGE} customers" in run.log
    assert most_at_once(sandbox.requests) <= at_once
    assert connections(sandbox.requests) == at_once
    assert len(sandbox.requests) <= PAGES * 1.15
    assert run.resume is None


def test_ranges_are_read_at_the_same_time(tap_on: Callable[[Sandbox], Tap]) -> None:
    customers = generate_customers(32 * PER_PAGE, seed=4)
    with Sandbox(customers, rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        first = sync(tap)
        sandbox.latency = 0.3
        sync(tap, first.state, parallel_requests=4)
        assert most_at_once(sandbox.requests) == 4


def test_the_first_sync_reads_one_page_after_the_other(
    tap: Tap, sandbox: Sandbox
) -> None:
    sync(tap, parallel_requests=8)
    assert most_at_once(sandbox.requests) == 1
    assert len(sandbox.requests) == PAGES


def test_a_state_is_small_at_any_time(tap: Tap, state: Any) -> None:
    run = sync(tap, state, parallel_requests=8)
    sizes = [len(json.dumps(message["value"])) for message in run.of_type("STATE")]
    assert len(sizes) > PAGES
    assert max(sizes) <= 4096


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(days=90)])
def test_boundaries_outlive_what_can_be_resumed(
    tap: Tap, sandbox: Sandbox, state: Any, age: timedelta
) -> None:
    sandbox.script({30: faults.status(402)})
    broken = sync(tap, state)
    sandbox.script({})
    assert broken.resume
    started = datetime.now(UTC) - age
    broken.resume["started_at"] = started.isoformat()
    run = sync(tap, broken.state)
    assert run.code == 0
    assert connections(sandbox.requests) >= 4
    if age > timedelta(hours=6):
        assert "Starting over" in run.warnings[0]
        assert set(run.uuids) == everyone(sandbox)


def test_an_interrupted_sync_is_resumed_in_all_its_ranges(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.script({32: faults.status(402)})
    first = sync(tap, state)
    assert first.code == 1
    sandbox.script({})
    rest = sync(tap, first.state)
    assert rest.code == 0, rest.log
    assert set(first.uuids) | set(rest.uuids) == everyone(sandbox)
    assert len(rest.records) < PAGES * PER_PAGE * 0.7
    assert connections(sandbox.requests) >= 4


@pytest.mark.parametrize("at_once", [1, 2, 16])
def test_an_interrupted_sync_is_resumed_with_another_number_at_once(
    tap: Tap, sandbox: Sandbox, state: Any, at_once: int
) -> None:
    sandbox.script({32: faults.status(402)})
    first = sync(tap, state, parallel_requests=8)
    sandbox.script({})
    rest = sync(tap, first.state, parallel_requests=at_once)
    assert rest.code == 0, rest.log
    assert set(first.uuids) | set(rest.uuids) == everyone(sandbox)
    assert most_at_once(sandbox.requests) <= min(at_once, 8)


def test_says_which_boundary_was_refused(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.age_cursors()
    run = sync(tap, state, parallel_requests=4)
    assert len(run.warnings) == 3
    for warning in run.warnings:
        assert "Reading from an earlier place" in warning
        assert "400" in warning
    for number in (2, 3, 4):
        assert f"range {number}, page 1" in run.log


def test_places_refused_in_a_resumed_sync_are_read_again(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.script({32: faults.status(402)})
    first = sync(tap, state)
    sandbox.script({})
    sandbox.age_cursors()
    rest = sync(tap, first.state)
    assert rest.code == 0, rest.log
    assert set(rest.uuids) == everyone(sandbox)


def test_nobody_is_missed_while_customers_change(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    before = everyone(sandbox)
    with sandbox.changing(one_in=2, seed=3) as changes:
        run = sync(tap, state, parallel_requests=8, **DELETES)
    assert run.code == 0
    assert before - changes.touched <= set(run.uuids)
    assert changes.touched


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("empty", [False, True])
def test_the_second_look_finds_leads_that_pay_meanwhile(
    tap: Tap, sandbox: Sandbox, state: Any, at_once: int, *, empty: bool
) -> None:
    leads = [c for c in sandbox.customers if c["customer-since"] is None]
    assert len(leads) > 2 * PER_PAGE

    def edit(request: Any) -> Any:
        # All that pay come behind the last who paid before, and the leads are read.
        if request.number == PAGES - 4:
            for lead in leads[-5:]:
                sandbox.put({**lead, "customer-since": datetime.now(UTC).isoformat()})
        if empty and request.number == PAGES + 1:
            return faults.empty_page()
        return None

    sandbox.script(edit)
    run = sync(tap, state, parallel_requests=at_once, **DELETES)
    assert run.code == 0, run.log
    assert set(run.uuids) == everyone(sandbox)
    assert len(sandbox.requests) < PAGES * 1.3


def test_a_resumed_sync_looks_again_too(tap: Tap, sandbox: Sandbox, state: Any) -> None:
    sandbox.script({PAGES: faults.status(402)})
    first = sync(tap, state, **DELETES)
    assert first.code == 1
    lead = next(c for c in reversed(sandbox.customers) if not c["customer-since"])
    sandbox.put({**lead, "customer-since": datetime.now(UTC).isoformat()})
    sandbox.script({})
    rest = sync(tap, first.state, **DELETES)
    assert lead["uuid"] in rest.uuids
    assert rest.messages[-2]["type"] == "ACTIVATE_VERSION"


def test_without_deletes_nothing_is_read_twice(tap: Tap) -> None:
    run = sync(tap)
    assert len(run.uuids) == len(set(run.uuids)) == PAGES * PER_PAGE


@pytest.mark.parametrize("status", [429, 503])
def test_every_range_waits_when_the_service_asks_one_to(
    tap: Tap, sandbox: Sandbox, state: Any, status: int
) -> None:
    sandbox.script({20: faults.status(status, retry_after=2)})
    run = sync(tap, state, parallel_requests=4)
    assert run.code == 0
    told = sandbox.requests[19].time
    # What was on its way when the service said so is not held back.
    waited = [r.time - told for r in sandbox.requests[19 + 4 :]]
    assert min(waited) >= 2


def test_keeps_below_the_rate_that_the_service_allows(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    customers = generate_customers(1200, seed=4)
    with Sandbox(customers) as sandbox:
        tap = tap_on(sandbox)
        first = sync(tap)
        run = sync(tap, first.state, parallel_requests=20)
        assert run.code == 0
        assert "with 0 retries" in run.log
        assert most_in_a_second(sandbox.requests) <= 40


def test_an_error_in_one_range_ends_all_with_the_last_state(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.script({30: faults.without("has_more")})
    run = sync(tap, state)
    assert run.code == 1
    assert len(run.errors) == 1
    assert "range " in run.errors[0]
    assert len(sandbox.requests) < 40
    assert run.resume


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_ranges_with_the_last_state(
    tap: Tap, sandbox: Sandbox, state: Any, tmp_path: Path, signum: signal.Signals
) -> None:
    sandbox.requests.clear()
    sandbox.script(lambda request: faults.hang(60) if request.number >= 30 else None)
    command = tap.command(state=state, per_page=PER_PAGE)
    written = tmp_path / "written.jsonl"
    with (
        written.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE) as process,
    ):
        seen(sandbox, 33)
        process.send_signal(signum)
        _, log = process.communicate(timeout=20)
    run = Run(process.returncode, parse(written.read_bytes()), log.decode())
    assert run.code == 128 + signum
    assert run.messages[-1]["type"] == "STATE"
    sandbox.script({})
    rest = sync(tap, run.state)
    assert set(run.uuids) | set(rest.uuids) == everyone(sandbox)
