from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import API_KEY, Sandbox, faults, generate_customers
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.running import cursor_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.faults import Fault
    from tests.running import Run, Tap


KEPT_BY_0_1_0 = ("started_at", "filters", "account", "version")


def interrupted(tap: Tap, *, at: int = 4, **settings: object) -> Run:
    """Run until a page that the service refuses, of pages of ten customers."""
    tap.sandbox.script({at: faults.status(402)})
    run = tap.run(per_page=10, **settings)
    assert run.code == 1
    assert run.resume is not None
    tap.sandbox.script({})
    tap.sandbox.requests.clear()
    return run


def resumed(tap: Tap, state: object, **settings: object) -> Run:
    run = tap.run(per_page=10, state=state, **settings)
    assert run.code == 0, run.log
    assert run.resume is None
    return run


def started_over(run: Run, sandbox: Sandbox) -> bool:
    everyone = [customer["uuid"] for customer in sandbox.customers]
    return run.uuids == everyone and "cursor" not in sandbox.requests[-6].query


def test_states_each_whole_page_after_its_records(tap: Tap) -> None:
    run = tap.run(per_page=10)
    kinds = [message["type"] for message in run.messages]
    page = ["RECORD"] * 10 + ["STATE"]
    assert kinds == ["SCHEMA", *page * 6]
    cursors = [cursor_in(message["value"]) for message in run.of_type("STATE")]
    assert [request.query["cursor"] for request in tap.sandbox.requests[1:]] == (
        cursors[:-1]
    )


def test_a_finished_sync_leaves_nothing_to_resume(tap: Tap) -> None:
    run = tap.run(per_page=10)
    assert set(run.state["bookmarks"]["customers"]) == {"boundaries"}
    assert len(resumed(tap, run.state).records) == 60


def test_a_sync_that_changes_no_state_loses_no_record(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    # So few that the buffer of the output has room for all.
    with Sandbox(generate_customers(10, seed=1), rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        first = tap.run()
        second = tap.run(state=first.state)
    assert second.state == first.state
    assert second.uuids == first.uuids


def test_resumes_at_the_page_that_failed(tap: Tap, sandbox: Sandbox) -> None:
    first = interrupted(tap)
    assert len(first.records) == 30
    assert "page 4: 402" in first.errors[0]
    second = resumed(tap, first.state)
    assert sandbox.requests[0].query["cursor"] == first.cursor
    assert first.uuids + second.uuids == [c["uuid"] for c in sandbox.customers]


def test_resumes_as_often_as_it_is_interrupted(tap: Tap, sandbox: Sandbox) -> None:
    uuids: list[str] = []
    state: Any = None
    for _ in range(5):
        sandbox.requests.clear()
        sandbox.script({2: faults.status(402)})
        run = tap.run(per_page=10, state=state)
        uuids += run.uuids
        state = run.state
    sandbox.script({})
    uuids += resumed(tap, state).uuids
    assert uuids == [customer["uuid"] for customer in sandbox.customers]


@pytest.mark.parametrize(
    "fault", [faults.status(402), faults.redirect("https://127.0.0.1/v1/customers")]
)
def test_a_run_that_reads_nothing_hands_the_state_on(
    tap: Tap, sandbox: Sandbox, fault: Fault
) -> None:
    first = interrupted(tap)
    sandbox.script({1: fault})
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert second.state == first.state


def test_the_state_holds_cursor_filters_and_start_and_never_the_key(
    tap: Tap, sandbox: Sandbox
) -> None:
    before = datetime.now(UTC)
    run = interrupted(tap, at=2, system="Stripe")
    resume = run.resume
    assert resume
    assert run.cursor
    assert resume["filters"] == {
        "data_source_uuid": None,
        "external_id": None,
        "status": None,
        "system": "Stripe",
    }
    assert before <= datetime.fromisoformat(resume["started_at"]) <= datetime.now(UTC)
    assert sandbox.api_key not in json.dumps(run.state)


def test_a_resumed_sync_keeps_its_start(tap: Tap, sandbox: Sandbox) -> None:
    first = interrupted(tap, at=2)
    sandbox.script({2: faults.status(402)})
    second = tap.run(per_page=10, state=first.state)
    assert first.resume
    assert second.resume
    assert second.resume["started_at"] == first.resume["started_at"]
    assert second.cursor != first.cursor


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "Active"}, "it had other filters"),
        ({"resume_max_age_hours": 0}, "`resume_max_age_hours` is 0"),
        ({"emit_activate_version_messages": True}, "has changed since"),
    ],
)
def test_starts_over_when_the_unfinished_sync_does_not_fit(
    tap: Tap, sandbox: Sandbox, change: dict[str, Any], reason: str
) -> None:
    first = interrupted(tap)
    second = resumed(tap, first.state, **change)
    assert "cursor" not in sandbox.requests[0].query
    assert len(second.warnings) == 1
    assert "Starting over" in second.warnings[0]
    assert reason in second.warnings[0]


