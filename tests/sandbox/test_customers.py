"""Generated customers hold everything odd that real accounts hold."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import generate_customers
from sandbox.fields import FIELDS

if TYPE_CHECKING:
    from random import Random

OF_THE_REFERENCE = {
    *("id", "uuid", "external_id", "name", "email", "status", "customer-since"),
    *("attributes", "address", "data_source_uuid", "data_source_uuids"),
    *("external_ids", "company", "country", "state", "city", "zip"),
    *("lead_created_at", "free_trial_started_at", "mrr", "arr"),
    *("billing-system-url", "chartmogul-url", "billing-system-type"),
    *("currency", "currency-sign"),
}
"""The fields that ChartMogul's reference has."""

Customers: TypeAlias = "list[dict[str, Any]]"


@pytest.fixture(scope="module")
def customers() -> Customers:
    return generate_customers(1000)


def test_a_seed_names_the_same_customers_each_time() -> None:
    assert generate_customers(50, seed=7) == generate_customers(50, seed=7)
    assert generate_customers(50, seed=7) != generate_customers(50, seed=8)
    assert generate_customers(50, seed=7) == generate_customers(90, seed=7)[:50]


def test_every_customer_has_every_field_save_the_newest_one(
    customers: Customers,
) -> None:
    fields = {frozenset(customer.keys() - {"website_url"}) for customer in customers}
    assert len(fields) == 1
    assert fields.pop() >= OF_THE_REFERENCE | {"owner"}
    assert 0 < sum("website_url" not in customer for customer in customers) < 300


def test_text_is_missing_in_two_ways(customers: Customers) -> None:
    for name in ("name", "email", "company", "state", "zip", "billing-system-url"):
        assert {None, ""} < {customer[name] for customer in customers}


def test_there_are_merged_customers_and_leads(customers: Customers) -> None:
    assert any(len(set(c["data_source_uuids"])) > 1 for c in customers)
    leads = [c for c in customers if "Lead" in c["status"]]
    assert {c["customer-since"] for c in leads} == {None}
    offsets = {(c["customer-since"] or "")[19:] for c in customers}
    assert {"", "+00:00", "-04:00", "+05:30"} < offsets


def test_numbers_and_texts_are_what_careless_readers_lose(customers: Customers) -> None:
    for name in ("mrr", "arr"):
        assert {type(customer[name]) for customer in customers} == {int, Decimal}
    values = defaultdict(set)
    for customer in customers:
        for key, value in customer["attributes"]["custom"].items():
            values[key].add(value)
    types = [{type(value) for value in found} for found in values.values()]
    assert all(len(found) == 1 for found in types)
    assert set().union(*types) == {str, int, bool, Decimal}
    assert Decimal("0.1") in values["discountRate"]
    assert min(values["Ledger Number"]) >= 10**19
    assert max("".join(values["Account Notes"])) > "\uffff"


def test_a_field_that_is_added_changes_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = generate_customers(300)
    attributes: Any = FIELDS["attributes"]
    custom = {"an attribute": added, **attributes["custom"]}
    fields = FIELDS | {"attributes": attributes | {"custom": custom}}
    monkeypatch.setattr("sandbox.customers.FIELDS", {"a column": added, **fields})
    after = generate_customers(300)
    columns = [customer.pop("a column") for customer in after]
    values = [c["attributes"]["custom"].pop("an attribute") for c in after]
    assert len({*columns, *values}) == 600
    assert after == before


def added(rng: Random, _: object) -> float:
    return rng.random()
