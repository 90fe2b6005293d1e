"""How a value of the API is read as what its column holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

INT64 = range(-(2**63), 2**63)
"""The integers that warehouses hold."""

INT64_DIGITS = 19

_SHOWN = 100
"""How much of a value a warning shows."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def as_json(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return a value as JSON text, its numbers exact."""
    return _encode(value).decode()


def limit_depth(value: dict[str, Any], depth: int) -> None:
    """Put in text, in place, what is nested deeper in an object; without recursion.

    >>> value = {"a": [1, {"b": [2]}]}
    >>> limit_depth(value, 2)
    >>> value
    {'a': [1, '{"b":[2]}']}
    """
    inner: list[Any] = [value]
    for _ in range(depth - 1):
        inner = [item for outer in inner for _, item in _containers(outer)]
    for outer in inner:
        for key, item in _containers(outer):
            outer[key] = as_json(item)


def _containers(value: dict[str, Any] | list[Any]) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [(key, item) for key, item in items if isinstance(item, (dict, list))]


class UnreadableError(ValueError):
    """A value that its column cannot hold.

    Args:
        why: What to say of the value.
    """

    def __init__(self, why: str = "does not fit its column") -> None:
        super().__init__(why)


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


def read_attributes(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object, the same one, whose documented keys are of their types.

    Raises:
        UnreadableError: It is no object.

    >>> read_attributes({"tags": "a", "stripe": [], "custom": 1, "more": 1})
    {'tags': ['a'], 'stripe': {}, 'custom': None, 'more': 1}
    """
    attributes = read_object(value)
    if attributes.get("tags") is not None:
        attributes["tags"] = read_texts(attributes["tags"])
    for key in ("stripe", "clearbit", "custom"):
        if not isinstance(attributes.get(key, {}), dict):
            attributes[key] = {} if attributes[key] == [] else None
    return attributes


def read_text_object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object, the same one, with each of its values as text.

    Raises:
        UnreadableError: It is no object.

    >>> read_text_object({"city": "Paris", "state": None, "address_zip": 75001})
    {'city': 'Paris', 'state': None, 'address_zip': '75001'}
    """
    texts = read_object(value)
    for key, each in texts.items():
        if each is not None and type(each) is not str:
            texts[key] = as_json(each)
    return texts


def read_timestamp(value: Any) -> str:  # noqa: ANN401
    """Return a time in UTC, to the microsecond; one without an offset is UTC.

    Raises:
        UnreadableError: It is no time, or outside of the years 1 to 9999.

    >>> read_timestamp("2023-06-09T13:16:00-04:00")
    '2023-06-09T17:16:00+00:00'
    """
    try:
        time = _parse(value)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        # As `isoformat` writes it, in a fifth of the time.
        return f"{as_json(time)[1:-2]}+00:00"
    except Exception as error:
        # For a text that is no time, `pendulum` raises whatever comes.
        why = f"cannot be read as a time: {_shortened(as_json(value))}"
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


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
