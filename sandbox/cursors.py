"""Where a customer stands in the API's order, and the cursor that names the place."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# In base64 the mark reads `+/+/`, and 23 bytes in all end in `=`: so each cursor holds
# every character that a client can forget to escape in a query.
_MARK = b"\xfb\xff\xbf"
_LAYOUT = struct.Struct(">3s?qQHB")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Position(NamedTuple):
    """A customer's place: by instant, then id; those without an instant last.

    Attributes:
        undated: Whether the customer has no readable `customer-since`.
        instant: `customer-since` in microseconds since 1970, or 0.
        id: The customer's `id`.
    """

    undated: bool
    instant: int
    id: int


START = Position(undated=False, instant=-(2**63), id=0)
"""Before every customer."""


class Cursor(NamedTuple):
    """What a cursor says.

    Attributes:
        position: The last customer that was read.
        generation: How often the service's cursors had aged when it gave this one out.
        variant: Tells cursors of one place apart; 0 except in a fault.
    """

    position: Position
    generation: int = 0
    variant: int = 0


def position_of(customer: Mapping[str, Any]) -> Position:
    """Tell where a customer stands in the API's order."""
    try:
        since = datetime.fromisoformat(customer["customer-since"])
    except (KeyError, TypeError, ValueError):
        return Position(undated=True, instant=0, id=customer["id"])
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    instant = (since - _EPOCH) // _MICROSECOND
    return Position(undated=False, instant=instant, id=customer["id"])


def encode(cursor: Cursor) -> str:
    """Write a cursor as opaque text, which holds `=`, `+` and `/`."""
    position, *more = cursor
    packed = _LAYOUT.pack(_MARK, *position, *more)
    return base64.b64encode(packed).decode("ascii")


def decode(text: str) -> Cursor:
    """Read a cursor as the client sent it, URL-decoded.

    Raises:
        ValueError: If `encode` cannot have written it.
    """
    try:
        _, *position, generation, variant = _LAYOUT.unpack(base64.b64decode(text))
    except struct.error as error:
        raise ValueError(text) from error
    cursor = Cursor(Position(*position), generation, variant)
    if encode(cursor) != text:
        raise ValueError(text)
    return cursor
