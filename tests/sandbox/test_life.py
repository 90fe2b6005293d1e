"""The account that lives: what it says of a day is what happened to its customers."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from sandbox import Sandbox
from sandbox.life import Life

FIRST = date(2026, 3, 1)


def mrr(sandbox: Sandbox) -> Counter[str]:
    return Counter(
        {customer["uuid"]: customer["mrr"] for customer in sandbox.customers}
    )


def test_the_movements_of_a_day_are_the_changes_of_its_customers() -> None:
    sandbox = Sandbox()
    life = Life(sandbox)
    kinds: Counter[str] = Counter()
    gone: dict[str, dict[str, Any]] = {}
    returned: list[str] = []
    for number in range(30):
        customers = {customer["uuid"]: customer for customer in sandbox.customers}
        before = mrr(sandbox)
        movements = life.live(FIRST + timedelta(number))
        after = mrr(sandbox)
        changes = {
            uuid: after[uuid] - before[uuid]
            for uuid in before | after
            if after[uuid] != before[uuid]
        }
        assert {movement.uuid: movement.cents for movement in movements} == changes
        kinds.update(movement.kind for movement in movements)
        # Who comes back after a delete is who went.
        back = {c["uuid"]: c for c in sandbox.customers if c["uuid"] in gone}
        assert back.items() <= gone.items()
        returned += back
        gone = {
            uuid: customer
            for uuid, customer in (gone | customers).items()
            if uuid not in after
        }
    assert set(kinds) == {*("new", "expansion", "contraction", "churn", "reactivation")}
    assert min(kinds.values()) > 5
    assert gone
    assert returned
