"""What became of customers in a destination: whole, or what was lost on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]

NULL_AS_EMPTY = "null is empty text"
EMPTY_AS_NULL = "empty text is null"
AS_JSON = "objects and lists are JSON text"
AS_PYTHON = "objects and lists are Python's text"
AS_COLUMNS = "objects are columns"
ROUNDED = "numbers are rounded to 64 bits"
AS_NUMBERS = "booleans are 0 and 1"
REPEATED = "some customers are there twice"
WRONG = "is wrong"
MISSING = "is missing"
NO_NULLS = "keys with null are left out"
MORE_NULLS = "keys that others have are null"

read_json = partial(json.loads, parse_float=Decimal)


def losses(customers: list[Row], rows: list[Row]) -> set[str] | None:
    """Compare customers with the rows that hold them.

    Args:
        customers: The customers, times read; the same one may come in two versions.
        rows: The rows of the destination, a customer's versions in their order.

    Returns:
        What was lost, in words; None where the rows are of other customers.
    """
    expected, versions = _versions(customers), _versions(rows)
    if {uuid: len(each) for uuid, each in expected.items()} != {
        uuid: len(each) for uuid, each in versions.items()
    }:
        return None
    lost = {
        loss
        for uuid, each in expected.items()
        for customer, row in zip(each, versions[uuid], strict=True)
        for name, value in customer.items()
        for loss in _in_column(name, value, row)
    }
    return lost if len(rows) == len(customers) else {*lost, REPEATED}


def is_harmful(loss: str) -> bool:
    """Tell whether a loss is more than another way to write the same."""
    return loss.endswith((WRONG, MISSING))


def needs_reason(loss: str) -> bool:
    """Tell whether a loss is to be explained."""
    return is_harmful(loss) or loss == ROUNDED


def _versions(rows: list[Row]) -> dict[str, list[Row]]:
    """Return each customer's rows, less those that repeat the one before."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        of_the_tap = {
            name: value for name, value in row.items() if not name.startswith("_sdc_")
        }
        versions = found.setdefault(row["uuid"], [])
        if of_the_tap not in versions[-1:]:
            versions.append(of_the_tap)
    return found


def _in_column(name: str, value: Any, row: Row) -> Iterator[str]:
    if name in row:
        for loss in _in_value(value, row[name]):
            yield f"`{name}` {WRONG}" if loss is WRONG else loss
    elif isinstance(value, dict):
        # A target may flatten by itself.
        yield AS_COLUMNS
        for key, inner in value.items():
            yield from _in_column(f"{name}__{key}", inner, row)
    elif value is not None:
        yield f"`{name}` {MISSING}"


def _in_value(value: Any, found: Any) -> Iterator[str]:
    if value is None:
        yield from _in_null(found)
    elif isinstance(value, datetime):
        yield from () if _time(found) == value else (WRONG,)
    elif isinstance(value, (dict, list)):
        yield from _in_container(value, found)
    elif isinstance(value, bool):
        yield from _in_boolean(value, found)
    elif isinstance(value, (int, Decimal)):
        yield from _in_number(value, found)
    elif value == "" and found is None:
        yield EMPTY_AS_NULL
    elif value != found:
        yield WRONG


def _in_null(found: Any) -> Iterator[str]:
    if found == "":
        yield NULL_AS_EMPTY
    elif found is not None:
        yield WRONG


def _in_boolean(value: bool, found: Any) -> Iterator[str]:  # noqa: FBT001
    if isinstance(found, str):
        found = {"true": True, "false": False}.get(found.lower(), found)
    if found is not value:
        yield AS_NUMBERS if found == value else WRONG


def _in_number(value: int | Decimal, found: Any) -> Iterator[str]:
    try:
        number = Decimal(str(found))
    except InvalidOperation:
        yield WRONG
        return
    if number != value:
        yield ROUNDED if float(number) == float(value) else WRONG


def _in_container(value: Any, found: Any) -> Iterator[str]:
    if isinstance(found, str):
        try:
            found = read_json(found)
            yield AS_JSON
        except ValueError:
            found = _read_python(found)
            yield AS_PYTHON
    if type(found) is not type(value):
        yield WRONG
    elif isinstance(value, list):
        if len(found) != len(value):
            yield WRONG
            return
        for item, other in zip(value, found, strict=True):
            yield from _in_value(item, other)
    else:
        yield from _in_object(value, found)


def _read_python(text: str) -> Any:
    """Read what Python prints of a value; None if it is no such text."""
    try:
        names = {"__builtins__": {}, "Decimal": Decimal}
        return eval(text, names)  # noqa: S307 - what a target printed of made-up data
    except (NameError, SyntaxError, TypeError):
        return None


def _in_object(value: Row, found: Row) -> Iterator[str]:
    for key in value.keys() - found.keys():
        yield NO_NULLS if value[key] is None else WRONG
    for key in found.keys() - value.keys():
        yield MORE_NULLS if found[key] is None else WRONG
    for key in value.keys() & found.keys():
        yield from _in_value(value[key], found[key])


def _time(found: Any) -> datetime | None:
    """Read a time; one without an offset is in UTC."""
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            return None
    if isinstance(found, int):
        found = datetime.fromtimestamp(found / 1000, UTC)
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
