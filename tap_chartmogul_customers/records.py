"""How a customer as the API sends it becomes a record of the stream."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pendulum

from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.schema import COLUMNS, Kind

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

INT64 = range(-(2**63), 2**63)
"""The integers that warehouses hold."""

INT64_DIGITS = 19

_encode = msgspec.json.Encoder(decimal_format="number").encode


class UnreadableError(ValueError):
    """A value that its column cannot hold."""


def read_text(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return text as it is, and any other JSON value as JSON text."""
    return value if isinstance(value, str) else _encode(value).decode()


def read_texts(value: Any) -> list[str | None]:  # noqa: ANN401
    """Return a list of texts; a value that is no list becomes the only item of one."""
    items = value if isinstance(value, list) else [value]
    return [None if item is None else read_text(item) for item in items]


def read_integer(value: Any) -> int:  # noqa: ANN401
    """Return a whole number as an integer: `4100.0` becomes `4100`.

    Raises:
        UnreadableError: It is no number, not a whole one, or needs over 64 bits.
    """
    if (
        isinstance(value, Decimal)
        and value.adjusted() < INT64_DIGITS
        and value == int(value)
    ):
        value = int(value)
    if type(value) is not int or value not in INT64:
        raise UnreadableError
    return value


def read_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object as it is.

    Raises:
        UnreadableError: It is no object.
    """
    if not isinstance(value, dict):
        raise UnreadableError
    return value


def read_timestamp(value: Any) -> str:  # noqa: ANN401
    """Return a time in UTC, to the microsecond; one without an offset is UTC.

    Raises:
        UnreadableError: It is no time, or outside of the years 1 to 9999.

    >>> read_timestamp("2023-06-09T13:16:00-04:00")
    '2023-06-09T17:16:00+00:00'
    """
    # A word is no time, but for pendulum "now" is one.
    if not (isinstance(value, str) and value[:1].isdecimal()):
        raise UnreadableError
    try:
        return _parse(value).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise UnreadableError from error


def _parse(text: str) -> datetime:
    time: object
    try:
        # Twenty times faster than pendulum, and of the same opinion where it has one.
        time = datetime.fromisoformat(text) if text[10:11] == "T" else None
    except ValueError:
        time = None
    time = time or pendulum.parse(text, exact=True)
    if isinstance(time, date) and not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if not isinstance(time, datetime):
        raise UnreadableError
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_READERS: dict[Kind, Callable[[Any], Any]] = {
    "text": read_text,
    "texts": read_texts,
    "integer": read_integer,
    "object": read_object,
    "timestamp": read_timestamp,
}
_AS_SENT: dict[Kind, type] = {"text": str, "object": dict}
"""The type whose values need no reading."""


class _Field(NamedTuple):
    name: str
    source: str
    as_sent: type | None
    read: Callable[[Any], Any]


class RecordReader:
    """Makes records of customers, and says once what it had to leave out.

    Args:
        columns: The names of the columns that a record is to have.
        logger: Where warnings go.
    """

    def __init__(self, columns: Iterable[str], logger: logging.Logger) -> None:
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
        self._left_out: set[str] = set()

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
        take = customer.pop
        record = {
            name: value
            if (value := take(source, None)) is None or type(value) is as_sent
            else self._value(uuid, name, read, value)
            for name, source, as_sent, read in self._fields
        }
        if customer:
            self._warn_of_unknown(customer)
        return record

    def _value(
        self,
        uuid: str,
        name: str,
        read: Callable[[Any], Any],
        value: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        try:
            return read(value)
        except UnreadableError:
            if read is read_timestamp:
                self._logger.warning(
                    "Customer %r: `%s` cannot be read as a time and becomes null: %s",
                    uuid,
                    name,
                    _encode(value).decode(),
                )
            else:
                self._logger.warning(
                    "Customer %r: `%s` does not fit its column and becomes null",
                    uuid,
                    name,
                )
            return None

    def _warn_of_unknown(self, rest: dict[str, Any]) -> None:
        for name in rest.keys() - self._sources - self._left_out:
            self._left_out.add(name)
            self._logger.warning(
                "Field %r of the API is unknown to this version and left out",
                name,
            )
