"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_chartmogul_customers.api.body import MendedCustomer
from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.records.custom_attributes import CustomColumns
from tap_chartmogul_customers.records.notices import Notices
from tap_chartmogul_customers.records.schema import COLUMNS, Kind
from tap_chartmogul_customers.records.values import (
    UnreadableError,
    read_attributes,
    read_integer,
    read_text,
    read_text_object,
    read_texts,
    read_timestamp,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_READERS: dict[Kind, Callable[[Any], Any]] = {
    "text": read_text,
    "texts": read_texts,
    "integer": read_integer,
    "attributes": read_attributes,
    "text_object": read_text_object,
    "timestamp": read_timestamp,
}
_AS_SENT: dict[Kind, type] = {"text": str}
"""The type whose values need no reading."""


class _Field(NamedTuple):
    name: str
    source: str
    as_sent: type | None
    read: Callable[[Any], Any]


class RecordReader:
    """Makes records of customers, and says once what it had to leave out.

    Args:
        schema: The schema of a record, from the catalog.
        logger: Where warnings go.
    """

    def __init__(self, schema: dict[str, Any], logger: logging.Logger) -> None:
        columns = schema["properties"]
        known = {column.name: column for column in COLUMNS}
        self._fields = [
            _Field(
                name,
                column.field,
                _AS_SENT.get(column.kind),
                _READERS[column.kind],
            )
            for name in columns
            if (column := known.get(name))
        ]
        self._sources = {column.field for column in COLUMNS}
        self._logger = logger
        self._notices = Notices(logger)
        self._left_out: set[str] = set()
        self._custom = CustomColumns(schema, logger)

    def read(self, customer: dict[str, Any]) -> dict[str, Any]:
        """Make a record of a customer.

        Args:
            customer: As the API sends it; it is used up.

        Returns:
            A value for every column, in their order; none where there is none.

        Raises:
            PagingError: The customer has no UUID, so that no target could keep it.
        """
        uuid = customer.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            msg = "a customer without a `uuid`"
            raise PagingError(msg)
        if type(customer) is MendedCustomer:
            self._notices.add(
                "Customers with values that were changed so that they can be stored",
                "Customer %r: what cannot be stored is changed: U+FFFD takes the place "
                "of NUL and of what is no Unicode in a text; a number of thousands of "
                "digits, or what is nested a hundred deep, becomes text",
                uuid,
            )
        attributes = customer.get("attributes")
        take = customer.pop
        record: dict[str, Any] = {
            name: value
            if (value := take(source, None)) is None or type(value) is as_sent
            else self._value(uuid, name, read, value)
            for name, source, as_sent, read in self._fields
        }
        if customer:
            self._warn_of_unknown(customer)
        self._custom.fill(record, attributes)
        return record

    def report(self) -> None:
        """Say at the end what was left out, if anything."""
        self._notices.report()
        self._custom.report()

    def _value(
        self,
        uuid: str,
        name: str,
        read: Callable[[Any], Any],
        value: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        try:
            return read(value)
        except UnreadableError as error:
            self._notices.add(
                f"Values of `{name}` that became null",
                "Customer %r: `%s` becomes null: it %s",
                uuid,
                name,
                error,
            )
            return None

    def _warn_of_unknown(self, rest: dict[str, Any]) -> None:
        for name in rest.keys() - self._sources - self._left_out:
            self._left_out.add(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out",
                name,
            )
