"""State after each page, and a sync that is resumed from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import faults
from tap_chartmogul_customers.sync.bookmark import Account
from tests.running import cursor_in

if TYPE_CHECKING:
    from sandbox import Sandbox
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


def test_states_each_whole_page_after_its_records(tap: Tap) -> None:
    run = tap.run(per_page=10)
    kinds = [message["type"] for message in run.messages]
    page = ["RECORD"] * 10 + ["STATE"]
    assert kinds == ["SCHEMA", *page * 6]
    cursors = [cursor_in(message["value"]) for message in run.of_type("STATE")]
    asked_for = [request.query["cursor"] for request in tap.sandbox.requests[1:]]
    assert asked_for == cursors[:5]
    assert run.resume is None


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


@pytest.mark.parametrize("status", [400, 500])
def test_reads_all_of_it_when_the_service_does_not_take_the_cursor(
    tap: Tap, sandbox: Sandbox, status: int
) -> None:
    first = interrupted(tap)
    sandbox.script({1: faults.status(status)})
    second = resumed(tap, first.state, max_retries=0)
    assert second.uuids == everyone(sandbox)
    assert (
        f"Reading from an earlier place: GET /v1/customers, page 1: {status}"
        in second.warnings[-1]
    )


@pytest.mark.parametrize("at", [1, 2])
def test_a_refusal_that_is_not_about_the_cursor_ends_the_run(
    tap: Tap, sandbox: Sandbox, at: int
) -> None:
    first = interrupted(tap)
    sandbox.script({at: faults.status(400), 2: faults.status(400)})
    second = tap.run(per_page=10, state=first.state)
    assert second.code == 1
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    "state",
    [
        "[" * 100_000,
        b"\xff\xfe",
        "null",
        {},
        {"bookmarks": []},
        {"bookmarks": {"customers": ["resume"]}},
        {"bookmarks": {"customers": {"ranges": [{"cursor": 5}]}}},
        {"bookmarks": {"customers": {"version": 1, "streams": ["\ud800"]}}},
        {"bookmarks": {"customers": {"partitions": [{"context": {"a": 1}}] * 2}}},
        {"bookmarks": {"customers": {"replication_key_value": "2023"}}},
        {"bookmarks": {}, "currently_syncing": "customers"},
    ],
)
def test_a_damaged_or_foreign_state_costs_no_record(
    tap: Tap, sandbox: Sandbox, state: object
) -> None:
    run = resumed(tap, state)
    assert run.uuids == everyone(sandbox)
    assert run.state == {
        "bookmarks": {"customers": run.state["bookmarks"]["customers"]}
    }


@pytest.mark.parametrize("version", [None, 7])
def test_what_0_1_0_left_is_resumed(
    tap: Tap, sandbox: Sandbox, version: int | None
) -> None:
    first = interrupted(tap)
    assert first.resume
    text = f"{sandbox.url}\n{sandbox.api_key}".encode()
    resume = {name: first.resume[name] for name in ("started_at", "filters")}
    resume["account"] = hashlib.blake2b(text, digest_size=4).hexdigest()
    resume |= {"cursor": first.cursor, "version": version}
    state = {"bookmarks": {"customers": {"resume": resume}}}
    rest = resumed(tap, state, emit_activate_version_messages=version is not None)
    uuids = first.uuids + rest.uuids
    # What the second look finds comes twice.
    assert [*dict.fromkeys(uuids)] == everyone(sandbox)
    assert {each.get("version") for each in rest.of_type("RECORD")} == {version}


def test_a_python_that_keeps_to_fips_knows_no_account_of_0_1_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(hashlib, "blake2b")
    assert not Account("url", "key", {}).reads("0a1b2c3d")
