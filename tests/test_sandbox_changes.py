"""The sandbox can change customers while a client reads, and says whom it touched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from sandbox.cursors import position_of
from tests.test_sandbox import page

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


def test_a_lead_that_pays_moves_to_the_end_of_those_with_a_date(
    sandbox: Sandbox,
) -> None:
    before, start = by_uuid(sandbox), datetime.now(UTC)
    changes = changed(sandbox)
    paid = changes.paid - changes.removed - changes.corrected
    assert len(paid) > 5
    dated = [c for c in sandbox.customers if c["customer-since"]]
    for uuid in paid - changes.added:
        assert before[uuid]["customer-since"] is None
    for uuid in paid:
        customer = by_uuid(sandbox)[uuid]
        assert start < datetime.fromisoformat(customer["customer-since"])
        assert dated.index(customer) >= len(dated) - len(changes.touched)


def test_a_date_that_is_corrected_moves_its_customer_alone(sandbox: Sandbox) -> None:
    before = by_uuid(sandbox)
    changes = changed(sandbox)
    corrected = changes.corrected - changes.removed - changes.added
    assert corrected
    for uuid in corrected:
        was, now = before[uuid], by_uuid(sandbox)[uuid]
        assert {key for key in now if now[key] != was[key]} <= {
            "customer-since",
            "status",
        }


def test_customers_come_and_go(sandbox: Sandbox) -> None:
    before = by_uuid(sandbox)
    changes = changed(sandbox)
    after = by_uuid(sandbox)
    assert len(changes.added) > 3
    assert len(changes.removed) > 3
    assert after.keys() == (before.keys() | changes.added) - changes.removed


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
