"""The sandbox can refuse cursors that have become old, or misread them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers, stale
from tests.sandbox import get, page, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = 60


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_customers(CUSTOMERS), rate_limit=None) as running:
        yield running


def tenth_cursor(sandbox: Sandbox) -> str:
    cursor: str = page(sandbox, per_page=10)["cursor"]
    return cursor


def test_refuses_an_old_cursor_and_takes_a_new_one(sandbox: Sandbox) -> None:
    sandbox.prerender(10)
    old = tenth_cursor(sandbox)
    sandbox.age_cursors()
    response = get(sandbox, cursor=old, per_page=10)
    assert response.status_code == 400
    assert response.json() == {
        "code": 400,
        "message": "The cursor is not valid",
        "param": "cursor",
    }
    assert read_all(sandbox, per_page=10) == sandbox.customers
    sandbox.prerender(10)
    assert read_all(sandbox, per_page=10) == sandbox.customers


@pytest.mark.parametrize(
    ("reading", "skipped"),
    [
        (stale.first_page, 0),
        (stale.end, CUSTOMERS),
        (stale.shifted(5), 15),
        (stale.shifted(-11), 0),
        (stale.shifted(51), CUSTOMERS),
    ],
)
def test_takes_an_old_cursor_for_another_place_and_reads_on_from_there(
    sandbox: Sandbox, reading: stale.Reading, skipped: int
) -> None:
    cursor = tenth_cursor(sandbox)
    sandbox.age_cursors(reading)
    body = page(sandbox, per_page=10, cursor=cursor)
    read = body["entries"]
    if body["has_more"]:
        read += page(sandbox, cursor=body["cursor"])["entries"]
    assert read == sandbox.customers[skipped:]
