"""How a value of the API is read as what its column holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pendulum

INT64 = range(-(2**63), 2**63)
"""The integers that warehouses hold."""

INT64_DIGITS = 19

_encode = msgspec.json.Encoder(decimal_format="number").encode


def as_json(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return a value as JSON text, its numbers exact."""
    return _encode(value).decode()


class UnreadableError(ValueError):
    """A value that its column cannot hold."""


def read_text(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return text as it is, and any other JSON value as JSON text."""
    return value if isinstance(value, str) else as_json(value)


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


def read_text_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object with each of its values as text.

    Raises:
        UnreadableError: It is no object.

    >>> read_text_object({"city": "Paris", "state": None, "address_zip": 75001})
    {'city': 'Paris', 'state': None, 'address_zip': '75001'}
    """
    return {
        key: each if each is None or type(each) is str else as_json(each)
        for key, each in read_object(value).items()
    }


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
        # Far faster than pendulum, and of the same opinion where it has one.
        time = datetime.fromisoformat(text) if text[10:11] == "T" else None
    except ValueError:
        time = None
    time = time or pendulum.parse(text, exact=True)
    if isinstance(time, date) and not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if not isinstance(time, datetime):
        raise UnreadableError
    return time if time.tzinfo else time.replace(tzinfo=UTC)
