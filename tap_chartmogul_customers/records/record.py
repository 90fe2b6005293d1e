"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.records.custom_attributes import GROUPS, source_of
from tap_chartmogul_customers.records.types import Read, UnreadableError, reader_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from singer_sdk.singerlib import SelectionMask

_FIELDS = {column.name: column.field for column in COLUMNS}


class _Value(NamedTuple):
    """How a value of a customer becomes one of its record.

    Args:
        path: What warnings call it.
        as_sent: The type whose values need no reading.
        read: What reads any value but null; none if all are taken as they are.
        inner: For an object, how the values of its keys are read.
        others: How those of its other keys are; none leaves them out.
        is_custom: Whether it is a custom attribute, whose values no log shows.
    """

    path: str
    as_sent: type | None
    read: Read | None
    inner: Mapping[str, _Value] | None = None
    others: _Value | None = None
    is_custom: bool = False


class RecordReader:
    """Makes records of customers, by the types of the catalog.

    Args:
        schema: The schema of a record, from the catalog.
        mask: Which properties are selected.
        logger: Where it says, once for each column, what it left out.
    """

    def __init__(
        self, schema: dict[str, Any], mask: SelectionMask, logger: logging.Logger
    ) -> None:
        self._logger = logger
        self._nulls = Counter[str]()
        """How many values became null, by path."""
        self._columns: list[tuple[str, str, type | None, _Value]] = []
        """Name, field of the API, the type that needs no reading, how it is read."""
        self._custom: list[tuple[str, str, str, _Value]] = []
        """Name, group, key, and how it is read."""
        for name, column in schema["properties"].items():
            if not mask["properties", name]:
                continue
            value = _value(name, column, ("properties", name), mask)
            if attribute := source_of(column):
                self._custom.append((name, *attribute, value._replace(is_custom=True)))
                continue
            if name not in _FIELDS and name.startswith(tuple(f"{g}_" for g in GROUPS)):
                logger.warning(
                    "Column `%s` stays empty: its description in the catalog does not "
                    'name a key, as attributes.custom["key"] would',
                    name,
                )
            self._columns.append((name, _FIELDS.get(name, name), value.as_sent, value))
        self._known = {*_FIELDS.values(), *(source for _, source, *_ in self._columns)}

    def read(self, customer: dict[str, Any]) -> dict[str, Any]:
        """Make a record of a customer.

        Args:
            customer: As the API sends it.

        Returns:
            A value for every column that is selected; none where there is none.

        Raises:
            PagingError: The customer has no UUID, so that no target could keep it.
        """
        uuid = customer.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            msg = "a customer without a `uuid`"
            raise PagingError(msg)
        get = customer.get
        record: dict[str, Any] = {
            name: sent
            if (sent := get(source)) is None or type(sent) is as_sent
            else self._read(uuid, value, sent)
            for name, source, as_sent, value in self._columns
        }
        attributes = customer.get("attributes")
        for name, group, key, value in self._custom:
            values = attributes.get(group) if isinstance(attributes, dict) else None
            sent = values.get(key) if isinstance(values, dict) else None
            record[name] = None if sent is None else self._read(uuid, value, sent)
        if not customer.keys() <= self._known:
            self._warn_of_unknown(customer)
        return record

    def report(self) -> None:
        """Say at the end how many values became null, if any."""
        for path, count in self._nulls.items():
            self._logger.warning("Values that became null in `%s`: %d", path, count)

    def _read(self, uuid: str, value: _Value, sent: Any) -> Any:  # noqa: ANN401
        if value.read is None:
            return sent
        try:
            read = value.read(sent)
        except UnreadableError as error:
            if value.path not in self._nulls:
                self._logger.warning(
                    "Customer %r: `%s` becomes null: it %s",
                    uuid,
                    value.path,
                    "does not fit the type that discovery found; `attributes` has it"
                    if value.is_custom
                    else error,
                )
            self._nulls[value.path] += 1
            return None
        if value.inner is None:
            return read
        return {
            key: item
            if item is None or type(item) is inner.as_sent
            else self._read(uuid, inner, item)
            for key, item in read.items()
            if (inner := value.inner.get(key, value.others))
        }

    def _warn_of_unknown(self, customer: dict[str, Any]) -> None:
        for name in sorted(customer.keys() - self._known):
            self._known.add(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out; add it "
                "to the catalog's schema to have it as a column",
                name,
            )


def _value(
    path: str,
    schema: dict[str, Any],
    breadcrumb: tuple[str, ...],
    mask: SelectionMask,
) -> _Value:
    as_sent, read = reader_of(schema)
    properties = schema.get("properties")
    if as_sent is not dict or not properties:
        return _Value(path, as_sent, read)
    inner = {
        key: _value(f"{path}.{key}", part, crumb, mask)
        for key, part in properties.items()
        if mask[crumb := (*breadcrumb, "properties", key)]
    }
    others = None
    # Where a key is not selected, those that come to be later are not either.
    if len(inner) == len(properties):
        more = schema.get("additionalProperties")
        others = _value(path, more if isinstance(more, dict) else {}, (), mask)
    return _Value(path, None, read, inner, others)
