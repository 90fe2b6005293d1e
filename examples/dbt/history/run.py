"""`python -m examples.dbt.history.run 30`: thirty days on PostgreSQL, for the plot."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from examples.dbt.history.days import live
from examples.dbt.history.warehouses import Postgres
from tests.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterable

    from examples.dbt.history.warehouses import Row

RESULT = Path(__file__).with_name("history.json")
CUSTOMERS = 300


def main(days: int) -> None:
    """Build the history, compare it with the truth, and keep what is drawn.

    Args:
        days: How many days.
    """
    truth: list[dict[str, Any]] = []
    with postgres() as server, TemporaryDirectory() as folder:
        warehouse = Postgres(Path(folder), server.copy("history"))
        for day in live(days, CUSTOMERS, warehouse):
            moved = [(movement.kind, movement.cents) for movement in day.movements]
            truth.append(in_short(str(day.date), day.mrr.items(), moved))
            sys.stdout.write(f"{day.date}: MRR {day.mrr.total() / 100:,.2f}\n")
        totals, movements = map(warehouse.rows, ("mrr_by_day", "mrr_movements"))
    history = [
        in_short(
            day["day"],
            of_day(totals, day["day"], "status", "mrr_cents"),
            of_day(movements, day["day"], "movement", "amount_cents"),
        )
        for day in truth
    ]
    if history != truth:
        sys.exit("What dbt built is not what became of the account.")
    RESULT.write_text(json.dumps(history, indent=1) + "\n", "utf-8")


def of_day(rows: list[Row], day: str, key: str, cents: str) -> list[tuple[str, int]]:
    """Pick a day's rows of a model, as pairs.

    Args:
        rows: All rows.
        day: The day.
        key: The column of the first half.
        cents: The column of the second.

    Returns:
        The pairs.
    """
    return [(row[key], row[cents]) for row in rows if row["day"] == day]


def in_short(
    day: str, mrr: Iterable[tuple[str, int]], moved: Iterable[tuple[str, int]]
) -> dict[str, Any]:
    """Sum a day up.

    Args:
        day: Its date.
        mrr: MRR in cents by status.
        moved: Cents by movement.

    Returns:
        The sums, without those that are 0.
    """
    return {"day": day, "mrr": sums(mrr), "movements": sums(moved)}


def sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add the numbers of each name.

    Args:
        pairs: Names and numbers.

    Returns:
        The sums that are not 0, by name in order.
    """
    counter: Counter[str] = Counter()
    for name, number in pairs:
        counter[name] += number
    return {name: counter[name] for name in sorted(counter) if counter[name]}


if __name__ == "__main__":
    main(int(sys.argv[1]))
