"""The customers in the API's order: adding, removing, and reading on from a place."""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.cursors import START, Position, position_of
from sandbox.vocabulary import DATA_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Customer: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Filters:
    """The API's filters, each as the client sent it or None."""

    data_source_uuid: str | None = None
    external_id: str | None = None
    status: str | None = None
    system: str | None = None

    def match(self, customer: Customer) -> bool:
        """Tell whether a customer passes every filter that is set."""
        status = self.status and self.status.replace("_", " ")
        return (
            self.data_source_uuid in {None, *customer.get("data_source_uuids", ())}
            and self.external_id in {None, *customer.get("external_ids", ())}
            and status in {None, customer.get("status")}
            and self.system in {None, *_systems(customer)}
        )


NO_FILTERS = Filters()


def _systems(customer: Customer) -> Iterator[str | None]:
    """List the billing systems of all data sources of a customer."""
    yield customer.get("billing-system-type")
    yield from map(DATA_SOURCES.get, customer.get("data_source_uuids", ()))


class Store:
    """Customers in order, safe to change from one thread while another reads.

    Attributes:
        version: Another one after each change.
    """

    def __init__(self, customers: Iterable[Customer]) -> None:
        self.version = 0
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
        self.version += 1
        if position := self._positions.pop(uuid, None):
            del self._customers[position]
            del self._order[bisect.bisect_left(self._order, position)]

    def read(
        self,
        after: Position,
        most: int,
        filters: Filters = NO_FILTERS,
        skip: int = 0,
    ) -> list[Customer]:
        """Read the customers behind a place, whose own customer is left out.

        Args:
            after: The place.
            most: How many to read at most.
            filters: Which customers.
            skip: How many of them to pass over first.
        """
        with self._lock:
            return list(islice(self._matching(after, filters), skip, skip + most))

    def _matching(self, after: Position, filters: Filters) -> Iterator[Customer]:
        first = bisect.bisect_right(self._order, after)
        behind = (
            self._customers[self._order[index]]
            for index in range(first, len(self._order))
        )
        return behind if filters == NO_FILTERS else filter(filters.match, behind)

    def beside(self, place: Position, by: int) -> Position:
        """Name the place that lies `by` customers further on, or back if below 0.

        It is not before the first customer nor behind the last.
        """
        with self._lock:
            wanted = bisect.bisect_right(self._order, place) + by
            ahead = min(max(wanted, 0), len(self._order))
            return self._order[ahead - 1] if ahead else START

    def count(self, filters: Filters = NO_FILTERS) -> int:
        """Count customers."""
        with self._lock:
            if filters == NO_FILTERS:
                return len(self._order)
            return sum(map(filters.match, self._customers.values()))

    def all(self) -> list[Customer]:
        """List all customers in order."""
        with self._lock:
            return [self._customers[position] for position in self._order]
