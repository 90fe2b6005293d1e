"""The tap with the real target-postgres, a real server, and deletes switched on."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests import forks, postgres
from tests.postgres import Database, Load, Pipeline, row_of
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiohttp import web

    from sandbox.exchange import Exchange
    from sandbox.faults import Fault

PER_PAGE = 20
SETTINGS: dict[str, Any] = {
    "per_page": PER_PAGE,
    "emit_activate_version_messages": True,
}
ACCOUNT = generate_customers(6 * PER_PAGE, seed=1)
ODD = ACCOUNT[0] | {
    "attributes": {
        "tags": ["💎", "\u202eright to left"],
        "custom": {"a tenth": Decimal("0.1"), "long": 12345678901234567890},
    }
}

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def loaded(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database that holds the account as a first load left it."""
    warehouse = server.copy("loaded")
    with account() as sandbox:
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
    with account() as sandbox:
        yield sandbox


def account() -> Sandbox:
    return Sandbox([ODD, *ACCOUNT[1:]], rate_limit=None)


def start(tap: Tap, warehouse: Database) -> Pipeline:
    return Pipeline(tap.command(**SETTINGS), warehouse, tap.folder)


def load(tap: Tap, warehouse: Database, state: object = None) -> Load:
    return postgres.load(tap, warehouse, state=state, **SETTINGS)


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


def test_a_first_load_holds_every_customer_to_the_digit(
    sandbox: Sandbox, loaded: Database
) -> None:
    assert loaded.customers() == rows_of(sandbox)


def test_a_later_load_changes_adds_and_deletes_rows(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    change(sandbox)
    assert load(tap, warehouse).tap_code == 0
    assert warehouse.customers() == rows_of(sandbox)


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

    assert load(tap, warehouse, run.state).tap_code == 0
    assert "cursor" in sandbox.requests[4].query
    assert warehouse.customers() == rows_of(sandbox)


def test_a_load_that_the_api_broke_off_is_resumed(
    tap: Tap, sandbox: Sandbox, warehouse: Database
) -> None:
    change(sandbox)
    sandbox.script({3: faults.status(401)})
    run = load(tap, warehouse)
    assert (run.tap_code, run.target_code) == (1, 0)
    assert_that_no_live_customer_has_gone(sandbox, warehouse)

    assert load(tap, warehouse, run.state).tap_code == 0
    assert sandbox.requests[3].query == sandbox.requests[2].query
    assert warehouse.customers() == rows_of(sandbox)


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

    assert load(tap, warehouse, run.state).tap_code == 0
    assert warehouse.customers() == rows_of(sandbox)


@pytest.fixture
def meltano(project: Path, sandbox: Sandbox, warehouse: Database) -> Callable[..., int]:
    """Return `meltano run` with the warehouse as its target."""
    settings = {
        "tap_chartmogul_customers": {
            "api_url": sandbox.url,
            "api_key": sandbox.api_key,
            "per_page": PER_PAGE,
            "emit_activate_version_messages": "true",
        },
        "target_postgres": warehouse.settings(),
    }
    variables = {
        f"{plugin}_{name}".upper(): str(value)
        for plugin, values in settings.items()
        for name, value in values.items()
    }

    def run(*options: str) -> int:
        pipeline = ("tap-chartmogul-customers", "target-postgres")
        return forks.run(
            forks.MELTANO,
            ["run", "--no-install", *options, *pipeline],
            *(project / "meltano.out", project / "meltano.log"),
            folder=project,
            environment=os.environ | variables,
        )

    return run


def test_meltano_resumes_a_load_unless_told_to_start_over(
    meltano: Callable[..., int], sandbox: Sandbox, warehouse: Database
) -> None:
    sandbox.script({3: faults.status(401), 6: faults.status(401)})
    assert meltano() != 0

    change(sandbox)
    assert meltano("--full-refresh") != 0
    _, _, first, _, failed = (request.query for request in sandbox.requests[1:])
    assert "cursor" not in first
    assert_that_no_live_customer_has_gone(sandbox, warehouse)

    assert meltano() == 0
    assert sandbox.requests[6].query == failed
    assert warehouse.customers() == rows_of(sandbox)
