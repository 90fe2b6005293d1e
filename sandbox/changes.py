"""Customers that change while a client reads."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from sandbox.exchange import SeenRequest
    from sandbox.store import Customer, Store


class Changes:
    """Changes a customer at one in so many requests, and says whom it touched.

    In half of the changes a lead starts to pay. In a tenth a date is corrected. In the
    rest a customer is added or removed.

    Args:
        store: The customers.
        one_in: One request in this many, on average.
        seed: Which requests, customers and changes.

    Attributes:
        touched: The uuids of all customers that were changed.
    """

    def __init__(self, store: Store, *, one_in: int, seed: int) -> None:
        self.touched: set[str] = set()
        self._store = store
        self._one_in = one_in
        self._rng = Random(seed)  # noqa: S311 - made-up changes, no secret

    def __call__(self, _: SeenRequest) -> None:
        """Change a customer, or none, now that a request has come."""
        customers = self._store.all()
        if not customers or self._rng.random() * self._one_in >= 1:
            return
        kinds = (self._pay, self._correct, self._add, self._remove)
        (change,) = self._rng.choices(kinds, weights=(5, 1, 2, 2))
        change(customers)

    def _pay(self, customers: list[Customer]) -> None:
        leads = [c for c in customers if c.get("customer-since") is None]
        if leads:
            paying = {"status": "Active", "mrr": 3_000, "arr": 36_000}
            lead = self._rng.choice(leads)
            self.touched.add(lead["uuid"])
            self._store.put(lead | {"customer-since": _now(), **paying})

    def _correct(self, customers: list[Customer]) -> None:
        customer, other = self._rng.choice(customers), self._rng.choice(customers)
        self.touched.add(customer["uuid"])
        self._store.put(customer | {"customer-since": other.get("customer-since")})

    def _add(self, customers: list[Customer]) -> None:
        new = self._rng.choice(customers) | {
            "id": max(customer["id"] for customer in customers) + 1,
            "uuid": f"cus_{UUID(int=self._rng.getrandbits(128), version=4)}",
            "customer-since": self._rng.choice((None, _now())),
        }
        self.touched.add(new["uuid"])
        self._store.put(new)

    def _remove(self, customers: list[Customer]) -> None:
        uuid = self._rng.choice(customers)["uuid"]
        self.touched.add(uuid)
        self._store.remove(uuid)


def _now() -> str:
    return datetime.now(UTC).isoformat()
