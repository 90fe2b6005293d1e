"""Types of custom attributes: found by discovery, kept by every read."""

from __future__ import annotations

import copy
import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from genson import SchemaBuilder

from tap_chartmogul_customers.records.values import (
    INT64,
    UnreadableError,
    read_integer,
    read_object,
    read_text,
    read_timestamp,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator

GROUPS = ("custom", "stripe")
"""The objects in `attributes` whose keys are the account's own."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
)


def with_types(
    schema: dict[str, Any], customers: Iterable[dict[str, Any]], logger: logging.Logger
) -> dict[str, Any]:
    """Add a type for each key of custom attributes that customers have.

    Args:
        schema: The customer's schema.
        customers: The sample, as the API sends them.
        logger: Where it says which keys differ only in case.

    Returns:
        A schema with the keys found under `attributes`, open for others.
    """
    schema = copy.deepcopy(schema)
    found: dict[str, dict[str, list[Any]]] = {group: {} for group in GROUPS}
    for customer in customers:
        for group, key, value in _entries(customer.get("attributes")):
            found[group].setdefault(key, []).append(value)
    properties = schema["properties"]["attributes"]["properties"]
    for group, values in found.items():
        if values:
            _warn_of_cases(group, values, logger)
            properties[group] |= {
                "type": ["object", "null"],
                "properties": {key: _type(each) for key, each in values.items()},
                "additionalProperties": True,
            }
    return schema


def _entries(attributes: object) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(attributes, dict):
        return
    for group in GROUPS:
        if isinstance(entries := attributes.get(group), dict):
            for key, value in entries.items():
                yield group, key, value


def _type(values: list[Any]) -> dict[str, Any]:
    """Infer the schema of a key from its values; text where they differ in kind."""
    builder = SchemaBuilder(schema_uri=None)
    for value in values:
        builder.add_object(_example(value))
    kinds = builder.to_schema().get("type", "null")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    kinds.discard("null")
    kind = kinds.pop() if len(kinds) == 1 else "string"
    schema: dict[str, Any] = {"type": [kind, "null"]}
    texts = [value for value in values if value is not None]
    if texts and all(isinstance(text, str) and _TIME.fullmatch(text) for text in texts):
        schema["format"] = "date-time"
    return schema


def _example(value: object) -> object:
    """Return a value of the same kind, for a library that knows no decimals."""
    if isinstance(value, (dict, list)):
        return type(value)()
    if isinstance(value, Decimal) or (type(value) is int and value not in INT64):
        return 0.5
    return value


def _warn_of_cases(group: str, keys: Iterable[str], logger: logging.Logger) -> None:
    folded = Counter(key.casefold() for key in keys)
    same = sorted(key for key in keys if folded[key.casefold()] > 1)
    if same:
        logger.warning(
            "Keys of `attributes.%s` differ only in case, which some targets ignore; "
            "deselect or rename all but one of each: %s",
            group,
            ", ".join(map(repr, same)),
        )


def _read_number(value: object) -> int | Decimal:
    if type(value) is int or isinstance(value, Decimal):
        return value
    raise UnreadableError


def _read_boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise UnreadableError


def _read_array(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise UnreadableError


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": read_text,
    "integer": read_integer,
    "number": _read_number,
    "boolean": _read_boolean,
    "object": read_object,
    "array": _read_array,
}


class TypedAttributes:
    """Keeps the values of custom attributes to the types that a catalog has for them.

    Args:
        schema: The schema of `attributes`, from the catalog.
        logger: Where warnings go.
    """

    def __init__(self, schema: dict[str, Any], logger: logging.Logger) -> None:
        self._logger = logger
        self._misfits = Counter[str]()
        self._readers = {
            group: readers
            for group in GROUPS
            if (readers := _readers(schema.get("properties", {}).get(group, {})))
        }

    def read(self, attributes: dict[str, Any] | None) -> None:
        """Put null in place of each value that does not fit its key's type.

        Args:
            attributes: The attributes of a customer, changed in place.
        """
        if not attributes:
            return
        for group, readers in self._readers.items():
            values = attributes.get(group)
            if isinstance(values, dict):
                for key in readers.keys() & values.keys():
                    values[key] = self._read(
                        f"{group}.{key}", readers[key], values[key]
                    )
            elif values is not None:
                attributes[group] = self._read(group, read_object, values)

    def report(self) -> None:
        """Say how many values did not fit, if any."""
        for path, count in self._misfits.items():
            self._logger.warning(
                "%d values of `attributes.%s` did not fit its type and became null",
                count,
                path,
            )

    def _read(
        self,
        path: str,
        read: Callable[[Any], Any],
        value: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if value is None:
            return None
        try:
            return read(value)
        except UnreadableError:
            self._misfits[path] += 1
            if self._misfits[path] == 1:
                self._logger.warning(
                    "A value of `attributes.%s` does not fit the type that discovery "
                    "found and becomes null",
                    path,
                )
            return None


def _readers(schema: dict[str, Any]) -> dict[str, Callable[[Any], Any]]:
    return {
        key: _reader(types, each.get("format"))
        for key, each in schema.get("properties", {}).items()
        if (types := each.get("type"))
    }


def _reader(types: str | list[str], form: str | None) -> Callable[[Any], Any]:
    if form == "date-time":
        return read_timestamp
    kinds = {types} if isinstance(types, str) else {*types} - {"null"}
    return _READERS[kinds.pop()] if len(kinds) == 1 else read_text
