"""The customers in the API's order: adding, removing, and reading on from a place."""

from __future__ import annotations

import bisect
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.cursors import START, Position, position_of
from sandbox.vocabulary import DATA_SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Customer: TypeAlias = dict[str, Any]


def _status(customer: Customer) -> tuple[str, str]:
    """Spell a status as records do, and as the filter does."""
    status = str(customer.get("status"))
    return status, status.replace(" ", "_")


def _systems(customer: Customer) -> Iterator[str | None]:
    """List the billing systems of all data sources of a customer."""
    yield customer.get("billing-system-type")
    yield from map(DATA_SOURCES.get, customer.get("data_source_uuids", ()))


FILTERS: dict[str, Callable[[Customer], Iterable[str | None]]] = {
    "data_source_uuid": lambda customer: customer.get("data_source_uuids", ()),
    "external_id": lambda customer: customer.get("external_ids", ()),
    "status": _status,
    "system": _systems,
}
"""The API's filters, and which values of each a customer passes."""

Filters: TypeAlias = frozenset[tuple[str, str]]
"""The filters that the client sent, each with its value."""


def _passes(customer: Customer, filters: Filters) -> bool:
    return all(wanted in FILTERS[name](customer) for name, wanted in filters)


class Store:
    """Customers in order. One thread may change them while another reads."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        self._lock = threading.Lock()
        self._customers: dict[Position, Customer] = {}
        self._positions: dict[str, Position] = {}
        self._order: list[Position] = []
        # In order, each is put at the end, where it costs no shifting.
        for customer in sorted(customers, key=position_of):
            self.put(customer)

    def put(self, customer: Customer) -> None:
        """Add a customer, or put it in the place of the one with its uuid.

        Raises:
            ValueError: If another customer has its id and instant.
        """
        uuid, position = customer["uuid"], position_of(customer)
        with self._lock:
            if self._customers.get(position, customer)["uuid"] != uuid:
                msg = f"two customers with the id {customer['id']}"
                raise ValueError(msg)
            self._drop(uuid)
            self._customers[position] = customer
            self._positions[uuid] = position
            bisect.insort(self._order, position)

    def remove(self, uuid: str) -> None:
        """Take a customer out; one who is not there is no error."""
        with self._lock:
            self._drop(uuid)

    def _drop(self, uuid: str) -> None:
        if position := self._positions.pop(uuid, None):
            del self._customers[position]
            del self._order[bisect.bisect_left(self._order, position)]

    def read(self, after: Position, most: int, filters: Filters) -> list[Customer]:
        """Read customers behind a place, without the one that stands there."""
        with self._lock:
            first = bisect.bisect_right(self._order, after)
            behind = (self._customers[place] for place in self._order[first:])
            return list(islice((c for c in behind if _passes(c, filters)), most))

    def beside(self, place: Position, by: int) -> Position:
        """Name the place that lies `by` customers further on, or back if below 0.

        It is not before the first customer nor behind the last.
        """
        with self._lock:
            wanted = bisect.bisect_right(self._order, place) + by
            ahead = min(max(wanted, 0), len(self._order))
            return self._order[ahead - 1] if ahead else START

    def count(self) -> int:
        """Count customers."""
        return len(self._order)

    def all(self) -> list[Customer]:
        """List all customers in order."""
        with self._lock:
            return [self._customers[position] for position in self._order]
