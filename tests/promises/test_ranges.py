"""An account that is read in ranges at once, since a sync has left boundaries."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
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


def check_connections(sandbox: Sandbox) -> None:
    """Check that the service, which counts idle ones, found few enough open."""
    assert 503 not in {seen.status for seen in sandbox.requests}


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_reads_everyone_once_in_as_many_ranges_as_are_asked_for(
    tap: Tap, sandbox: Sandbox, state: Any, at_once: int
) -> None:
    sandbox.latency = at_once / 20
    run = sync(tap, state, parallel_requests=at_once)
    assert run.code == 0, run.log
    assert sorted(run.uuids) == everyone(sandbox)
    assert f"Read {PAGES * PER_PAGE} customers" in run.log
    assert most_at_once(sandbox.requests) == connections(sandbox.requests) == at_once
    # A page of overlap for each boundary.
    assert len(sandbox.requests) == PAGES + at_once - 1
    check_connections(sandbox)


def test_keeps_below_what_the_service_allows_in_twenty_ranges(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox(EVERYONE, latency=0.1, rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        # 165 pages: the last one of each range begins elsewhere than the next range.
        first = sync(tap, per_page=2)
        settings = {"per_page": 2, "parallel_requests": 20}
        second = sync(tap, first.state, **settings)
        assert sorted(second.uuids) == everyone(sandbox)
        assert max(len(json.dumps(m["value"])) for m in second.of_type("STATE")) < 9000
        third = interrupted(tap, second.state, 90, **settings)
        check_connections(sandbox)
        fourth = sync(tap, third.state, **settings)
        assert {*third.uuids, *fourth.uuids} == {*everyone(sandbox)}
        check_connections(sandbox)
        assert most_at_once(sandbox.requests) > 2
        assert connections(sandbox.requests) >= 20
        for run in (second, fourth):
            assert "with 0 retries" in run.log
        # On a busy machine, some that were sent apart arrive together.
        assert most_in_a_second(sandbox.requests) <= 45


@pytest.mark.parametrize("at_once", [1, 2, 4])
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
    check_connections(sandbox)


def test_a_block_of_leads_that_pay_together_costs_nobody_a_row(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    customers = generate_customers(6000, seed=1)
    for number, customer in enumerate(customers):
        since = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        customer["customer-since"] = since.isoformat() if number < 2400 else None
    with Sandbox(customers, rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        first = sync(tap, per_page=200, **DELETES)
        before, today = sandbox.customers, datetime.now(UTC).isoformat()

        def pay(request: SeenRequest) -> None:
            if request.number == 5:
                for lead in before[2400 + 1500 : 2400 + 1900]:
                    sandbox.put({**lead, "customer-since": today})

        sandbox.script(pay)
        run = sync(tap, first.state, per_page=200, **DELETES)
    assert run.code == 0
    assert {*run.uuids} == {customer["uuid"] for customer in before}
    assert [message["type"] for message in run.messages[-2:]] == [
        "ACTIVATE_VERSION",
        "STATE",
    ]


def test_a_resumed_sync_finds_leads_that_pay_meanwhile(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    first = interrupted(tap, state, PAGES, **DELETES)
    lead = next(c for c in reversed(sandbox.customers) if not c["customer-since"])
    sandbox.put({**lead, "customer-since": datetime.now(UTC).isoformat()})
    rest = sync(tap, first.state, **DELETES)
    assert lead["uuid"] in rest.uuids
    assert rest.messages[-2]["type"] == "ACTIVATE_VERSION"


class TestBoundaries:
    """They only save time: one that cannot be read ends no run."""

    @pytest.fixture
    def old(self, sandbox: Sandbox, state: Any) -> set[str]:
        """Return the boundaries, which a sync is given no more."""
        sandbox.age_cursors(lambda place, _: place)
        return {cursor for _, cursor in state["bookmarks"]["customers"]["boundaries"]}

    @pytest.mark.parametrize(
        "fault",
        [
            *map(faults.status, (400, 403, 404, 409, 410, 414, 500)),
            faults.body(b'{"error": "no such cursor"}'),
            faults.html(),
            faults.redirect("https://127.0.0.1/v1/customers"),
            faults.with_values(cursor=None),
            None,
        ],
    )
    def test_whatever_they_are_answered_the_range_before_reads_on(
        self,
        tap: Tap,
        sandbox: Sandbox,
        state: Any,
        old: set[str],
        fault: Fault | None,
    ) -> None:
        def script(request: SeenRequest) -> Fault | None:
            cursor = request.query.get("cursor")
            if cursor not in old:
                return None
            return fault or faults.with_values(entries=[], cursor=cursor, has_more=True)

        sandbox.script(script)
        run = sync(tap, state, **DELETES)
        assert run.code == 0, run.log
        assert {*run.uuids} == {*everyone(sandbox)}
        assert f"Read {PAGES * PER_PAGE} customers" in run.log
        dropped = [line for line in run.warnings if "the range before it" in line]
        assert len(dropped) == 3
        for number in (2, 3, 4):
            assert f"range {number}, page 1" in "".join(dropped)
        # The next sync has boundaries again.
        sandbox.requests.clear()
        again = sync(tap, run.state)
        assert connections(sandbox.requests) == AT_ONCE
        assert not again.warnings

    def test_one_whose_second_page_fails_is_left_to_the_range_before(
        self, tap: Tap, sandbox: Sandbox, state: Any, old: set[str]
    ) -> None:
        def script(request: SeenRequest) -> Fault | None:
            is_second = request.query.get("cursor") not in old
            by = {
                r.connection for r in sandbox.requests if r.query.get("cursor") in old
            }
            return (
                faults.status(409) if is_second and request.connection in by else None
            )

        sandbox.script(script)
        run = sync(tap, state)
        assert run.code == 0, run.log
        assert {*run.uuids} == {*everyone(sandbox)}

    @pytest.mark.parametrize("status", [401, 403, 500])
    def test_the_run_fails_if_the_account_cannot_be_read_from_its_start_either(
        self, tap: Tap, sandbox: Sandbox, state: Any, status: int
    ) -> None:
        sandbox.script(lambda _: faults.status(status))
        run = sync(tap, state, max_retries=4)
        assert run.code == 1
        assert len(run.errors) == 1
        assert f"range 1, page 1: {status}" in run.errors[0]
        assert not run.records
        assert run.state == state
        sandbox.script({})
        assert sorted(sync(tap, run.state).uuids) == everyone(sandbox)

    def test_places_of_an_unfinished_sync_that_fail_are_read_again(
        self, tap: Tap, sandbox: Sandbox, state: Any
    ) -> None:
        first = interrupted(tap, state, 20)
        sandbox.age_cursors()
        rest = sync(tap, first.state)
        assert rest.code == 0, rest.log
        assert {*rest.uuids} == {*everyone(sandbox)}
        assert "400" in rest.warnings[0]
        assert {seen.status for seen in sandbox.requests} == {200, 400}

    def test_where_all_customers_are_behind_the_last_one_they_are_found(
        self, tap: Tap, sandbox: Sandbox, state: Any
    ) -> None:
        for customer in sandbox.customers[: -PER_PAGE // 2]:
            sandbox.remove(customer["uuid"])
        run = sync(tap, state, **DELETES)
        assert {*run.uuids} == {*everyone(sandbox)}
        assert not run.warnings
        assert len(run.of_type("ACTIVATE_VERSION")) == 1
        counted = run.log.split("Read ")[1].split(" customers")[0]
        assert int(counted) == len(everyone(sandbox)) == PER_PAGE // 2


@pytest.mark.parametrize("status", [429, 503])
def test_every_range_waits_when_the_service_asks_one_to(
    tap: Tap, sandbox: Sandbox, state: Any, status: int
) -> None:
    sandbox.script({20: faults.status(status, retry_after=2)})
    run = sync(tap, state)
    assert run.code == 0
    told = sandbox.requests[19].time
    # What was on its way when the service said so is not held back.
    assert min(r.time - told for r in sandbox.requests[19 + AT_ONCE :]) >= 2


def test_an_error_in_one_range_says_its_number_and_page(
    tap: Tap, sandbox: Sandbox, state: Any
) -> None:
    odd = faults.with_values(entries=[{"uuid": 7}])
    sandbox.script({12: odd})
    run = sync(tap, state)
    assert run.code == 1
    (error,) = run.errors
    assert "range " in error
    assert "page " in error
    assert run.resume
    assert len(run.resume["ranges"]) == AT_ONCE
