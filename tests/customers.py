"""Customers whose values a test decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from sandbox import generate_customers
from tap_chartmogul_customers.api.paging import read_customers

if TYPE_CHECKING:
    from tests.running import Tap

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
    (customer,), _ = read_customers(encode({"entries": [{"value": value}]}))
    return customer["value"]


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
