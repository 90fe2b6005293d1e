"""How a value of the API is read as its column's type.

One table serves our columns, custom attributes, and columns that a catalog adds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Read: TypeAlias = "Callable[[Any], Any]"
"""Reads any value but null, or raises `UnreadableError`."""

_LEAST, _MOST = -(2**63), 2**63 - 1
"""The integers that warehouses hold."""

_INT64_DIGITS = 19

_DOUBLE = range(-(2**53), 2**53 + 1)
"""The integers that every target can make a floating-point number of."""

_MOST_SHOWN = 100
"""Characters of a value that a warning shows, at most."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def as_json(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return a value as JSON text, its numbers exact."""
    return _encode(value).decode()


class UnreadableError(ValueError):
    """A value that its column cannot hold.

    Args:
        why: What to say of the value.
    """

    def __init__(self, why: str = "does not fit the type of its column") -> None:
        super().__init__(why)


def read_text(value: Any) -> str:  # noqa: ANN401
    """Return text as it is, and any other JSON value as JSON text."""
    return value if isinstance(value, str) else as_json(value)


def read_integer(value: Any) -> int:  # noqa: ANN401
    """Return a whole number of at most 64 bits: `4100.0` becomes `4100`."""
    if isinstance(value, Decimal) and value.adjusted() < _INT64_DIGITS:
        value = int(value) if value == int(value) else None
    if type(value) is int and _LEAST <= value <= _MOST:
        return value
    raise UnreadableError


def read_number(value: Any) -> int | Decimal:  # noqa: ANN401
    """Return a number, its digits as they came."""
    if type(value) is int:
        # As a decimal it is the same number, and Arrow takes it, with which some
        # targets write Parquet.
        return value if value in _DOUBLE else Decimal(f"{value}.0")
    if isinstance(value, Decimal):
        return value
    raise UnreadableError


def read_boolean(value: Any) -> bool:  # noqa: ANN401
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise UnreadableError


def read_array(value: Any) -> list[Any]:  # noqa: ANN401
    """Return a list as it is."""
    if isinstance(value, list):
        return value
    raise UnreadableError


def read_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object as it is. An empty list, which some services send, is `{}`."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise UnreadableError


def read_timestamp(value: Any) -> str:  # noqa: ANN401
    """Return a time in UTC, to the microsecond; one without an offset is UTC.

    >>> read_timestamp("2023-06-09T13:16:00-04:00")
    '2023-06-09T17:16:00+00:00'
    """
    try:
        time = _parse(value)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError) as error:
        text = as_json(value)
        text = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
        why = f"cannot be read as a time: {text}"
        raise UnreadableError(why) from error
    # As `isoformat` writes it, in a fifth of the time.
    return f"{_encode(time)[1:-2].decode()}+00:00"


def _parse(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)  # Far faster than pendulum.
    except ValueError:
        # Imported by the few times that need it, not by every start.
        import pendulum  # noqa: PLC0415

        # A word is no time, but for pendulum "now" is one.
        time = pendulum.parse(text, exact=True) if text[:1].isdecimal() else None
        if isinstance(time, date):
            return datetime.fromisoformat(time.isoformat())
        raise


def read_date(value: Any) -> str:  # noqa: ANN401
    """Return the day of a time in UTC."""
    return read_timestamp(value)[:10]


def read_anything(value: Any) -> Any:  # noqa: ANN401
    """Return a value as it is."""
    return value


class ValueReader(NamedTuple):
    """How values are read.

    Args:
        as_sent: A type, for `msgspec`, whose values need no reading; None if all do.
        read: What reads any value.
    """

    as_sent: Any
    read: Read


_READERS = {
    ("integer", None): ValueReader(None, read_integer),
    ("number", None): ValueReader(None, read_number),
    ("boolean", None): ValueReader(bool, read_boolean),
    ("string", None): ValueReader(str, read_text),
    ("string", "date-time"): ValueReader(None, read_timestamp),
    ("string", "date"): ValueReader(None, read_date),
    ("array", None): ValueReader(list, read_array),
    ("object", None): ValueReader(dict, read_object),
}
"""By type and format."""


def reader_of(kind: str, form: str | None = None) -> ValueReader:
    """Return how values of a JSON schema's type and format are read.

    Without a type, any value is taken.
    """
    plain = _READERS.get((kind, None), ValueReader(None, read_anything))
    return _READERS.get((kind, form), plain)


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a JSON schema takes, beside null."""
    types = schema.get("type") or []
    types = [types] if isinstance(types, str) else types
    return [each for each in types if each != "null"]
