"""Customers made up from a seed, with all the odd values of real accounts."""

from __future__ import annotations

from functools import partial
from itertools import count, islice
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.fields import ABSENT, FIELDS, Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.store import Customer


def generate_customers(how_many: int, seed: int = 1) -> list[Customer]:
    """Make up customers; the same seed gives the same ones.

    A smaller number gives the first of a larger number's customers. 1,000 hold every
    kind: merged ones, leads, old ones, and each missing or odd value.

    Returns:
        Customers as the API sends them, not in its order. Numbers with a decimal
        point are `Decimal`, so that they can be compared to the digit.
    """
    return list(islice(endless_customers(seed), how_many))


def endless_customers(seed: int) -> Iterator[Customer]:
    """Make up customers as `generate_customers` does, one after the other."""
    fill = _filler(FIELDS, str(seed))
    for number in count():
        customer: Customer = {"id": 25_647 + 3 * number}
        fill(customer, customer)
        yield customer


def _filler(fields: Fields, seed: str) -> Callable[..., dict[str, Any]]:
    # Each field has random numbers of its own, so that a field that is added or changed
    # changes no other. There is one generator for each field, not for each value, since
    # seeding one takes as long as making half a customer.
    makers = {
        name: _filler(field, f"{seed} {name}")
        if isinstance(field, dict)
        else partial(field, Random(f"{seed} {name}"))  # noqa: S311 - no secret
        for name, field in fields.items()
    }

    def fill(customer: Customer, target: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        filled = {} if target is None else target
        for name, make in makers.items():
            value = make(customer)
            if value is not ABSENT:
                filled[name] = value
        return filled

    return fill
