"""The sandbox answers as ChartMogul's List Customers API is known to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox import Sandbox, generate_customers
from tests.sandbox import page, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = generate_customers(600)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(CUSTOMERS, rate_limit=None) as running:
        yield running


def order(customer: dict[str, Any]) -> tuple[bool, datetime, int]:
    since = customer["customer-since"]
    instant = (
        datetime.fromisoformat(since) if since else datetime.max.replace(tzinfo=UTC)
    )
    return since is None, instant, customer["id"]


def test_sends_every_customer_once_to_the_digit_in_order(sandbox: Sandbox) -> None:
    assert read_all(sandbox, per_page=7) == sorted(CUSTOMERS, key=order)


def test_an_empty_result_has_a_null_cursor(sandbox: Sandbox) -> None:
    body = page(sandbox, external_id="nobody's")
    assert (body["entries"], body["cursor"], body["has_more"]) == ([], None, False)


def test_every_cursor_holds_the_characters_that_urls_escape(sandbox: Sandbox) -> None:
    cursor = page(sandbox, per_page=1)["cursor"]
    assert set("+/=") < set(cursor)
    unescaped = requests.get(
        f"{sandbox.url}/customers?cursor={cursor}",
        auth=(sandbox.api_key, ""),
        timeout=10,
    )
    assert unescaped.status_code == 400


def test_a_cursor_stays_good_when_its_own_customer_goes(sandbox: Sandbox) -> None:
    body = page(sandbox, per_page=10)
    following = sandbox.customers[10:20]
    sandbox.remove(body["entries"][-1]["uuid"])
    body = page(sandbox, per_page=10, cursor=body["cursor"])
    assert body["entries"] == following


def test_a_customer_that_moves_behind_the_reader_comes_again(sandbox: Sandbox) -> None:
    body = page(sandbox)
    moved = body["entries"][0] | {"customer-since": "2030-01-01T00:00:00+00:00"}
    sandbox.put(moved)
    rest = []
    while body["has_more"]:
        body = page(sandbox, cursor=body["cursor"])
        rest += body["entries"]
    assert rest.count(moved) == 1
    assert len(rest) == 401


def test_pages_rendered_beforehand_are_the_same_until_a_change(
    sandbox: Sandbox,
) -> None:
    read = read_all(sandbox)
    sandbox.prerender()
    assert read_all(sandbox) == read
    sandbox.remove(read[0]["uuid"])
    assert read_all(sandbox) == read[1:]
