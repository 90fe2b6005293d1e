from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers, store
from tap_chartmogul_customers.settings.schema import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.faults import Fault
    from tests.running import Tap


def uuids(sandbox: Sandbox) -> list[str]:
    return [customer["uuid"] for customer in sandbox.customers]


def test_reads_every_customer_once_and_in_order(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(per_page=7)
    assert run.code == 0
    assert run.uuids == uuids(sandbox)
    # The sandbox takes no cursor but exactly as it gave it.
    first, *others = [request.query for request in sandbox.requests]
    assert len(others) == 8
    assert first == {"per_page": "7"}
    assert all(query.keys() == {"per_page", "cursor"} for query in others)


@pytest.mark.parametrize("name", [each.name for each in FILTERS])
def test_every_filter_reads_what_the_service_has_for_it(
    tap_on: Callable[[Sandbox], Tap], name: str
) -> None:
    with Sandbox(generate_customers(300, seed=2), rate_limit=None) as sandbox:
        values = {c["uuid"]: [*store.FILTERS[name](c)] for c in sandbox.customers}
        wanted = next(filter(None, chain.from_iterable(values.values())))
        run = tap_on(sandbox).run(per_page=10, **{name: wanted})
    assert run.code == 0
    assert {*run.uuids} == {uuid for uuid, passes in values.items() if wanted in passes}
    assert 0 < len(run.uuids) < 300


def test_an_empty_page_is_not_the_end(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({1: faults.empty_page(), 3: faults.empty_page()})
    run = tap.run(per_page=20)
    assert run.code == 0
    assert run.uuids == uuids(sandbox)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (faults.with_values(cursor=None), "`has_more` is true, but there is no"),
        (faults.without("has_more"), "missing required field `has_more`"),
        (faults.with_values(has_more="true"), "Expected `bool`, got `str`"),
        (faults.without("entries"), "missing required field `entries`"),
        (faults.with_values(entries={}), "Expected `array`, got `object`"),
        (faults.with_values(entries=[{"uuid": ""}]), "a customer without a `uuid`"),
        (faults.body(b"[]"), "Expected `object`, got `array`"),
    ],
)
def test_a_page_that_does_not_lead_to_the_next_one_ends_the_run(
    tap: Tap, sandbox: Sandbox, fault: Fault, problem: str
) -> None:
    sandbox.script({2: fault})
    run = tap.run(per_page=20)
    assert run.code == 1
    (error,) = run.errors
    assert "age 2: " in error
    assert problem in error
    assert run.resume is not None
    assert len(sandbox.requests) <= 3  # No such page is worth another try.


def test_a_cursor_that_came_before_ends_the_run_however_long_ago(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script(
        lambda request: (
            faults.repeated_cursor(sandbox.requests[1].query["cursor"])
            if request.number == 5
            else None
        )
    )
    run = tap.run(per_page=5)
    assert run.code == 1
    assert "page 5: its `cursor` came before in this run" in run.errors[0]
    assert len(sandbox.requests) == 5
