"""Customers whose values a test decides."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from sandbox import generate_customers
from tap_chartmogul_customers.api.decoder import CustomerDecoder, LooseCustomer
from tap_chartmogul_customers.records.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_chartmogul_customers.api.paging import Customer
    from tap_chartmogul_customers.records.record import RecordReader
    from tests.running import Tap

KINDS = {column.name: column.kind for column in COLUMNS}

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Returns JSON, with decimals as exact numbers."""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)

ODD_KEYS = (
    "Средняя стоимость привлечения одного нового клиента в рублях за прошлый квартал",
    "CAC",
    "cac",
    "__proto__",
    "",
    "id",
    'in "quotes"',
    "it's",
    "`ticks`",
    "two\nlines",
    'attributes.custom["id"]',
    "\\",
    "\u2028",
)
"""Keys of custom attributes that no column can be named by as they are."""


def as_sent(value: object) -> Any:
    """Put a value through the JSON of a page, as the API would send it."""
    (customer,) = decoded({"uuid": "any", "value": value})
    assert isinstance(customer, LooseCustomer)
    return customer.fields["value"]


def decoded(
    *customers: Any, decoder: CustomerDecoder | None = None
) -> Sequence[Customer]:
    """Put customers through the JSON of a page."""
    body = encode({"entries": customers, "has_more": False})
    return (decoder or CustomerDecoder()).decode(body)[0].entries


def page_with(attributes: bytes) -> bytes:
    """Return the body of a page with a customer whose attributes are this JSON."""
    (customer,) = generate_customers(1, seed=1)
    customer["attributes"] = "HERE"
    body = encode({"entries": [customer], "has_more": False})
    return body.replace(b'"HERE"', attributes)


def record_of(reader: RecordReader, customer: dict[str, Any]) -> dict[str, Any]:
    """Put a customer through the JSON of a page, and return its record."""
    (read,) = decoded(customer, decoder=reader.decoder)
    record = reader.read(read)
    values = msgspec.structs.astuple(record)
    return dict(zip(record.__struct_encode_fields__, values, strict=True))


def with_custom(*custom: dict[str, Any]) -> list[dict[str, Any]]:
    """Generate a customer for each object of custom attributes."""
    customers = generate_customers(len(custom), seed=4)
    for customer, values in zip(customers, custom, strict=True):
        customer["attributes"] = {"tags": [], "stripe": {}, "custom": values}
    return customers


def change_custom(tap: Tap, custom: object) -> None:
    """Give every customer these custom attributes."""
    for customer in tap.sandbox.customers:
        attributes = {**customer["attributes"], "custom": custom}
        tap.sandbox.put({**customer, "attributes": attributes})


def custom_columns(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record's columns of custom attributes, without the prefix."""
    return {
        name.removeprefix("custom_"): value
        for name, value in record.items()
        if name.startswith("custom_")
    }


def discovered(tap: Tap, **settings: object) -> dict[str, Any]:
    """Return the catalog that the tap prints, with typed custom attributes."""
    settings = {"custom_attributes_sample_size": 50, **settings}
    catalog: dict[str, Any] = json.loads(tap.output("--discover", **settings))
    return catalog


def as_promised(customer: dict[str, Any]) -> dict[str, Any]:
    """Return the record that a customer of the API should become, timestamps read."""
    record = {name.replace("-", "_"): value for name, value in customer.items()}
    record.setdefault("website_url", None)
    return with_timestamps_read(record)


def with_timestamps_read(record: dict[str, Any]) -> dict[str, Any]:
    return record | {
        name: record[name] and datetime.fromisoformat(record[name])
        for name, kind in KINDS.items()
        if kind == "timestamp"
    }
