"""Generated customers hold everything odd that real accounts hold."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

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

SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


def custom_values(customers: list[dict[str, Any]]) -> dict[str, list[Any]]:
    values = defaultdict(list)
    for customer in customers:
        for key, value in customer["attributes"]["custom"].items():
            values[key].append(value)
    return values


def test_a_seed_names_the_same_customers_each_time() -> None:
    assert generate_customers(50, seed=7) == generate_customers(50, seed=7)
    assert generate_customers(50, seed=7) != generate_customers(50, seed=8)
    assert generate_customers(50, seed=7) == generate_customers(90, seed=7)[:50]


@SEEDS
def test_every_customer_has_every_field_save_the_newest_one(seed: int) -> None:
    customers = generate_customers(1000, seed)
    fields = {frozenset(customer.keys() - {"website_url"}) for customer in customers}
    assert len(fields) == 1
    assert fields.pop() >= OF_THE_REFERENCE | {"owner"}
    assert 0 < sum("website_url" not in customer for customer in customers) < 300


@SEEDS
def test_ids_and_uuids_are_unique(seed: int) -> None:
    customers = generate_customers(1000, seed)
    assert len({customer["id"] for customer in customers}) == 1000
    assert len({customer["uuid"] for customer in customers}) == 1000
    form = re.compile("cus_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert all(form.fullmatch(customer["uuid"]) for customer in customers)


@SEEDS
def test_there_are_merged_customers(seed: int) -> None:
    customers = generate_customers(1000, seed)
    merged = [c for c in customers if len(c["external_ids"]) > 1]
    assert merged
    assert any(
        len(set(c["data_source_uuids"])) < len(c["data_source_uuids"]) for c in merged
    )
    for customer in customers:
        assert customer["external_id"] in customer["external_ids"]
        assert customer["data_source_uuid"] in customer["data_source_uuids"]
        system = DATA_SOURCES[customer["data_source_uuid"]]
        assert customer["billing-system-type"] == system


@SEEDS
def test_an_external_id_can_be_in_several_data_sources(seed: int) -> None:
    sources = defaultdict(list)
    for customer in generate_customers(1000, seed):
        sources[customer["external_id"]].append(customer["data_source_uuid"])
    shared = [found for found in sources.values() if len(found) > 1]
    assert shared
    assert all(len(set(found)) == len(found) for found in shared)


@SEEDS
def test_leads_have_no_customer_since(seed: int) -> None:
    leads = [c for c in generate_customers(1000, seed) if "Lead" in c["status"]]
    assert {c["status"] for c in leads} == {
        *("New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead", "Lead")
    }
    assert all(c["customer-since"] is None and c["lead_created_at"] for c in leads)


@SEEDS
def test_others_have_a_customer_since_in_mixed_offsets(seed: int) -> None:
    others = [c for c in generate_customers(1000, seed) if "Lead" not in c["status"]]
    assert {c["status"] for c in others} == {"Active", "Past Due", "Cancelled"}
    offsets = {c["customer-since"][19:] for c in others}
    assert {"+00:00", "-04:00", "+05:30"} < offsets


@SEEDS
def test_times_are_written_as_the_service_writes_them(seed: int) -> None:
    customers = generate_customers(1000, seed)
    since = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
    moment = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
    for name, form in (
        ("customer-since", since),
        ("lead_created_at", moment),
        ("free_trial_started_at", moment),
    ):
        written = {customer[name] for customer in customers}
        assert None in written
        assert all(form.fullmatch(text) for text in written - {None})


@SEEDS
def test_text_is_missing_in_two_ways(seed: int) -> None:
    customers = generate_customers(1000, seed)
    for name in ("name", "email", "company", "city", "state", "country", "zip"):
        assert {None, ""} < {customer[name] for customer in customers}
    assert {None, ""} < {c.get("website_url", "absent") for c in customers}
    assert {None, ""} < {customer["billing-system-url"] for customer in customers}
    assert None in {customer["owner"] for customer in customers}


@SEEDS
def test_money_is_an_integer_or_one_with_a_point(seed: int) -> None:
    customers = generate_customers(1000, seed)
    for name in ("mrr", "arr"):
        amounts = {type(customer[name]) for customer in customers}
        assert amounts == {int, Decimal}
        with_point = next(c[name] for c in customers if isinstance(c[name], Decimal))
        assert str(with_point).endswith(".0")


@SEEDS
def test_those_who_pay_have_revenue_and_nobody_else(seed: int) -> None:
    for customer in generate_customers(1000, seed):
        pays = customer["status"] in {"Active", "Past Due"}
        assert (customer["mrr"] > 0) == pays
        assert customer["arr"] == 12 * customer["mrr"]


def added(rng: Random, _: object) -> float:
    return rng.random()


def made_otherwise(make: Any) -> Any:
    """Make a field as before, but from other random numbers."""

    def value(rng: Random, customer: dict[str, Any]) -> Any:
        rng.random()
        return make(rng, customer)

    return value


def test_a_field_that_is_added_changes_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = generate_customers(300)
    attributes = FIELDS["attributes"]
    assert isinstance(attributes, dict)
    assert isinstance(attributes["custom"], dict)
    custom = {"an attribute": added, **attributes["custom"]}
    fields = {
        "a column": added,
        **FIELDS,
        "attributes": attributes | {"custom": custom},
    }
    monkeypatch.setattr("sandbox.customers.FIELDS", fields)
    after = generate_customers(300)
    columns = [customer.pop("a column") for customer in after]
    values = [c["attributes"]["custom"].pop("an attribute") for c in after]
    assert len({*columns, *values}) == 600
    assert after == before


def test_a_field_that_is_made_otherwise_changes_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = generate_customers(300)
    otherwise = made_otherwise(FIELDS["owner"])
    monkeypatch.setattr("sandbox.customers.FIELDS", FIELDS | {"owner": otherwise})
    after = generate_customers(300)
    owners = [[c.pop("owner") for c in customers] for customers in (before, after)]
    assert owners[0] != owners[1]
    assert after == before


@SEEDS
def test_custom_attributes_are_of_every_type(seed: int) -> None:
    values = custom_values(generate_customers(1000, seed))
    types = {key: {type(value) for value in found} for key, found in values.items()}
    assert all(len(found) == 1 for found in types.values())
    assert set().union(*types.values()) == {str, int, bool, Decimal}
    timestamp = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:00")
    assert all(timestamp.fullmatch(value) for value in values["convertedAt"])


@SEEDS
def test_custom_attributes_hold_what_careless_readers_lose(seed: int) -> None:
    values = custom_values(generate_customers(1000, seed))
    assert Decimal("0.1") in values["discountRate"]
    assert {len(str(value)) for value in values["Ledger Number"]} == {20}
    assert max(values["Ledger Number"]) > 2**64
    notes = "".join(values["Account Notes"])
    assert re.search("[\u0600-\u06ff]", notes)
    assert re.search("[\U0001f300-\U0001faff]", notes)
    assert {"convertedAt", "Renewal date", "CAC", "exact_share"} < values.keys()


@SEEDS
def test_the_other_attributes_are_filled_and_empty(seed: int) -> None:
    attributes = [c["attributes"] for c in generate_customers(1000, seed)]
    for name in ("tags", "stripe", "clearbit", "custom"):
        assert {bool(found[name]) for found in attributes} == {True, False}
