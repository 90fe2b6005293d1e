"""What the customers of a page are decoded into.

While msgspec decodes, it checks types for next to nothing. So a page is first decoded
strictly: into a class that has the type that is wanted of each field. Only a page that
has any other value, or a field that nobody knows, is decoded loosely: each customer is
what the API sent, and whoever takes it has to check every value.
"""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from tap_chartmogul_customers.api.paging import Answer, Customer
from tap_chartmogul_customers.errors import PagingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OWN = {"uuid": "uuid", "customer-since": "since"}
"""Fields that every `Customer` has, and their names there."""


class LooseCustomer(Customer, kw_only=True):
    """A customer whose values may be of any type."""

    fields: dict[str, Any]
    """All of them, as the API sent them."""


_loose = msgspec.json.Decoder(Answer[dict[str, Any]], float_hook=Decimal)


class CustomerDecoder:
    """Decodes pages. Numbers are exact: decimals are `Decimal`.

    Args:
        types: The type of each field that is known, for msgspec; `Any` where it is not
            to be checked. Without any, every page is decoded loosely.
    """

    def __init__(self, types: dict[str, Any] | None = None) -> None:
        self._types = types or {}
        self._strict = _strict(self._types) if types else None

    def ignore(self, field: str) -> None:
        """Decode strictly from now on though customers have a field that is unknown."""
        types = {**self._types, field: Any}
        with suppress(ValueError):  # A name that msgspec takes for none.
            self._strict, self._types = _strict(types), types

    def values_of(self, fields: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
        """Return what takes the UUID and then these fields out of a strict customer."""
        names = _names(self._types)
        return attrgetter("uuid", *(names[field] for field in fields))

    def decode(self, body: bytes) -> tuple[Answer[Customer], bool]:
        """Decode the body of an answer.

        Returns:
            The answer, whose customers are all strict or all loose; and whether text in
            it was changed so that it can be stored.

        Raises:
            ValueError: The body is not JSON, or not all of it.
            PagingError: It is JSON, but no page of customers with a UUID each, or
                holds a number or a nesting that no target takes.
        """
        if body.rfind(rb"\u0000") < 0:  # Takes a third of the time of `in` here.
            with suppress(ValueError):  # It comes again, if there is nothing to mend.
                return self._decode(body), False
        stored = storable(body)
        return self._decode(stored), stored != body

    def _decode(self, body: bytes) -> Answer[Any]:
        try:
            if self._strict:
                with suppress(msgspec.ValidationError):
                    return self._strict.decode(body)
            answer = _loose.decode(body)
        except msgspec.ValidationError as error:
            msg = f"not a page of customers: {error}"
            raise PagingError(msg) from error
        except (ArithmeticError, RecursionError) as error:
            msg = "a number has too many digits, or a value too many levels"
            raise PagingError(msg) from error
        customers = [_loosely(each) for each in answer.entries]
        return Answer(customers, answer.has_more, answer.cursor)


def _loosely(fields: dict[str, Any]) -> LooseCustomer:
    uuid = fields.get("uuid")
    if not isinstance(uuid, str) or not uuid:
        msg = "a customer without a `uuid`"  # No target could keep it.
        raise PagingError(msg)
    return LooseCustomer(uuid, fields.get("customer-since"), fields=fields)


def _names(fields: Iterable[str]) -> dict[str, str]:
    """Name fields in a class; they may not be valid names in Python."""
    return {field: f"_{number}" for number, field in enumerate(fields)} | _OWN


def _strict(types: dict[str, Any]) -> msgspec.json.Decoder[Answer[Any]]:
    names = _names(types)
    customer: Any = msgspec.defstruct(
        "StrictCustomer",
        [(names[each], types[each], None) for each in types.keys() - _OWN],
        bases=(Customer,),
        rename={name: field for field, name in names.items()},
        forbid_unknown_fields=True,
        gc=False,  # JSON has no reference cycles.
    )
    return msgspec.json.Decoder(Answer[customer], float_hook=Decimal)


_ESCAPE = re.compile(
    r"\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\u(0000|[dD][89a-fA-F]\w\w)|\\."
)


def storable(body: bytes) -> bytes:
    r"""Replace NUL, lone surrogates and invalid UTF-8 in JSON by U+FFFD.

    SQL databases cannot hold NUL, and UTF-8 cannot hold the others.

    >>> storable(rb'["a\u0000", "\ud83d\ude00", "\ud83d", "\\u0000"]').decode()
    '["a\\ufffd", "\\ud83d\\ude00", "\\ufffd", "\\\\u0000"]'
    """
    text = body.decode(errors="replace")
    return _ESCAPE.sub(
        lambda escape: r"\ufffd" if escape[1] else escape[0], text
    ).encode()
