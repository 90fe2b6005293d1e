"""The sandbox answers as ChartMogul's List Customers API is known to."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

import sandbox as sandbox_package
from sandbox import DATA_SOURCES, Sandbox, generate_customers
from tests.sandbox import page, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = generate_customers(1000, seed=1)
DEPRECATED = {"current_page", "page", "per_page", "total_pages"}


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


def test_a_first_page_carries_the_deprecated_fields(sandbox: Sandbox) -> None:
    body = page(sandbox, per_page=30)
    assert body.keys() == {"entries", "cursor", "has_more"} | DEPRECATED
    assert {name: body[name] for name in DEPRECATED} == {
        "current_page": 1,
        "page": 1,
        "per_page": 30,
        "total_pages": 34,
    }


def test_a_page_by_cursor_carries_three_fields(sandbox: Sandbox) -> None:
    cursor = page(sandbox)["cursor"]
    assert page(sandbox, cursor=cursor).keys() == {"entries", "cursor", "has_more"}


def test_pages_hold_200_customers_unless_told(sandbox: Sandbox) -> None:
    assert len(page(sandbox)["entries"]) == 200
    assert len(page(sandbox, per_page=3)["entries"]) == 3


def test_the_deprecated_page_number_still_works(sandbox: Sandbox) -> None:
    body = page(sandbox, per_page=100, page=10)
    assert body["entries"] == sandbox.customers[900:]
    assert (body["page"], body["has_more"]) == (10, False)


def test_the_last_page_still_carries_a_cursor(sandbox: Sandbox) -> None:
    body = page(sandbox, external_id=CUSTOMERS[0]["external_id"])
    assert body["has_more"] is False
    assert isinstance(body["cursor"], str)


def test_has_more_is_false_on_a_last_page_that_is_full(sandbox: Sandbox) -> None:
    body = page(sandbox)
    for _ in range(4):
        assert body["has_more"] is True
        body = page(sandbox, cursor=body["cursor"])
    assert (len(body["entries"]), body["has_more"]) == (200, False)


def test_an_empty_result_has_a_null_cursor(sandbox: Sandbox) -> None:
    body = page(sandbox, external_id="nobody's")
    assert (body["entries"], body["cursor"], body["has_more"]) == ([], None, False)
    assert body["total_pages"] == 0


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
    sandbox.remove(body["entries"][0]["uuid"])
    assert len(sandbox.customers) == 998
    body = page(sandbox, per_page=10, cursor=body["cursor"])
    assert body["entries"] == following


def test_a_customer_that_moves_behind_the_reader_comes_again(sandbox: Sandbox) -> None:
    body = page(sandbox, per_page=200)
    moved = body["entries"][0] | {"customer-since": "2030-01-01T00:00:00+00:00"}
    sandbox.put(moved)
    assert len(sandbox.customers) == 1000
    rest = []
    while body["has_more"]:
        body = page(sandbox, cursor=body["cursor"])
        rest += body["entries"]
    assert rest.count(moved) == 1
    assert len(rest) == 801


def test_a_customer_that_is_added_is_read_in_its_place(sandbox: Sandbox) -> None:
    first = sandbox.customers[0]
    before = first | {"id": first["id"] - 1, "uuid": "cus_new"}
    sandbox.put(before)
    assert page(sandbox, per_page=2)["entries"] == [before, first]


def test_two_customers_cannot_share_an_id(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="two customers with the id"):
        sandbox.put(CUSTOMERS[0] | {"uuid": "cus_new"})
    assert sandbox.customers == sorted(CUSTOMERS, key=order)


@pytest.mark.parametrize("name", ["data_source_uuid", "external_id"])
def test_filters_by_any_of_a_merged_customers_values(
    sandbox: Sandbox, name: str
) -> None:
    merged = next(c for c in CUSTOMERS if len(set(c[f"{name}s"])) > 1)
    wanted = merged[f"{name}s"][1]
    found = read_all(sandbox, **{name: wanted, "per_page": 20})
    assert merged in found
    assert found == [c for c in sandbox.customers if wanted in c[f"{name}s"]]


@pytest.mark.parametrize(
    ("sent", "recorded"), [("Past_Due", "Past Due"), ("New_Lead", "New Lead")]
)
def test_filters_by_status_with_underscores(
    sandbox: Sandbox, sent: str, recorded: str
) -> None:
    found = read_all(sandbox, status=sent, per_page=20)
    assert found == [c for c in sandbox.customers if c["status"] == recorded]
    assert found


def test_filters_by_the_system_of_any_data_source(sandbox: Sandbox) -> None:
    found = read_all(sandbox, system="Google Sheets", per_page=20)
    assert found == [
        customer
        for customer in sandbox.customers
        if "Google Sheets" in map(DATA_SOURCES.get, customer["data_source_uuids"])
    ]
    assert {"Google Sheets", "Stripe"} <= {c["billing-system-type"] for c in found}


def test_the_system_is_case_sensitive(sandbox: Sandbox) -> None:
    assert read_all(sandbox, system="google sheets") == []


def test_filters_add_up(sandbox: Sandbox) -> None:
    found = read_all(sandbox, system="Stripe", status="Cancelled")
    assert found
    assert len(found) < len(read_all(sandbox, system="Stripe"))
    assert {customer["status"] for customer in found} == {"Cancelled"}


def test_pages_rendered_beforehand_are_the_same_until_a_change(
    sandbox: Sandbox,
) -> None:
    read = read_all(sandbox)
    sandbox.prerender()
    assert read_all(sandbox) == read
    sandbox.remove(read[0]["uuid"])
    assert read_all(sandbox) == read[1:]


def test_its_modules_import_each_other_in_one_direction() -> None:
    modules = {
        path.stem: path for path in Path(sandbox_package.__file__).parent.glob("*.py")
    }
    imports: dict[str, set[str]] = {}
    for name, path in modules.items():
        imports[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                package, _, module = node.module.partition(".")
                found = {module} if module else {alias.name for alias in node.names}
                imports[name] |= (
                    found & modules.keys() if package == "sandbox" else set()
                )
    assert imports["__main__"] >= {"life", "faults"}
    # Fails where some go round in a circle, those for types included.
    TopologicalSorter(imports).prepare()