@pytest.mark.parametrize("api_key", ["another", API_KEY])
def test_starts_over_with_another_key_or_at_another_address(
    tap: Tap, tap_on: Callable[[Sandbox], Tap], api_key: str
) -> None:
    first = interrupted(tap)
    customers = tap.sandbox.customers
    with Sandbox(customers, api_key=api_key, rate_limit=None) as other:
        second = resumed(tap_on(other), first.state)
        assert started_over(second, other)
    assert "another `api_key` or `api_url`" in second.warnings[0]


@pytest.mark.parametrize("shift", [timedelta(hours=-7), timedelta(hours=7)])
def test_starts_over_when_the_start_is_seven_hours_away(
    tap: Tap, sandbox: Sandbox, shift: timedelta
) -> None:
    first = interrupted(tap)
    assert first.resume
    start = datetime.fromisoformat(first.resume["started_at"]) + shift
    first.resume["started_at"] = start.isoformat()
    second = resumed(tap, first.state)
    assert started_over(second, sandbox)
    assert "it started " in second.warnings[0]


def test_reads_all_of_it_when_the_service_refuses_the_cursor(
    tap: Tap, sandbox: Sandbox
) -> None:
    first = interrupted(tap)
    assert first.resume
    first.resume["ranges"][0]["cursor"] = "of-another-form"
    second = resumed(tap, first.state)
    assert started_over(second, sandbox)
    assert len(second.warnings) == 1
    assert "400" in second.warnings[0]


def test_resumes_what_version_0_1_0_left(tap: Tap, sandbox: Sandbox) -> None:
    first = interrupted(tap)
    assert first.resume
    resume = {name: first.resume[name] for name in KEPT_BY_0_1_0}
    resume["cursor"] = first.cursor
    state = {"bookmarks": {"customers": {"resume": resume}}}
    second = resumed(tap, state)
    assert sandbox.requests[0].query["cursor"] == first.cursor
    assert first.uuids + second.uuids == [c["uuid"] for c in sandbox.customers]


def test_a_refusal_that_is_not_about_the_cursor_ends_the_run(
    tap: Tap, sandbox: Sandbox
) -> None:
    first = interrupted(tap)
    sandbox.script({1: faults.status(400), 2: faults.status(400)})
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert len(sandbox.requests) == 2


def test_a_refusal_of_a_later_page_is_not_about_the_cursor_of_the_state(
    tap: Tap, sandbox: Sandbox
) -> None:
    first = interrupted(tap)
    sandbox.script({2: faults.status(400)})
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    "state",
    [
        "",
        "not json",
        " \n",
        "[" * 100_000,
        b"\xff\xfe",
        "[]",
        "null",
        {},
        {"bookmarks": None},
        {"bookmarks": []},
        {"bookmarks": {"customers": None}},
        {"bookmarks": {"customers": ["resume"]}},
        {"bookmarks": {"customers": {"resume": None}}},
        {"bookmarks": {"customers": {"resume": "cursor"}}},
        {"bookmarks": {"customers": {"resume": {}}}},
        {"bookmarks": {"customers": {"resume": {"cursor": "abc"}}}},
        {"bookmarks": {"customers": {"partitions": [{"context": {"a": 1}}] * 2}}},
        {"bookmarks": {"customers": {"replication_key_value": "2023"}}},
        {"bookmarks": {"invoices": {"resume": {"cursor": "abc"}}}},
        {"customers": "2023-01-01"},
    ],
)
def test_a_damaged_or_foreign_state_costs_no_record(
    tap: Tap, sandbox: Sandbox, state: object
) -> None:
    assert started_over(resumed(tap, state), sandbox)


def test_keeps_of_a_state_what_this_tap_wrote_and_no_more() -> None:
    ours = {"resume": {"cursor": "abc"}}
    foreign = {"partitions": [], "replication_key_value": "2023"}
    bookmarks = {"customers": ours | foreign, "invoices": ours}
    state = {"bookmarks": bookmarks, "currently_syncing": "customers"}
    tap = TapChartMogulCustomers(config={"api_key": "key"}, state=state)
    assert tap.state == {"bookmarks": {"customers": ours}}


def test_a_damaged_unfinished_sync_costs_no_record(tap: Tap, sandbox: Sandbox) -> None:
    first = interrupted(tap)
    assert first.resume
    first.resume["ranges"] = [{"cursor": 5}]
    second = resumed(tap, first.state)
    assert started_over(second, sandbox)
    assert "Starting over: the state is damaged" in second.warnings[0]
