"""The customer's columns as data. `types.py` reads their values."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

STREAM = "customers"
"""The name of the only stream."""

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


class Column(NamedTuple):
    """A column of the stream, or a documented key of one that is an object.

    Args:
        name: Its name in the stream.
        kind: What its values are.
        description: What they mean, from ChartMogul's API reference.
        inner: For an object, its documented keys.
        is_hyphenated: Whether its name in the API's answer has hyphens.
    """

    name: str
    kind: Kind
    description: str
    inner: tuple[Column, ...] = ()
    is_hyphenated: bool = False

    @property
    def field(self) -> str:
        """Its name in the API's answer."""
        return self.name.replace("_", "-") if self.is_hyphenated else self.name


COLUMNS = (
    Column("id", "integer", "ChartMogul's internal ID of the customer."),
    Column("uuid", "text", "ChartMogul's UUID of the customer; the primary key."),
    Column(
        "external_id",
        "text",
        "The customer's identifier in its data source; unique only within that one.",
    ),
    Column(
        "external_ids",
        "texts",
        "The external identifiers of all customers merged into this one.",
    ),
    Column(
        "data_source_uuid", "text", "ChartMogul's UUID of the customer's data source."
    ),
    Column(
        "data_source_uuids",
        "texts",
        "The UUIDs of all data sources that contribute to this customer.",
    ),
    Column("name", "text", "The customer's name (deprecated by ChartMogul)."),
    Column(
        "email", "text", "The customer's e-mail address (deprecated by ChartMogul)."
    ),
    Column("company", "text", "The customer's company name."),
    Column(
        "status",
        "text",
        "New Lead, Working Lead, Qualified Lead, Unqualified Lead, Active, Past Due "
        "or Cancelled; in old accounts also Lead.",
    ),
    Column("owner", "text", "E-mail address of the team member who owns the customer."),
    Column("website_url", "text", "The customer's web site."),
    Column(
        "customer_since",
        "timestamp",
        "When the customer first paid for a subscription, in UTC.",
        is_hyphenated=True,
    ),
    Column("lead_created_at", "timestamp", "When the customer became a lead, in UTC."),
    Column(
        "free_trial_started_at",
        "timestamp",
        "When the customer started a free trial, in UTC.",
    ),
    Column("country", "text", "Country of the customer's address, ISO 3166 alpha-2."),
    Column(
        "state",
        "text",
        "US state of the address: the last two letters of its ISO 3166-2 code.",
    ),
    Column("city", "text", "City of the customer's address."),
    Column("zip", "text", "Zip code of the customer's address."),
    Column(
        "attributes",
        "object",
        "What was added to the customer, exactly as ChartMogul sent it.",
        inner=(
            Column("tags", "texts", "Tags added to the customer."),
            Column("stripe", "object", "Metadata of the customer in Stripe."),
            Column("clearbit", "object", "Data of the customer from Clearbit."),
            Column("custom", "object", "The account's own custom attributes."),
        ),
    ),
    Column(
        "address",
        "texts by key",
        "The customer's address, its values as text.",
        inner=(
            Column("address_zip", "text", "Zip code."),
            Column("city", "text", "City."),
            Column("state", "text", "State."),
            Column("country", "text", "Country code, ISO 3166 alpha-2."),
        ),
    ),
    Column(
        "mrr", "integer", "Current monthly recurring revenue, in cents of `currency`."
    ),
    Column("arr", "integer", "Current annual run rate, in cents of `currency`."),
    Column(
        "billing_system_url",
        "text",
        "Address of the customer in the billing system.",
        is_hyphenated=True,
    ),
    Column(
        "chartmogul_url",
        "text",
        "Address of the customer's page in ChartMogul.",
        is_hyphenated=True,
    ),
    Column(
        "billing_system_type",
        "text",
        "The billing system that the customer came from, such as Stripe or Custom.",
        is_hyphenated=True,
    ),
    Column(
        "currency",
        "text",
        "Currency of `mrr` and `arr`, such as USD: the one selected for the account.",
    ),
    Column(
        "currency_sign",
        "text",
        "Sign of that currency, such as $.",
        is_hyphenated=True,
    ),
)


def _property(column: Column) -> dict[str, Any]:
    schema = {**_TYPES[column.kind], "description": column.description}
    if column.inner:
        schema["properties"] = {inner.name: _property(inner) for inner in column.inner}
    return schema


CUSTOMER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {column.name: _property(column) for column in COLUMNS},
    "required": ["uuid"],
}
CUSTOMER_SCHEMA["properties"]["uuid"]["type"] = ["string"]
