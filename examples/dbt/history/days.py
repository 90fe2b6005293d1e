"""Days of a sandbox's account, each loaded and built, and the truth of each."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sandbox import Sandbox
from sandbox.life import Life

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.dbt.history.warehouses import Warehouse
    from sandbox.life import Movement

FIRST = date(2026, 3, 1)


class Day(NamedTuple):
    """What the sandbox knows of a day.

    Attributes:
        date: Its date.
        customers: Customers at its end by status.
        mrr: Their MRR in cents by status.
        movements: What the day did to MRR; nothing on the first.
    """

    date: date
    customers: Counter[str]
    mrr: Counter[str]
    movements: list[Movement]


def live(days: int, customers: int, *warehouses: Warehouse) -> Iterator[Day]:
    """Let days pass, and load and build on each.

    Args:
        days: How many.
        customers: How many customers the account begins with.
        warehouses: Where to load and build.

    Yields:
        Each day, once it is built.
    """

    def load_and_build(warehouse: Warehouse) -> None:
        warehouse.load(sandbox)
        warehouse.build(today)

    with Sandbox(rate_limit=None) as sandbox, ThreadPoolExecutor() as pool:
        life = Life(sandbox, customers)
        for number in range(days):
            today = FIRST + timedelta(number)
            movements = life.live(today) if number else []
            list(pool.map(load_and_build, warehouses))
            counts: Counter[str] = Counter()
            cents: Counter[str] = Counter()
            for customer in sandbox.customers:
                counts[customer["status"]] += 1
                cents[customer["status"]] += customer["mrr"]
            yield Day(today, counts, cents, movements)
