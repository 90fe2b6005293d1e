"""The sandbox can change customers while a client reads, and says whom it touched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from sandbox.cursors import position_of
from tests.sandbox import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.changes import Changes

Customers = dict[str, dict[str, Any]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_customers(200, seed=1), rate_limit=None) as running:
        yield running


def by_uuid(sandbox: Sandbox) -> Customers:
    return {customer["uuid"]: customer for customer in sandbox.customers}


def ask(sandbox: Sandbox, times: int) -> None:
    for _ in range(times):
        page(sandbox, per_page=1)


def changed(sandbox: Sandbox, one_in: int = 1, seed: int = 1) -> Changes:
    with sandbox.changing(one_in=one_in, seed=seed) as changes:
        ask(sandbox, 60)
    return changes


def test_leads_start_to_pay_and_move_to_the_end_of_those_with_a_date(
    sandbox: Sandbox,
) -> None:
    before, start = by_uuid(sandbox), datetime.now(UTC)
    changes = changed(sandbox)
    dated = [c for c in sandbox.customers if c["customer-since"]]
    paid = [
        customer
        for customer in dated
        if customer["uuid"] in before
        and before[customer["uuid"]]["customer-since"] is None
        and datetime.fromisoformat(customer["customer-since"]) > start
    ]
    assert len(paid) > 5
    for customer in paid:
        assert (customer["status"], customer["mrr"] > 0) == ("Active", True)
        assert dated.index(customer) >= len(dated) - len(changes.touched)


def test_a_date_that_is_corrected_changes_nothing_else(sandbox: Sandbox) -> None:
    before = by_uuid(sandbox)
    changed(sandbox)
    kinds = {
        frozenset(name for name in now if now[name] != before[uuid][name])
        for uuid, now in by_uuid(sandbox).items()
        if uuid in before
    }
    assert {"customer-since"} in kinds
    assert set().union(*kinds) == {"customer-since", "status", "mrr", "arr"}


def test_customers_come_and_go(sandbox: Sandbox) -> None:
    before = by_uuid(sandbox)
    changed(sandbox)
    after = by_uuid(sandbox)
    assert len(after.keys() - before.keys()) > 3
    assert len(before.keys() - after.keys()) > 3


def test_says_whom_it_touched_and_touches_nobody_else(sandbox: Sandbox) -> None:
    before = by_uuid(sandbox)
    changes = changed(sandbox)
    after = by_uuid(sandbox)
    assert {
        uuid
        for uuid in before.keys() | after.keys()
        if before.get(uuid) != after.get(uuid)
    } <= changes.touched
    assert len(changes.touched) < 60


def test_keeps_the_order_of_the_api(sandbox: Sandbox) -> None:
    changed(sandbox)
    assert sandbox.customers == sorted(sandbox.customers, key=position_of)


def test_a_seed_gives_the_same_changes() -> None:
    def touched(seed: int) -> set[str]:
        with Sandbox(generate_customers(200, seed=1), rate_limit=None) as sandbox:
            return changed(sandbox, one_in=3, seed=seed).touched

    assert touched(1) == touched(1) != touched(2)


def test_changes_one_in_so_many_requests(sandbox: Sandbox) -> None:
    assert 0 < len(changed(sandbox, one_in=5).touched) < 30


def test_stops_at_the_end_of_its_block(sandbox: Sandbox) -> None:
    changed(sandbox)
    after = sandbox.customers
    ask(sandbox, 20)
    assert sandbox.customers == after


def test_changes_nobody_where_there_is_nobody() -> None:
    with Sandbox(rate_limit=None) as sandbox:
        assert changed(sandbox).touched == set()
