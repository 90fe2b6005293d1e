"""State after each page, and a sync that is resumed from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.settings.schema import FILTERS
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.running import cursor_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.faults import Fault
    from tests.running import Run, Tap


def interrupted(tap: Tap, *, at: int = 4, **settings: object) -> Run:
    """Run until a page that the service refuses, of pages of ten customers."""
    tap.sandbox.script({at: faults.status(401)})
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


def everyone(sandbox: Sandbox) -> list[str]:
    return [customer["uuid"] for customer in sandbox.customers]


def started_over(run: Run, sandbox: Sandbox) -> bool:
    return run.uuids == everyone(sandbox) and "cursor" not in sandbox.requests[-6].query


def test_states_each_whole_page_after_its_records(tap: Tap) -> None:
    run = tap.run(per_page=10)
    kinds = [message["type"] for message in run.messages]
    page = ["RECORD"] * 10 + ["STATE"]
    assert kinds == ["SCHEMA", *page * 6]
    cursors = [cursor_in(message["value"]) for message in run.of_type("STATE")]
    asked_for = [request.query["cursor"] for request in tap.sandbox.requests[1:]]
    assert asked_for == cursors[:5]
    assert run.resume is None


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


def test_resumes_as_often_as_it_is_interrupted(tap: Tap, sandbox: Sandbox) -> None:
    uuids: list[str] = []
    starts: set[str] = set()
    state: Any = None
    for _ in range(5):
        run = interrupted(tap, at=2, state=state)
        assert run.resume
        uuids += run.uuids
        starts.add(run.resume["started_at"])
        state = run.state
    rest = resumed(tap, state)
    assert sandbox.requests[0].query["cursor"] == cursor_in(state)
    assert uuids + rest.uuids == everyone(sandbox)
    assert len(starts) == 1  # It is one sync.


@pytest.mark.parametrize(
    "fault", [faults.status(401), faults.redirect("https://127.0.0.1/v1/customers")]
)
def test_a_run_that_reads_nothing_hands_the_state_on(
    tap: Tap, sandbox: Sandbox, fault: Fault
) -> None:
    first = interrupted(tap)
    sandbox.script(lambda _: fault)
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert second.state == first.state


def test_the_state_holds_filters_and_start_and_never_the_key(
    tap: Tap, sandbox: Sandbox
) -> None:
    before = datetime.now(UTC)
    run = interrupted(tap, at=2, system="Stripe")
    assert run.resume
    names = [each.name for each in FILTERS]
    assert run.resume["filters"] == dict.fromkeys(names) | {"system": "Stripe"}
    started = datetime.fromisoformat(run.resume["started_at"])
    assert before <= started <= datetime.now(UTC)
    assert sandbox.api_key not in json.dumps(run.state)


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
    (warning,) = second.warnings
    assert "Starting over" in warning
    assert reason in warning


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_reads_all_of_it_when_the_service_does_not_take_the_cursor(
    tap: Tap, sandbox: Sandbox, status: int
) -> None:
    first = interrupted(tap)
    fault = faults.status(status)
    sandbox.script(
        lambda seen: fault if seen.query.get("cursor") == first.cursor else None
    )
    sandbox.age_cursors(lambda place, _: place)
    second = resumed(tap, first.state, max_retries=1)
    assert started_over(second, sandbox)
    assert (
        f"Reading from an earlier place: GET /v1/customers, page 1: {status}"
        in (second.warnings[-1])
    )


@pytest.mark.parametrize(("at", "requests"), [(1, 2), (2, 2)])
def test_a_refusal_that_is_not_about_the_cursor_ends_the_run(
    tap: Tap, sandbox: Sandbox, at: int, requests: int
) -> None:
    first = interrupted(tap)
    sandbox.script(
        lambda seen: faults.status(400) if seen.number >= at else None,
    )
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert len(sandbox.requests) == requests


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
        {"bookmarks": {"customers": {"resume": {"cursor": "abc"}}}},
        {"bookmarks": {"customers": {"boundaries": {"marks": 5}}}},
        {"bookmarks": {"customers": {"ranges": [{"cursor": 5}]}}},
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


def test_keeps_of_a_state_the_bookmark_of_its_stream_and_no_more() -> None:
    ours = {"ranges": None}
    bookmarks = {"customers": ours, "invoices": ours}
    state = {"bookmarks": bookmarks, "currently_syncing": "customers"}
    tap = TapChartMogulCustomers(config={"api_key": "key"}, state=state)
    assert tap.state == {"bookmarks": {"customers": ours}}
