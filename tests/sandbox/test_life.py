"""The account that lives: what it says of a day is what happened to its customers."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from sandbox import Sandbox
from sandbox.life import Life, Movement

FIRST = date(2026, 3, 1)


def mrr(sandbox: Sandbox) -> Counter[str]:
    return Counter(
        {customer["uuid"]: customer["mrr"] for customer in sandbox.customers}
    )


def lived(days: int, seed: int) -> tuple[Sandbox, list[list[Movement]]]:
    sandbox = Sandbox()
    life = Life(sandbox, seed=seed)
    return sandbox, [life.live(FIRST + timedelta(number)) for number in range(days)]


def test_the_movements_of_a_day_are_the_changes_of_its_customers() -> None:
    sandbox = Sandbox()
    life = Life(sandbox)
    for number in range(30):
        before = mrr(sandbox)
        movements = life.live(FIRST + timedelta(number))
        after = mrr(sandbox)
        changes = {
            uuid: after[uuid] - before[uuid]
            for uuid in before | after
            if after[uuid] != before[uuid]
        }
        assert {movement.uuid: movement.cents for movement in movements} == changes


def test_a_month_has_movements_of_every_kind_and_deletes() -> None:
    sandbox, days = lived(30, seed=1)
    kinds = Counter(movement.kind for day in days for movement in day)
    assert set(kinds) == {*("new", "expansion", "contraction", "churn", "reactivation")}
    assert min(kinds.values()) > 5
    there = {customer["uuid"] for customer in sandbox.customers}
    gone = {movement.uuid for day in days for movement in day} - there
    assert gone


def test_who_comes_back_after_a_delete_is_who_went() -> None:
    sandbox = Sandbox()
    life = Life(sandbox)
    seen = {customer["uuid"]: customer for customer in sandbox.customers}
    back = 0
    for number in range(30):
        before = {customer["uuid"] for customer in sandbox.customers}
        life.live(FIRST + timedelta(number))
        for customer in sandbox.customers:
            if customer["uuid"] in seen.keys() - before:
                back += 1
                assert customer == seen[customer["uuid"]]
            seen[customer["uuid"]] = customer
    assert back


def test_the_same_seed_is_the_same_life() -> None:
    (one, days), (other, same_days), (_, other_days) = (
        lived(5, seed) for seed in (1, 1, 2)
    )
    assert (one.customers, days) == (other.customers, same_days)
    assert days != other_days
