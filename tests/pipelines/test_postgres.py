"""The tap with the real target-postgres, a real server, and deletes switched on."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.postgres import TARGET, Database, last_state, load, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiohttp import web

    from sandbox.exchange import Exchange
    from sandbox.faults import Fault
    from tests.running import Tap

PER_PAGE = 20
SETTINGS: dict[str, Any] = {
    "per_page": PER_PAGE,
    "emit_activate_version_messages": True,
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(6 * PER_PAGE, seed=1)
    with Sandbox(customers, rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def warehouse(server: Database, tap: Tap, tmp_path: Path) -> Database:
    """A database that holds the account as it was before it changed."""
    warehouse = server.copy(tmp_path.name.lower())
    load(tap, warehouse, **SETTINGS)
    change(tap.sandbox)
    return warehouse


def change(sandbox: Sandbox) -> None:
    """Change, remove and add customers at both ends of the account."""
    first, second, *_, last_but_one, last = sandbox.customers
    for customer in (first, last):
        sandbox.put(customer | {"company": "Renamed 🦄"})
    for customer in (second, last_but_one):
        sandbox.remove(customer["uuid"])
        sandbox.put(customer | {"uuid": f"{customer['uuid']}-new"})
    sandbox.requests.clear()


@contextmanager
def piped(tap: Tap, warehouse: Database) -> Iterator[tuple[Popen[bytes], Popen[bytes]]]:
    """Run `tap | target`."""
    config = tap.folder / "target.json"
    config.write_text(json.dumps(warehouse.settings()))
    with (
        Popen(tap.command(**SETTINGS), stdout=PIPE) as source,
        Popen([TARGET, "--config", config], stdin=source.stdout, stdout=PIPE) as target,
    ):
        # Only the target may hold this end, or the tap would never see it break.
        assert source.stdout
        source.stdout.close()
        try:
            yield source, target
        finally:
            source.kill()
            target.kill()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def finish(tap: Tap, warehouse: Database, printed: bytes) -> None:
    """Load what a load that did not end well has left."""
    rows = {customer["uuid"]: row_of(customer) for customer in tap.sandbox.customers}
    assert warehouse.customers().keys() >= {u for u in rows if not u.endswith("-new")}
    load(tap, warehouse, state=last_state(printed), **SETTINGS)
    assert warehouse.customers() == rows


def test_a_load_whose_tap_was_stopped_is_resumed(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    sandbox.script({4: faults.hang(60)})
    with piped(tap, warehouse) as (source, target):
        wait_until(lambda: len(sandbox.requests) == 4)
        source.terminate()
        printed, _ = target.communicate(timeout=60)
        assert source.wait(timeout=60) == 128 + signal.SIGTERM
        assert target.returncode == 0
    finish(tap, warehouse, printed)
    assert "cursor" in sandbox.requests[4].query


def test_a_load_whose_target_was_killed_can_be_done_again(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    changed, *_ = sandbox.customers
    killed = threading.Event()
    sandbox.script({4: held_until(killed)})
    with piped(tap, warehouse) as (source, target):
        wait_until(lambda: warehouse.customers()[changed["uuid"]] == row_of(changed))
        target.kill()
        killed.set()
        printed, _ = target.communicate(timeout=60)
        assert source.wait(timeout=60) == 1
    finish(tap, warehouse, printed)


def held_until(event: threading.Event) -> Fault:
    async def answer(exchange: Exchange) -> web.Response:
        await asyncio.to_thread(event.wait, 60)
        return await exchange.answer()

    return answer
