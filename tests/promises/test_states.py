"""States that were merged, or come from older versions or another Python."""

from __future__ import annotations

import subprocess
import sys
from hashlib import blake2b
from typing import Any

import pytest

from sandbox import faults
from tests.running import TAP, Run, Tap, merged, parse

DELETES = {"emit_activate_version_messages": True}


def sync(tap: Tap, state: Any = None, *, fails_at: int = 0, **settings: object) -> Run:
    """Sync, to the end or to a request from which on the service refuses all."""
    tap.sandbox.requests.clear()
    refused = faults.status(401)
    tap.sandbox.script(
        lambda request: refused if 0 < fails_at <= request.number else None
    )
    # Enough pages for ranges.
    run = tap.run(state=state, per_page=3, **settings)
    assert run.code == bool(fails_at), run.log
    assert bool(run.resume) is bool(fails_at)
    return run


def everyone(tap: Tap) -> list[str]:
    return sorted(customer["uuid"] for customer in tap.sandbox.customers)


def test_a_whole_sync_is_over_also_where_its_state_is_merged(tap: Tap) -> None:
    interrupted = sync(tap, fails_at=9)
    # So does `meltano run --full-refresh`: no state goes in, what comes out is merged.
    state = merged(sync(tap).state, interrupted.state)
    for _ in range(2):
        run = sync(tap, state)
        assert sorted(run.uuids) == everyone(tap)
        assert not run.warnings
        assert "Reading in 2 ranges" in run.log
        state = merged(run.state, state)
    assert state == run.state


def test_an_interrupted_sync_is_resumed_also_where_its_state_is_merged(
    tap: Tap,
) -> None:
    state = sync(tap, **DELETES).state
    first = sync(tap, state, fails_at=9, **DELETES)
    state = merged(first.state, state)
    rest = sync(tap, state, **DELETES)
    assert len(rest.uuids) < 60
    assert {*first.uuids, *rest.uuids} == {*everyone(tap)}
    versions = {m["version"] for run in (first, rest) for m in run.of_type("RECORD")}
    assert [m["version"] for m in rest.of_type("ACTIVATE_VERSION")] == [*versions]
    assert merged(rest.state, state) == rest.state


def test_what_0_1_0_left_is_resumed(tap: Tap) -> None:
    first = sync(tap, fails_at=9)
    assert first.resume
    text = f"{tap.sandbox.url}\n{tap.sandbox.api_key}".encode()
    resume = {name: first.resume[name] for name in ("started_at", "filters")}
    resume["account"] = blake2b(text, digest_size=4).hexdigest()
    resume |= {"cursor": first.cursor, "version": None}
    rest = sync(tap, {"bookmarks": {"customers": {"resume": resume}}})
    assert tap.sandbox.requests[0].query["cursor"] == first.cursor
    assert first.uuids + rest.uuids == [c["uuid"] for c in tap.sandbox.customers]


FIPS = """
import hashlib, runpy, sys

def refused(*_, **__):
    raise ValueError("disabled for FIPS")

new = hashlib.new
hashlib.new = lambda name, *args, **kwargs: (
    refused() if name in ("md5", "blake2b", "blake2s") else new(name, *args, **kwargs)
)
hashlib.md5 = refused
del hashlib.blake2b, hashlib.blake2s
runpy.run_module("tap_chartmogul_customers", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("account", "line"), [(None, b"Resuming the sync"), ("0a1b2c3d", b"Starting over")]
)
def test_runs_where_blake2_and_md5_are_refused(
    tap: Tap, account: str | None, line: bytes
) -> None:
    first = sync(tap, fails_at=9, **DELETES)
    assert first.resume
    first.resume["account"] = account or first.resume["account"]
    tap.sandbox.script({})
    command = tap.command(state=first.state, per_page=3, **DELETES)
    python = [sys.executable, "-c", FIPS, *command[len(TAP) :]]
    ended = subprocess.run(python, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert line in ended.stderr
    rest = Run(0, parse(ended.stdout), "")
    assert {*first.uuids, *rest.uuids} == {*everyone(tap)}
