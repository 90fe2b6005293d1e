"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.records.custom_attributes import GROUPS, source_of
from tap_chartmogul_customers.records.notices import Notices
from tap_chartmogul_customers.records.types import Read, UnreadableError, reader_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from singer_sdk.singerlib import SelectionMask


class _Field(NamedTuple):
    """How one value of a customer becomes one of its record.

    Args:
        path: What warnings call it.
        as_sent: The type whose values need no reading.
        read: What reads any value but null; none if all are taken as they are.
        inner: For an object, what reads the values of its keys.
        others: What reads the values of its other keys; none leaves them out.
    """

    path: str
    as_sent: type | None
    read: Read | None
    inner: Mapping[str, _Field] | None = None
    others: _Field | None = None


class RecordReader:
    """Makes records of customers, by the types of the catalog.

    Args:
        schema: The schema of a record, from the catalog.
        mask: Which properties are selected.
        logger: Where it says, once, what it left out.
    """

    def __init__(
        self,
        schema: dict[str, Any],
        mask: SelectionMask,
        logger: logging.Logger,
    ) -> None:
        self._logger = logger
        self._notices = Notices(logger)
        self._columns: list[tuple[str, str, type | None, _Field]] = []
        """Name, field of the API, the type that needs no reading, how it is read."""
        self._custom: list[tuple[str, str, str, _Field]] = []
        """Name, group, key, and how it is read."""
        fields = {column.name: column.field for column in COLUMNS}
        self._known = {*fields.values()}
        for name, column in schema["properties"].items():
            if not mask["properties", name]:
                continue
            field = _field(name, column, ("properties", name), mask)
            if attribute := source_of(column):
                self._custom.append((name, *attribute, field))
                continue
            if name not in fields and name.startswith(tuple(f"{g}_" for g in GROUPS)):
                logger.warning(
                    "Column `%s` stays empty: its description in the catalog does not "
                    'name a key, as attributes.custom["key"] would',
                    name,
                )
            source = fields.get(name, name)
            self._columns.append((name, source, field.as_sent, field))
            self._known.add(source)

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
            name: value
            if (value := get(source)) is None or type(value) is as_sent
            else self._value(uuid, field, value)
            for name, source, as_sent, field in self._columns
        }
        attributes = customer.get("attributes")
        for name, group, key, field in self._custom:
            values = attributes.get(group) if isinstance(attributes, dict) else None
            value = values.get(key) if isinstance(values, dict) else None
            record[name] = None if value is None else self._custom_value(field, value)
        if not customer.keys() <= self._known:
            self._warn_of_unknown(customer)
        return record

    def report(self) -> None:
        """Say at the end how many values became null, if any."""
        self._notices.report()

    def _value(self, uuid: str, field: _Field, value: Any) -> Any:  # noqa: ANN401
        if field.read is None:
            return value
        try:
            value = field.read(value)
        except UnreadableError as error:
            self._notices.add(
                f"Values that became null in `{field.path}`",
                "Customer %r: `%s` becomes null: it %s",
                uuid,
                field.path,
                error,
            )
            return None
        if field.inner is None:
            return value
        return {
            key: item
            if item is None or type(item) is inner.as_sent
            else self._value(uuid, inner, item)
            for key, item in value.items()
            if (inner := field.inner.get(key, field.others))
        }

    def _custom_value(self, field: _Field, value: Any) -> Any:  # noqa: ANN401
        try:
            return field.read(value) if field.read else value
        except UnreadableError:
            self._notices.add(
                f"Values that became null in `{field.path}`",
                "A value does not fit the type that discovery found for `%s` and "
                "becomes null there; `attributes` has it",
                field.path,
            )
            return None

    def _warn_of_unknown(self, customer: dict[str, Any]) -> None:
        for name in sorted(customer.keys() - self._known):
            self._known.add(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out; add it "
                "to the catalog's schema to have it as a column",
                name,
            )


def _field(
    path: str,
    schema: dict[str, Any],
    breadcrumb: tuple[str, ...],
    mask: SelectionMask,
) -> _Field:
    as_sent, read = reader_of(schema)
    properties = schema.get("properties")
    if as_sent is not dict or not properties:
        return _Field(path, as_sent, read)
    inner = {
        key: _field(f"{path}.{key}", part, crumb, mask)
        for key, part in properties.items()
        if mask[crumb := (*breadcrumb, "properties", key)]
    }
    others = None
    if len(inner) == len(properties):
        more = schema.get("additionalProperties")
        others = _field(path, more if isinstance(more, dict) else {}, (), mask)
    # Where a key is not selected, those that come to be later are not either.
    return _Field(path, None, read, inner, others)
