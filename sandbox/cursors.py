"""Where a customer stands in the API's order, and the cursor that names the place."""

from __future__ import annotations

import base64
import binascii
import random
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# In base64 the mark reads `+/+/`, and 22 bytes in all end in `==`: so each cursor
# holds every character that a client can forget to escape in a query.
_MARK = b"\xfb\xff\xbf"
_LAYOUT = struct.Struct(">3s?qQBB")

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


class WrongCursorError(ValueError):
    """The text is not a cursor of this service."""


def position_of(customer: Mapping[str, Any]) -> Position:
    """Tell where a customer stands.

    Args:
        customer: A customer as the API sends it.

    Returns:
        Its place in the API's order.
    """
    try:
        since = datetime.fromisoformat(customer["customer-since"])
    except (KeyError, TypeError, ValueError):
        return Position(undated=True, instant=0, id=customer["id"])
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    instant = (since - _EPOCH) // _MICROSECOND
    return Position(undated=False, instant=instant, id=customer["id"])


def encode(position: Position) -> str:
    """Write a position as a cursor.

    Args:
        position: The last customer that was read.

    Returns:
        Opaque text that holds `=`, `+` and `/`.
    """
    return _encode(position, variant=0)


def another(position: Position) -> str:
    """Write a position as a cursor that no page carries unless a fault does.

    Args:
        position: The last customer that was read.

    Returns:
        Opaque text, unlike that of `encode`.
    """
    return _encode(position, variant=random.randrange(1, 256))  # noqa: S311 - no secret


def _encode(position: Position, variant: int) -> str:
    packed = _LAYOUT.pack(_MARK, *position, variant, _checksum(position))
    return base64.b64encode(packed).decode("ascii")


def decode(cursor: str) -> Position:
    """Read a cursor.

    Args:
        cursor: The text as the client sent it, URL-decoded.

    Returns:
        The position it names.

    Raises:
        WrongCursorError: If a character of it is not as `encode` wrote it.
    """
    try:
        _, undated, instant, id_, variant, _ = _LAYOUT.unpack(base64.b64decode(cursor))
    except (binascii.Error, struct.error, ValueError) as error:
        raise WrongCursorError(cursor) from error
    position = Position(undated, instant, id_)
    if _encode(position, variant) != cursor:
        raise WrongCursorError(cursor)
    return position


def _checksum(position: Position) -> int:
    return binascii.crc_hqx(repr(position).encode("ascii"), 0) & 0xFF
