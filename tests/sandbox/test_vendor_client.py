"""ChartMogul's own Python client reads the sandbox as it reads the service."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import chartmogul
import pytest
from marshmallow.fields import DateTime

from sandbox import DATA_SOURCES, Sandbox, generate_customers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The client takes these for text in every customer, and gives up a whole page for one
# that has null. The service does send null, so this is a limit of the client's.
NEVER_NULL = ("name", "company", "email")

CUSTOMERS = [
    customer
    for customer in generate_customers(500)
    if all(customer[name] is not None for name in NEVER_NULL)
]

# What the client reads; the service has added fields since.
SCHEMA = chartmogul.Customer._Schema().fields  # noqa: SLF001 (it has no other)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(CUSTOMERS, rate_limit=None) as running:
        yield running


def read_all(sandbox: Sandbox, **query: object) -> list[Any]:
    config = chartmogul.Config(sandbox.api_key, request_timeout=10, max_retries=0)
    config.uri = sandbox.url
    customers = []
    page = chartmogul.Customer.all(config, **query).get()
    customers += page.entries
    while page.has_more:
        page = chartmogul.Customer.all(config, cursor=page.cursor, **query).get()
        customers += page.entries
    return customers


def as_parsed(customer: dict[str, Any]) -> dict[str, Any]:
    """Say what the client makes of a customer that the service sends."""
    sent = {name.replace("-", "_"): value for name, value in customer.items()}
    fields = {name: sent[name] for name in sent.keys() & SCHEMA.keys()}
    for name, value in fields.items():
        if value and isinstance(SCHEMA[name], DateTime):
            fields[name] = datetime.fromisoformat(value)
    # It reads decimals as floating-point numbers, at any depth.
    fields["attributes"] = json.loads(json.dumps(fields["attributes"], default=float))
    return fields


def parsed(customer: Any) -> dict[str, Any]:
    """Give the client's customer as plain values, without what the page had not."""
    fields: dict[str, Any] = vars(customer) | {
        "attributes": vars(customer.attributes),
        "address": vars(customer.address),
    }
    for holder in (fields, fields["attributes"]):
        assert holder.pop("overrides") is None
        assert holder.pop("historical_values") is None
    return fields


def test_agrees_field_by_field_and_page_by_page(sandbox: Sandbox) -> None:
    read = read_all(sandbox, per_page=100)
    assert [parsed(customer) for customer in read] == [
        as_parsed(customer) for customer in sandbox.customers
    ]
    assert len(sandbox.requests) == -(-len(CUSTOMERS) // 100)


MERGED = next(c for c in CUSTOMERS if len(set(c["data_source_uuids"])) > 1)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"status": "Past_Due"}, lambda c: c["status"] == "Past Due"),
        (
            {"system": "Import API"},
            lambda c: "Import API" in map(DATA_SOURCES.get, c["data_source_uuids"]),
        ),
        (
            {"external_id": MERGED["external_ids"][1]},
            lambda c: MERGED["external_ids"][1] in c["external_ids"],
        ),
        (
            {"data_source_uuid": MERGED["data_source_uuids"][1]},
            lambda c: MERGED["data_source_uuids"][1] in c["data_source_uuids"],
        ),
    ],
)
def test_agrees_on_every_filter(
    sandbox: Sandbox,
    query: dict[str, str],
    matches: Callable[[dict[str, Any]], bool],
) -> None:
    expected = [c["uuid"] for c in sandbox.customers if matches(c)]
    assert expected
    assert [c.uuid for c in read_all(sandbox, per_page=20, **query)] == expected
