"""The tap with the real target-postgres, a real server, and deletes switched on."""

from __future__ import annotations

import asyncio
import itertools
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.postgres import Database, Load, Pipeline, load, row_of
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import web

    from sandbox.exchange import Exchange
    from sandbox.faults import Fault

PER_PAGE = 20
SETTINGS: dict[str, Any] = {
    "per_page": PER_PAGE,
    "emit_activate_version_messages": True,
}
ACCOUNT = generate_customers(6 * PER_PAGE, seed=1)

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def loaded(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database that holds the account as a first load left it."""
    warehouse = server.copy("loaded")
    with Sandbox(ACCOUNT, rate_limit=None) as sandbox:
        tap = Tap(sandbox, tmp_path_factory.mktemp("load"))
        with start(tap, warehouse) as pipeline:
            run = pipeline.end()
    assert (run.tap_code, run.target_code) == (0, 0)
    return warehouse


@pytest.fixture
def warehouse(loaded: Database) -> Database:
    """A database of the test's own, which holds the account."""
    return loaded.copy(f"warehouse_{next(_numbers)}")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(ACCOUNT, rate_limit=None) as sandbox:
        yield sandbox


def start(tap: Tap, warehouse: Database) -> Pipeline:
    return Pipeline(tap.command(**SETTINGS), warehouse, tap.folder)


def finish(tap: Tap, warehouse: Database, before: Load) -> None:
    """Load what a load that did not end well has left."""
    run = load(tap, warehouse, state=before.state, **SETTINGS)
    assert (run.tap_code, run.target_code) == (0, 0)
    assert warehouse.customers() == rows_of(tap.sandbox)


def rows_of(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {customer["uuid"]: row_of(customer) for customer in sandbox.customers}


def change(sandbox: Sandbox) -> None:
    """Change, remove and add customers at both ends of the account."""
    first, second, *_, last_but_one, last = sandbox.customers
    for customer in (first, last):
        sandbox.put(customer | {"company": "Renamed 🦄"})
    for customer in (second, last_but_one):
        sandbox.remove(customer["uuid"])
        sandbox.put(customer | {"uuid": f"{customer['uuid']}-new"})


def assert_that_no_live_customer_has_gone(
    sandbox: Sandbox, warehouse: Database
) -> None:
    before = {customer["uuid"] for customer in ACCOUNT}
    assert before & rows_of(sandbox).keys() <= warehouse.customers().keys()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def held_until(event: threading.Event) -> Fault:
    async def answer(exchange: Exchange) -> web.Response:
        await asyncio.to_thread(event.wait, 60)
        return await exchange.answer()

    return answer


def test_a_load_whose_tap_was_stopped_is_resumed(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    change(sandbox)
    sandbox.script({4: faults.hang(60)})
    with start(tap, warehouse) as pipeline:
        wait_until(lambda: len(sandbox.requests) == 4)
        pipeline.tap.terminate()
        run = pipeline.end()
    assert (run.tap_code, run.target_code) == (128 + signal.SIGTERM, 0)
    assert_that_no_live_customer_has_gone(sandbox, warehouse)
    finish(tap, warehouse, run)
    assert "cursor" in sandbox.requests[4].query


def test_a_load_whose_target_was_killed_can_be_done_again(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    change(sandbox)
    (changed, *_) = rows_of(sandbox).values()
    killed = threading.Event()
    sandbox.script({4: held_until(killed)})
    with start(tap, warehouse) as pipeline:
        wait_until(lambda: warehouse.customers()[changed["uuid"]] == changed)
        pipeline.target.kill()
        killed.set()
        run = pipeline.end()
    assert (run.tap_code, run.target_code) == (1, -signal.SIGKILL)
    assert_that_no_live_customer_has_gone(sandbox, warehouse)
    finish(tap, warehouse, run)
