"""The customer's columns as data. `types.py` reads their values."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "texts", "integer", "timestamp", "object", "texts by key"]

# Null first, since some targets take the first type for that of a column that must be
# there. Every key has a type, and every array has items, since targets look for them.
_TEXT = {"type": ["null", "string"]}

_TYPES: dict[Kind, dict[str, Any]] = {
    "text": _TEXT,
    "texts": {"type": ["null", "array"], "items": _TEXT},
    "integer": {"type": ["null", "integer"]},
    "timestamp": {"type": ["null", "string"], "format": "date-time"},
    "object": {"type": ["null", "object"], "additionalProperties": True},
    "texts by key": {"type": ["null", "object"], "additionalProperties": _TEXT},
}


class Inner(NamedTuple):
    """A documented key of a column that is an object."""

    kind: Kind
    description: str


class Column(NamedTuple):
    """A column of the stream.

    Args:
        name: Its name in the stream.
        kind: What its values are.
        description: What they mean, from ChartMogul's API reference.
        field: Its name in the API's answer.
        inner: For an object, its documented keys.
    """

    name: str
    kind: Kind
    description: str
    field: str
    inner: Mapping[str, Inner] = MappingProxyType({})


def _column(
    name: str,
    kind: Kind,
    description: str,
    *,
    field: str | None = None,
    inner: dict[str, Inner] | None = None,
) -> Column:
    return Column(name, kind, description, field or name, inner or {})


COLUMNS = (
    _column("id", "integer", "ChartMogul's internal ID of the customer."),
    _column("uuid", "text", "ChartMogul's UUID of the customer; the primary key."),
    _column(
        "external_id",
        "text",
        "The customer's identifier in its data source; unique only within that one.",
    ),
    _column(
        "external_ids",
        "texts",
        "The external identifiers of all customers merged into this one.",
    ),
    _column(
        "data_source_uuid", "text", "ChartMogul's UUID of the customer's data source."
    ),
    _column(
        "data_source_uuids",
        "texts",
        "The UUIDs of all data sources that contribute to this customer.",
    ),
    _column("name", "text", "The customer's name (deprecated by ChartMogul)."),
    _column("email", "text", "The customer's e-mail address (deprecated likewise)."),
    _column("company", "text", "The customer's company name."),
    _column(
        "status",
        "text",
        "New Lead, Working Lead, Qualified Lead, Unqualified Lead, Active, Past Due "
        "or Cancelled; in old accounts also Lead.",
    ),
    _column("owner", "text", "E-mail address of the team member who owns it."),
    _column("website_url", "text", "The customer's web site."),
    _column(
        "customer_since",
        "timestamp",
        "When the customer first paid for a subscription, in UTC.",
        field="customer-since",
    ),
    _column("lead_created_at", "timestamp", "When the customer became a lead, in UTC."),
    _column(
        "free_trial_started_at",
        "timestamp",
        "When the customer started a free trial, in UTC.",
    ),
    _column("country", "text", "Country of the customer's address, ISO 3166 alpha-2."),
    _column(
        "state",
        "text",
        "US state of the address: the last two letters of its ISO 3166-2 code.",
    ),
    _column("city", "text", "City of the customer's address."),
    _column("zip", "text", "Zip code of the customer's address."),
    _column(
        "attributes",
        "object",
        "What was added to the customer, exactly as ChartMogul sent it.",
        inner={
            "tags": Inner("texts", "Tags added to the customer."),
            "stripe": Inner("object", "Metadata of the customer in Stripe."),
            "clearbit": Inner("object", "Data of the customer from Clearbit."),
            "custom": Inner("object", "The account's own custom attributes."),
        },
    ),
    _column(
        "address",
        "texts by key",
        "The customer's address, its values as text.",
        inner={
            "address_zip": Inner("text", "Zip code."),
            "city": Inner("text", "City."),
            "state": Inner("text", "State."),
            "country": Inner("text", "Country code, ISO 3166 alpha-2."),
        },
    ),
    _column(
        "mrr", "integer", "Current monthly recurring revenue, in cents of `currency`."
    ),
    _column("arr", "integer", "Current annual run rate, in cents of `currency`."),
    _column(
        "billing_system_url",
        "text",
        "Address of the customer in the billing system.",
        field="billing-system-url",
    ),
    _column(
        "chartmogul_url",
        "text",
        "Address of the customer's page in ChartMogul.",
        field="chartmogul-url",
    ),
    _column(
        "billing_system_type",
        "text",
        "The billing system that the customer came from, such as Stripe or Custom.",
        field="billing-system-type",
    ),
    _column(
        "currency",
        "text",
        "Currency of `mrr` and `arr`, such as USD: the one selected for the account.",
    ),
    _column(
        "currency_sign",
        "text",
        "Sign of that currency, such as $.",
        field="currency-sign",
    ),
)


def _property(column: Column) -> dict[str, Any]:
    schema = {**_TYPES[column.kind], "description": column.description}
    if column.name == "uuid":
        schema["type"] = ["string"]
    if column.inner:
        schema["properties"] = {
            key: {**_TYPES[inner.kind], "description": inner.description}
            for key, inner in column.inner.items()
        }
    return schema


CUSTOMER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {column.name: _property(column) for column in COLUMNS},
    "required": ["uuid"],
}
