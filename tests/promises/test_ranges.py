"""An account that is read in ranges at once, since a sync has left boundaries."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from sandbox.traffic import connections, most_at_once, most_in_a_second
from tap_chartmogul_customers.sync.bookmark import Account
from tests.running import Run, Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.exchange import SeenRequest
    from sandbox.faults import Fault

PER_PAGE = 10
PAGES = 33
EVERYONE = generate_customers(PAGES * PER_PAGE, seed=4)
DELETES = {"emit_activate_version_messages": True}
AT_ONCE = 4


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return the API of an account of so many pages, and of few connections."""
    with Sandbox(EVERYONE, rate_limit=None, connection_limit=AT_ONCE) as sandbox:
        yield sandbox


def sync(tap: Tap, state: Any = None, **settings: Any) -> Run:
    tap.sandbox.requests.clear()
    return tap.run(state=state, **{"per_page": PER_PAGE} | settings)


@pytest.fixture(scope="module")
def first_state(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what a first sync of the same customers leaves."""
    with Sandbox(EVERYONE, rate_limit=None) as sandbox:
        run = sync(Tap(sandbox, tmp_path_factory.mktemp("first")))
    assert run.code == 0
    assert most_at_once(sandbox.requests) == connections(sandbox.requests) == 1
    assert len(sandbox.requests) == PAGES
    return run.state


@pytest.fixture
def state(first_state: Any, sandbox: Sandbox) -> Any:
    """Return what a first sync leaves, at the address of this sandbox."""
    state = deepcopy(first_state)
    account = Account(sandbox.url, sandbox.api_key, {})
    state["bookmarks"]["customers"]["account"] = account.fingerprint
    return state


def interrupted(tap: Tap, state: Any, at: int, **settings: Any) -> Run:
    """Run until a request from which on the service refuses all."""
    refused = faults.status(401)
    tap.sandbox.script(lambda request: refused if request.number >= at else None)
    run = sync(tap, state, **settings)
    assert run.code == 1
    assert run.resume
    tap.sandbox.script({})
    return run


def everyone(sandbox: Sandbox) -> list[str]:
    return sorted(customer["uuid"] for customer in sandbox.customers)


def test_reads_everyone_once_in_as_many_ranges_as_are_asked_for(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.latency = 0.2
    run = sync(tap, state, parallel_requests=AT_ONCE)
    assert run.code == 0, run.log
    assert sorted(run.uuids) == everyone(sandbox)
    assert f"Read {PAGES * PER_PAGE} customers" in run.log
    assert most_at_once(sandbox.requests) == AT_ONCE
    # The service counts idle connections too, and would have answered 503.
    assert "with 0 retries" in run.log
    # A page of overlap for each boundary.
    assert len(sandbox.requests) == PAGES + AT_ONCE - 1


def test_keeps_below_what_the_service_allows_in_twenty_ranges(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox(EVERYONE, rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        # 165 pages: the last one of each range begins elsewhere than the next range.
        settings = {"per_page": 2, "parallel_requests": 20}
        first = sync(tap, **settings)
        sandbox.latency = 0.1
        second = interrupted(tap, first.state, 90, **settings)
        assert max(len(json.dumps(m["value"])) for m in second.of_type("STATE")) < 9000
        third = sync(tap, second.state, **settings)
    assert third.code == 0
    assert {*second.uuids, *third.uuids} == {*everyone(sandbox)}
    assert connections(sandbox.requests) >= 20
    assert "with 0 retries" in third.log
    # On a busy machine, some that were sent apart arrive together.
    assert most_in_a_second(sandbox.requests) <= 45


@pytest.mark.parametrize("at_once", [1, 4])
def test_an_interrupted_sync_goes_on_in_all_its_ranges(
    tap: Tap, sandbox: Sandbox, state: Any, at_once: int
) -> None:
    first = interrupted(tap, state, 20)
    rest = sync(tap, first.state, parallel_requests=at_once)
    assert rest.code == 0, rest.log
    assert {*first.uuids, *rest.uuids} == {*everyone(sandbox)}
    assert len(rest.uuids) < PAGES * PER_PAGE * 0.7
    assert connections(sandbox.requests) >= 4
    assert most_at_once(sandbox.requests) <= at_once
    assert "with 0 retries" in rest.log


def test_a_resumed_sync_finds_leads_that_pay_meanwhile(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    first = interrupted(tap, state, PAGES, **DELETES)
    lead = next(c for c in reversed(sandbox.customers) if not c["customer-since"])
    sandbox.put({**lead, "customer-since": datetime.now(UTC).isoformat()})
    rest = sync(tap, first.state, **DELETES)
    assert lead["uuid"] in rest.uuids
    assert rest.messages[-2]["type"] == "ACTIVATE_VERSION"


def test_neighbours_who_move_in_front_of_a_boundary_cost_nobody_else_a_row(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    # The look at the end of the third range sees them, and then that range meets them.
    block, near = sandbox.customers[250:260], sandbox.customers[200]

    def move(request: SeenRequest) -> None:
        if request.number == AT_ONCE:  # The first one behind the looks.
            for each in block:
                sandbox.put({**each, "customer-since": near["customer-since"]})

    sandbox.script(move)
    run = sync(tap, state, **DELETES)
    assert {*run.uuids} == {*everyone(sandbox)}
    assert len(run.of_type("ACTIVATE_VERSION")) == 1


@pytest.mark.parametrize(
    "answers",
    [
        [*map(faults.status, (400, 403, 404))],
        [*map(faults.status, (409, 500)), faults.redirect("https://127.0.0.1/v1/")],
        [faults.html(), faults.body(b'{"error": "no such cursor"}'), None],
        [faults.with_values(entries=[{"uuid": uuid}]) for uuid in (None, "", 5)],
    ],
)
def test_whatever_boundaries_are_answered_the_ranges_before_read_on(
    tap: Tap, sandbox: Sandbox, state: Any, answers: list[Fault | None]
) -> None:
    boundaries = state["bookmarks"]["customers"]["boundaries"]
    old = {cursor for _, cursor in boundaries}
    sandbox.age_cursors(lambda place, _: place)
    met: dict[str, Fault] = {}

    def script(request: SeenRequest) -> Fault | None:
        cursor = request.query.get("cursor", "")
        if cursor not in old:
            return None
        answer = answers[len(met) % 3] or faults.repeated_cursor(cursor)
        return met.setdefault(cursor, answer)

    sandbox.script(script)
    run = sync(tap, state, **DELETES)
    assert run.code == 0, run.log
    assert {*run.uuids} == {*everyone(sandbox)}
    assert f"Read {PAGES * PER_PAGE} customers" in run.log
    dropped = "".join(line for line in run.warnings if "the range before it" in line)
    assert len(met) == 3
    for number in (2, 3, 4):
        assert dropped.count(f"range {number}, page 1") == 1
    # The next sync has boundaries again.
    again = sync(tap, run.state)
    assert f"Reading in {AT_ONCE} ranges" in again.log
    assert not again.warnings


def test_the_run_fails_if_the_account_cannot_be_read_from_its_start_either(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    sandbox.script(lambda _: faults.status(500))
    run = sync(tap, state, max_retries=4)
    assert run.code == 1
    (error,) = run.errors
    assert "range 1, page 1: 500" in error
    assert not run.records
    assert run.state == state


def test_where_all_customers_are_behind_the_last_boundary_they_are_found(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    for customer in sandbox.customers[: -PER_PAGE // 2]:
        sandbox.remove(customer["uuid"])
    run = sync(tap, state, **DELETES)
    assert {*run.uuids} == {*everyone(sandbox)}
    assert not run.warnings
    assert len(run.of_type("ACTIVATE_VERSION")) == 1
    assert f"Read {PER_PAGE // 2} customers" in run.log


def test_every_range_waits_when_the_service_asks_one_to(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    asked = {12: 429, 24: 503}
    sandbox.script({n: faults.status(code, retry_after=1) for n, code in asked.items()})
    run = sync(tap, state)
    assert run.code == 0
    times = [seen.time for seen in sandbox.requests]
    for number in asked:
        told = times[number - 1]
        # What was on its way when the service said so is not held back.
        on_their_way = [time for time in times[number:] if time < told + 1]
        assert len(on_their_way) < AT_ONCE
