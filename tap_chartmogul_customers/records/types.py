"""How a value of the API is read as what its column holds, by the column's JSON schema.

One table serves our columns, custom attributes, and columns that a catalog adds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Read: TypeAlias = "Callable[[Any], Any]"

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
    """Return a whole number as an integer: `4100.0` becomes `4100`.

    Raises:
        UnreadableError: It is no number, not a whole one, or needs over 64 bits.
    """
    if isinstance(value, Decimal) and value.adjusted() < _INT64_DIGITS:
        value = int(value) if value == int(value) else None
    if type(value) is int and _LEAST <= value <= _MOST:
        return value
    raise UnreadableError


def read_number(value: Any) -> int | Decimal:  # noqa: ANN401
    """Return a number, its digits as they came.

    Raises:
        UnreadableError: It is no number.
    """
    if type(value) is int:
        # As a decimal it is the same number, which Arrow doesn't refuse: some targets
        # write Parquet by it.
        return value if value in _DOUBLE else Decimal(f"{value}.0")
    if isinstance(value, Decimal):
        return value
    raise UnreadableError


def read_boolean(value: Any) -> bool:  # noqa: ANN401
    """Return true or false.

    Raises:
        UnreadableError: It is neither.
    """
    if isinstance(value, bool):
        return value
    raise UnreadableError


def read_array(value: Any) -> list[Any]:  # noqa: ANN401
    """Return a list as it is.

    Raises:
        UnreadableError: It is no list.
    """
    if isinstance(value, list):
        return value
    raise UnreadableError


def read_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object as it is, and an empty list, as some send one, as an empty one.

    Raises:
        UnreadableError: It is something else.
    """
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise UnreadableError


def read_timestamp(value: Any) -> str:  # noqa: ANN401
    """Return a time in UTC, to the microsecond; one without an offset is UTC.

    Raises:
        UnreadableError: It is no time, or outside of the years 1 to 9999.

    >>> read_timestamp("2023-06-09T13:16:00-04:00")
    '2023-06-09T17:16:00+00:00'
    """
    try:
        time = _parse(value)
        if time.tzinfo is not UTC:
            time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        # As `isoformat` writes it, in a fifth of the time.
        return f"{as_json(time)[1:-2]}+00:00"
    except Exception as error:
        # For a text that is no time, `pendulum` raises whatever comes.
        text = as_json(value)
        text = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
        why = f"cannot be read as a time: {text}"
        raise UnreadableError(why) from error


def _parse(text: str) -> datetime:
    try:
        # Far faster than pendulum, and of the same opinion where it has one.
        return datetime.fromisoformat(text if text[10:11] == "T" else "")
    except ValueError:
        pass
    # Imported by the few times that need it, not by every start.
    import pendulum  # noqa: PLC0415

    # A word is no time, but for pendulum "now" is one.
    time = pendulum.parse(text, exact=True) if text[:1].isdecimal() else None
    if not isinstance(time, date):
        raise UnreadableError
    return datetime.fromisoformat(time.isoformat())


def read_date(value: Any) -> str:  # noqa: ANN401
    """Return the day of a time in UTC.

    Raises:
        UnreadableError: It is no time.
    """
    return read_timestamp(value)[:10]


_READERS: dict[tuple[str, str | None], tuple[type | None, Read]] = {
    ("integer", None): (int, read_integer),
    ("number", None): (None, read_number),
    ("boolean", None): (bool, read_boolean),
    ("string", "date-time"): (None, read_timestamp),
    ("string", "date"): (None, read_date),
    ("array", None): (list, read_array),
    ("object", None): (dict, read_object),
    ("string", None): (str, read_text),
}
"""By type and format: the Python type whose values need no reading, and what reads."""


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a JSON schema takes, beside null."""
    types = schema.get("type") or []
    types = [types] if isinstance(types, str) else types
    return [each for each in types if each != "null"]


def reader_of(schema: Mapping[str, Any]) -> tuple[type | None, Read | None]:
    """Return how values are read for a column.

    Args:
        schema: The JSON schema of the column. An array's `items` count, an object's
            `properties` do not.

    Returns:
        The Python type whose values need no reading, if there is one; and what reads
        any value but null, or raises `UnreadableError`; none if all are taken as they
        are.
    """
    types = types_of(schema)
    if not types:
        return None, None
    if len(types) > 1:
        return None, _one_of([reader_of({**schema, "type": each}) for each in types])
    (kind,) = types
    form = (kind, schema.get("format"))
    as_sent, read = _READERS.get(form) or _READERS.get((kind, None)) or (None, None)
    if kind == "array" and isinstance(schema.get("items"), dict):
        as_sent, read_item = reader_of(schema["items"])
        if read_item:
            return None, lambda value: [
                item if item is None or type(item) is as_sent else read_item(item)
                for item in read_array(value)
            ]
    return as_sent, read


def _one_of(readers: list[tuple[type | None, Read | None]]) -> Read:
    """Return a reader for several types: that of the value's own, else the first."""

    def read(value: Any) -> Any:  # noqa: ANN401
        if any(type(value) is as_sent for as_sent, _ in readers):
            return value
        for _, each in readers:
            try:
                return each(value) if each else value
            except UnreadableError:
                pass
        raise UnreadableError

    return read
