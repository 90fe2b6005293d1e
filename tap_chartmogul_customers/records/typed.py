"""Decodes a page straight into its columns, if every value in it is as it should be.

That costs a third of reading each value by itself, and nearly every page is so.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import astuple

from tap_chartmogul_customers.api.body import UNCLEAN, decode_clean, exact_number
from tap_chartmogul_customers.pagination import Answer, Page, decode_page, page_of
from tap_chartmogul_customers.records.schema import COLUMNS, Kind
from tap_chartmogul_customers.records.values import (
    INT64,
    UnreadableError,
    read_attributes,
    read_integer,
    read_timestamp,
)

_TYPES: dict[Kind, Any] = {
    "text": str | None,
    "texts": list[str | None] | None,
    # Anything, to be looked at: msgspec has no type for exact numbers of both kinds.
    "integer": Any,
    "attributes": dict[str, Any] | None,
    "text_object": dict[str, str | None] | None,
    "timestamp": str | None,
}

_INTEGERS, _TIMES = (
    [index for index, column in enumerate(COLUMNS) if column.kind == kind]
    for kind in ("integer", "timestamp")
)


def _get(customer: object, field: str) -> Any:  # noqa: ANN401 (any column)
    """Return a field by the API's name, as a customer that is a dictionary does."""
    return getattr(customer, field.replace("-", "_"))


def _type(name: str, fields: list[str]) -> Any:  # noqa: ANN401 (a type made here)
    """Return the type of a customer whose columns have these names in JSON."""
    return msgspec.defstruct(
        name,
        [
            (column.name, _TYPES[column.kind], msgspec.field(name=field, default=None))
            for column, field in zip(COLUMNS, fields, strict=True)
        ],
        namespace={"get": _get},
        forbid_unknown_fields=True,
        gc=False,
    )


_SentCustomer = _type("SentCustomer", [column.field for column in COLUMNS])
TypedCustomer = _type("TypedCustomer", [column.name for column in COLUMNS])
"""A customer that is a record of all columns already."""

_Customers: Any = list[_SentCustomer]  # type: ignore[valid-type] # made here
_Body = msgspec.defstruct("_Body", [("entries", _Customers)], bases=(Answer,))
_decoder = msgspec.json.Decoder(_Body, float_hook=exact_number)


def decode_typed_page(body: bytes, number: int = 1) -> Page:
    """Decode the body of an answer, its customers into records where that is possible.

    A page that holds anything that needs more thought is decoded as `decode_page` does
    it, as a whole. Its records come out the same either way, to the byte.

    Args:
        body: JSON text, encoded in UTF-8.
        number: Which page of its range it is.

    Returns:
        The page; its customers are `TypedCustomer`, or dictionaries.

    Raises:
        ValueError: As `decode_page`.
        PagingError: As `decode_page`.
    """
    try:
        answer: Any = decode_clean(body, _decoder)
        customers = [*map(_typed, answer.entries)]
    except UNCLEAN:
        return decode_page(body, number)
    return page_of(answer, customers, number)


def _typed(sent: Any) -> Any:  # noqa: ANN401 (both types are made here)
    """Return a customer as a record.

    Raises:
        UnreadableError: A value does not fit its column.
    """
    if not sent.uuid:
        raise UnreadableError
    values = [*astuple(sent)]
    for index in _INTEGERS:
        value = values[index]
        if value is not None and (type(value) is not int or value not in INT64):
            values[index] = read_integer(value)
    for index in _TIMES:
        value = values[index]
        if value is not None:
            values[index] = read_timestamp(value)
    if sent.attributes is not None:
        read_attributes(sent.attributes)
    return TypedCustomer(*values)
