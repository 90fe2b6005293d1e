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
REPEATED = "some customers are there twice"
WRONG = "is wrong"
MISSING = "is missing"

read_json = partial(json.loads, parse_float=Decimal)


def losses(customers: list[Row], rows: list[Row]) -> set[str] | None:
    """Say what was lost of customers in the rows that hold them, by order of versions.

    Returns:
        What was lost, in words; None where the rows are of other customers.
    """
    expected, found = _versions(customers), _versions(rows)
    if {uuid: len(each) for uuid, each in expected.items()} != {
        uuid: len(each) for uuid, each in found.items()
    }:
        return None
    lost = {
        loss
        for uuid, versions in expected.items()
        for customer, row in zip(versions, found[uuid], strict=True)
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
    match value:
        case dict() | list():
            yield from _in_container(value, found)
        case None if found == "":
            yield NULL_AS_EMPTY
        case "" if found is None:
            yield EMPTY_AS_NULL
        case int() | Decimal() if not isinstance(value, bool):
            number = _number(found)
            if number != value:
                yield ROUNDED if float(number) == float(value) else WRONG
        case _ if _read(value, found) != value:
            yield WRONG


def _in_container(value: Any, found: Any) -> Iterator[str]:
    if isinstance(found, str):
        try:
            found = read_json(found)
            yield AS_JSON
        except ValueError:
            found = _read_python(found)
            yield AS_PYTHON
    if isinstance(value, list) and isinstance(found, list):
        value, found = dict(enumerate(value)), dict(enumerate(found))
    if not isinstance(found, dict) or value.keys() != found.keys():
        yield WRONG
        return
    for key, inner in value.items():
        yield from _in_value(inner, found[key])


def _read_python(text: str) -> Any:
    """Read what Python prints of a value; None if it is no such text."""
    try:
        names = {"__builtins__": {}, "Decimal": Decimal}
        return eval(text, names)  # noqa: S307 - what a target printed of made-up data
    except (NameError, SyntaxError, TypeError):
        return None


def _number(found: Any) -> Decimal:
    """Read a number; what is none is not equal to any."""
    try:
        return Decimal(str(found))
    except InvalidOperation:
        return Decimal("NaN")


def _read(value: Any, found: Any) -> Any:
    """Read what was found as what a value is; a time without an offset is in UTC."""
    if isinstance(value, bool):
        return {"true": True, "false": False}.get(str(found).lower())
    if not isinstance(value, datetime):
        return found
    if isinstance(found, int):
        found = datetime.fromtimestamp(found / 1000, UTC)
    try:
        time = datetime.fromisoformat(str(found))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
