"""Custom attributes as columns: found by discovery, filled by every read."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_chartmogul_customers.records.column_names import column_names
from tap_chartmogul_customers.records.notices import Notices
from tap_chartmogul_customers.records.values import (
    UnreadableError,
    as_json,
    read_integer,
    read_object,
    read_text,
    read_texts,
    read_timestamp,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator

GROUPS = ("custom", "stripe")
"""The objects in `attributes` whose keys are the account's own."""

_SOURCE = re.compile(rf'attributes\.({"|".join(GROUPS)})\[(".*")\]')
"""The description of a custom column, which says whose values it has: the SDK drops
from a catalog's schema every keyword that it does not know."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
)


_DOUBLE = range(-(2**53), 2**53 + 1)
"""The integers that every target can make a floating-point number of."""


def _read_number(value: object) -> int | Decimal:
    if isinstance(value, Decimal):
        return value
    if type(value) is not int:
        raise UnreadableError
    # As a decimal it is the same number, which Arrow doesn't refuse: some targets
    # write Parquet by it.
    return value if value in _DOUBLE else Decimal(f"{value}.0")


def _read_boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise UnreadableError


def _read_list(value: object) -> list[Any]:
    """Read a list as texts: targets have no other list that all of them take."""
    if isinstance(value, list):
        return read_texts(value)
    raise UnreadableError


class _Kind(NamedTuple):
    """What the values of a key may all be."""

    type: str
    read: Callable[[Any], Any]
    is_typical: Callable[[Any], bool] = lambda _: True
    """Whether a value that can be read speaks for this kind."""
    format: str | None = None

    @property
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": ["null", self.type]}
        if self.type == "array":
            schema["items"] = {"type": ["null", "string"]}
        return {**schema, "format": self.format} if self.format else schema

    def fits(self, value: object) -> bool:
        if not self.is_typical(value):
            return False
        try:
            self.read(value)
        except UnreadableError:
            return False
        return True


_TEXT = _Kind("string", read_text)
_KINDS = (
    _Kind("integer", read_integer, lambda value: type(value) is int),
    _Kind("number", _read_number),
    _Kind("boolean", _read_boolean),
    _Kind(
        "string",
        read_timestamp,
        lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value)),
        format="date-time",
    ),
    _Kind("array", _read_list),
    _Kind("object", read_object),
    _TEXT,
)
"""The first that fits every value of a key is its kind; text fits all."""


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
    found: dict[str, dict[str, tuple[_Kind, ...]]] = {group: {} for group in GROUPS}
    for customer in customers:
        for group, key, value in _entries(customer.get("attributes")):
            kinds = found[group].setdefault(key, ())
            if value is not None:
                found[group][key] = tuple(
                    kind for kind in kinds or _KINDS if kind.fits(value)
                )
    columns = dict(schema["properties"])
    for group, keys in found.items():
        logger.info("Found %d keys of `attributes.%s`", len(keys), group)
        for key, name in column_names(keys, prefix=group, taken=columns).items():
            kind, *_ = keys[key] or (_TEXT,)
            source = f"attributes.{group}[{as_json(key)}]"
            columns[name] = {**kind.schema, "description": source}
    return {**schema, "properties": columns}


def _entries(attributes: object) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(attributes, dict):
        return
    for group in GROUPS:
        if isinstance(entries := attributes.get(group), dict):
            for key, value in entries.items():
                yield group, key, value


class _Column(NamedTuple):
    name: str
    key: str
    read: Callable[[Any], Any]


class CustomColumns:
    """Fills the columns that a catalog has for custom attributes.

    Args:
        schema: The schema of a record, from the catalog.
        logger: Where warnings go.
    """

    def __init__(self, schema: dict[str, Any], logger: logging.Logger) -> None:
        self._notices = Notices(logger)
        self._columns: dict[str, list[_Column]] = {}
        for name, column in schema["properties"].items():
            if source := _source(column):
                group, key = source
                self._columns.setdefault(group, []).append(
                    _Column(name, key, _kind(column).read)
                )
            elif name.startswith(tuple(f"{group}_" for group in GROUPS)):
                logger.warning(
                    "Column `%s` stays empty: its description in the catalog does not "
                    'name a key, as attributes.custom["key"] would',
                    name,
                )

    def fill(self, record: dict[str, Any], attributes: object) -> None:
        """Add the values of a customer's custom attributes to its record.

        Args:
            record: The record of the customer, changed in place.
            attributes: The customer's attributes, as the API sends them.
        """
        for group, columns in self._columns.items():
            values = attributes.get(group) if isinstance(attributes, dict) else None
            if not isinstance(values, dict):
                values = {}
            for column in columns:
                value = values.get(column.key)
                record[column.name] = (
                    None if value is None else self._read(column, value)
                )

    def report(self) -> None:
        """Say how many values did not fit, if any."""
        self._notices.report()

    def _read(self, column: _Column, value: Any) -> Any:  # noqa: ANN401
        try:
            return column.read(value)
        except UnreadableError:
            self._notices.add(
                f"Values that became null in `{column.name}`",
                "A value does not fit the type that discovery found for `%s` and "
                "becomes null there; `attributes` has it",
                column.name,
            )
            return None


def _source(column: dict[str, Any]) -> tuple[str, str] | None:
    """Return the group and the key whose values a column has; none of any other."""
    found = _SOURCE.fullmatch(str(column.get("description")))
    try:
        return (found[1], json.loads(found[2])) if found else None
    except ValueError:
        return None


def _kind(schema: dict[str, Any]) -> _Kind:
    types = schema.get("type") or []
    types = {types} if isinstance(types, str) else {*types} - {"null"}
    for kind in _KINDS:
        if types == {kind.type} and schema.get("format") == kind.format:
            return kind
    return _TEXT
