"""Custom attributes as columns: how discovery finds their keys and types."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_chartmogul_customers.records.column_names import column_names
from tap_chartmogul_customers.records.types import (
    Read,
    UnreadableError,
    as_json,
    read_boolean,
    read_integer,
    read_number,
    read_text,
    read_timestamp,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

GROUPS = ("custom", "stripe")
"""The objects in `attributes` whose keys are the account's own."""

_SOURCE = re.compile(rf'attributes\.({"|".join(GROUPS)})\[(".*")\]')
"""The description of a custom column. It names the key, since the SDK drops every
unknown keyword from a catalog's schema."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
)


class _Kind(NamedTuple):
    """A type that all values of a key may have.

    Args:
        schema: The JSON schema of their column.
        read: What reads one.
        is_typical: Whether a value that can be read speaks for this kind.
    """

    schema: dict[str, Any]
    read: Read
    is_typical: Callable[[Any], bool] = lambda _: True

    def fits(self, value: object) -> bool:
        try:
            self.read(value)
        except UnreadableError:
            return False
        return self.is_typical(value)


_TEXT = _Kind({"type": ["null", "string"]}, read_text)
_KINDS = (
    _Kind(
        {"type": ["null", "integer"]}, read_integer, lambda value: type(value) is int
    ),
    _Kind({"type": ["null", "number"]}, read_number),
    _Kind({"type": ["null", "boolean"]}, read_boolean),
    _Kind(
        {"type": ["null", "string"], "format": "date-time"},
        read_timestamp,
        lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value)),
    ),
    _TEXT,
)
"""The first that fits every value of a key is its kind. Text fits all, as JSON text."""


def with_custom_columns(
    schema: dict[str, Any], customers: Iterable[dict[str, Any]], logger: logging.Logger
) -> dict[str, Any]:
    """Add a column for each key of custom attributes that customers have.

    Args:
        schema: The customer's schema.
        customers: The sample, as the API sends them.
        logger: Where it says how many keys there are.

    Returns:
        A schema with the same columns, and behind them those of custom attributes.
    """
    found: dict[tuple[str, str], tuple[_Kind, ...]] = {}
    for customer in customers:
        for source, value in entries(customer.get("attributes")).items():
            kinds = found.setdefault(source, ())
            if value is not None:
                found[source] = tuple(k for k in kinds or _KINDS if k.fits(value))
    columns = dict(schema["properties"])
    for group in GROUPS:
        keys = [key for its_group, key in found if its_group == group]
        logger.info("Found %d keys of `attributes.%s`", len(keys), group)
        for key, name in column_names(keys, prefix=group, taken=columns).items():
            kind, *_ = found[group, key] or (_TEXT,)
            description = f"attributes.{group}[{as_json(key)}]"
            columns[name] = {**kind.schema, "description": description}
    return {**schema, "properties": columns}


def entries(attributes: object) -> dict[tuple[str, str], Any]:
    """Return the custom attributes of a customer, by group and key."""
    groups = attributes if isinstance(attributes, dict) else {}
    return {
        (group, key): value
        for group in GROUPS
        if isinstance(values := groups.get(group), dict)
        for key, value in values.items()
    }


def source_of(column: dict[str, Any]) -> tuple[str, str] | None:
    """Return the group and key of a custom column; None for any other column."""
    found = _SOURCE.fullmatch(str(column.get("description")))
    try:
        return (found[1], json.loads(found[2])) if found else None
    except ValueError:
        return None
