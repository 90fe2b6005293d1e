"""Generated customers hold everything odd that real accounts hold."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from sandbox import DATA_SOURCES, generate_customers
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


def test_there_are_merged_customers(customers: Customers) -> None:
    merged = [c for c in customers if len(c["external_ids"]) > 1]
    assert any(
        len(set(c["data_source_uuids"])) < len(c["data_source_uuids"]) for c in merged
    )
    for customer in customers:
        assert customer["external_id"] in customer["external_ids"]
        assert customer["data_source_uuid"] in customer["data_source_uuids"]
        system = DATA_SOURCES[customer["data_source_uuid"]]
        assert customer["billing-system-type"] == system


def test_leads_alone_have_no_customer_since(customers: Customers) -> None:
    leads = [c for c in customers if "Lead" in c["status"]]
    assert {c["status"] for c in leads} == {
        *("New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead", "Lead")
    }
    assert all(c["customer-since"] is None and c["lead_created_at"] for c in leads)
    others = [c for c in customers if "Lead" not in c["status"]]
    assert {c["status"] for c in others} == {"Active", "Past Due", "Cancelled"}
    offsets = {c["customer-since"][19:] for c in others}
    assert {"+00:00", "-04:00", "+05:30"} < offsets


def test_text_is_missing_in_two_ways(customers: Customers) -> None:
    for name in ("name", "email", "company", "city", "state", "country", "zip"):
        assert {None, ""} < {customer[name] for customer in customers}
    assert {None, ""} < {c.get("website_url", "absent") for c in customers}
    assert {None, ""} < {customer["billing-system-url"] for customer in customers}
    assert None in {customer["owner"] for customer in customers}


def test_those_who_pay_have_revenue_which_is_an_integer_or_one_with_a_point(
    customers: Customers,
) -> None:
    for customer in customers:
        pays = customer["status"] in {"Active", "Past Due"}
        assert (customer["mrr"] > 0) == pays
        assert customer["arr"] == 12 * customer["mrr"]
    for name in ("mrr", "arr"):
        assert {type(customer[name]) for customer in customers} == {int, Decimal}
        with_point = next(c[name] for c in customers if isinstance(c[name], Decimal))
        assert str(with_point).endswith(".0")


def added(rng: Random, _: object) -> float:
    return rng.random()


def test_a_field_that_is_added_or_made_otherwise_changes_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = generate_customers(300)
    attributes: Any = FIELDS["attributes"]
    custom = {"an attribute": added, **attributes["custom"]}
    fields = {
        "a column": added,
        **FIELDS,
        "attributes": attributes | {"custom": custom},
        "owner": added,
    }
    monkeypatch.setattr("sandbox.customers.FIELDS", fields)
    after = generate_customers(300)
    columns = [customer.pop("a column") for customer in after]
    values = [c["attributes"]["custom"].pop("an attribute") for c in after]
    assert len({*columns, *values}) == 600
    assert after == [
        customer | {"owner": other["owner"]}
        for customer, other in zip(before, after, strict=True)
    ]


def test_custom_attributes_are_of_every_type_and_hold_what_careless_readers_lose(
    customers: Customers,
) -> None:
    values = defaultdict(list)
    for customer in customers:
        for key, value in customer["attributes"]["custom"].items():
            values[key].append(value)
    types = {key: {type(value) for value in found} for key, found in values.items()}
    assert all(len(found) == 1 for found in types.values())
    assert set().union(*types.values()) == {str, int, bool, Decimal}
    timestamp = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:00")
    assert all(timestamp.fullmatch(value) for value in values["convertedAt"])
    assert Decimal("0.1") in values["discountRate"]
    assert {len(str(value)) for value in values["Ledger Number"]} == {20}
    assert max(values["Ledger Number"]) > 2**64
    notes = "".join(values["Account Notes"])
    assert re.search("[\u0600-\u06ff]", notes)
    assert re.search("[\U0001f300-\U0001faff]", notes)
    assert {"Renewal date", "CAC", "exact_share"} < values.keys()


def test_the_other_attributes_are_filled_and_empty(customers: Customers) -> None:
    attributes = [customer["attributes"] for customer in customers]
    for name in ("tags", "stripe", "clearbit", "custom"):
        assert {bool(found[name]) for found in attributes} == {True, False}
