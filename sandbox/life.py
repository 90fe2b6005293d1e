"""An account that lives from day to day, by a seed.

Leads come and convert, customers grow, shrink, fall behind, cancel and are deleted, and
some come back. `Life.live` tells what each day did to the account's MRR.
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from sandbox.customers import endless_customers
from sandbox.vocabulary import LEAD_STATUSES, OWNERS, PAYING_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from sandbox.sandbox import Sandbox
    from sandbox.store import Customer

Kind: TypeAlias = Literal["new", "expansion", "contraction", "churn", "reactivation"]

_CENTS_A_SEAT = {"Starter": 1_900, "Team": 3_900, "Business": 7_900}
_PLANS = tuple(_CENTS_A_SEAT)
_FIRST_STATUSES = (*("Active",) * 8, "Past Due", "Cancelled", "Cancelled")


class Movement(NamedTuple):
    """A change of a customer's MRR.

    Attributes:
        uuid: The customer.
        kind: What it is called.
        cents: What it adds to the account's MRR.
    """

    uuid: str
    kind: Kind
    cents: int


Event: TypeAlias = "Callable[[Life, Customer, date], Movement | None]"


class Life:
    """The customers of an account in one currency, each with a plan and seats.

    Args:
        sandbox: The account, which is empty.
        customers: How many customers it begins with.
        seed: Which customers, and what becomes of them.
    """

    def __init__(self, sandbox: Sandbox, customers: int = 300, seed: int = 1) -> None:
        self._sandbox = sandbox
        self._rng = Random(seed)  # noqa: S311 - made-up data, no secret
        self._unborn = endless_customers(seed)
        self._deleted: list[Customer] = []
        for made_up in islice(self._unborn, customers):
            is_lead = made_up["customer-since"] is None
            self._add(made_up, LEAD_STATUSES if is_lead else _FIRST_STATUSES)

    def live(self, day: date) -> list[Movement]:
        """Let a day pass. Leads who convert have its date as `customer-since`.

        Returns:
            What the day did to the account's MRR.
        """
        return list(filter(None, self._events(day)))

    def _events(self, day: date) -> Iterator[Movement | None]:
        gone, self._deleted = self._deleted, []
        for customer in self._sandbox.customers:
            if event := self._pick(self._EVENTS[customer["status"]]):
                yield event(self, customer, day)
        for customer in gone:
            yield self._stays_gone_or_comes_back(customer)
        for made_up in islice(self._unborn, self._rng.randrange(6)):
            self._add(made_up | {"customer-since": None}, LEAD_STATUSES)

    def _pick(self, events: Iterable[tuple[float, Event]]) -> Event | None:
        left = self._rng.random()
        for share, event in events:
            left -= share
            if left < 0:
                return event
        return None

    def _add(self, made_up: Customer, statuses: Sequence[str]) -> None:
        customer = made_up | {"status": self._rng.choice(statuses)}
        plan = {"plan": self._rng.choice(_PLANS), "seats": self._rng.randrange(1, 30)}
        self._sandbox.put(_priced(customer, **plan))

    def _becomes(
        self, customer: Customer, kind: Kind, status: str = "Active", **custom: object
    ) -> Movement:
        after = _priced(customer | {"status": status}, **custom)
        self._sandbox.put(after)
        return Movement(customer["uuid"], kind, after["mrr"] - customer["mrr"])

    def _converts(self, customer: Customer, day: date) -> Movement:
        since = f"{day}T{self._rng.randrange(6):02}:00:00+00:00"
        return self._becomes(customer | {"customer-since": since}, "new")

    def _grows(self, customer: Customer, _: date) -> Movement | None:
        plan, seats = _plan_of(customer)
        better = _PLANS[_PLANS.index(plan) + 1 :]
        if better and self._rng.random() < 0.3:  # noqa: PLR2004 - a share
            return self._becomes(customer, "expansion", plan=better[0])
        return self._becomes(
            customer, "expansion", seats=seats + self._rng.randrange(1, 9)
        )

    def _shrinks(self, customer: Customer, _: date) -> Movement | None:
        _plan, seats = _plan_of(customer)
        if seats == 1:
            return None
        fewer = self._rng.randrange(-(-seats // 2), seats)
        return self._becomes(customer, "contraction", seats=fewer)

    def _cancels(self, customer: Customer, _: date) -> Movement:
        return self._becomes(customer, "churn", status="Cancelled")

    def _returns(self, customer: Customer, _: date) -> Movement:
        return self._becomes(customer, "reactivation")

    def _falls_behind(self, customer: Customer, _: date) -> None:
        self._sandbox.put(customer | {"status": "Past Due"})

    def _pays_again(self, customer: Customer, _: date) -> None:
        self._sandbox.put(customer | {"status": "Active"})

    def _moves_on(self, customer: Customer, _: date) -> None:
        self._sandbox.put(customer | {"status": self._rng.choice(LEAD_STATUSES)})

    def _changes_hands(self, customer: Customer, _: date) -> None:
        self._sandbox.put(customer | {"owner": self._rng.choice(OWNERS)})

    def _is_deleted(self, customer: Customer, _: date) -> Movement | None:
        self._sandbox.remove(customer["uuid"])
        self._deleted.append(customer)
        cents = customer["mrr"]
        return Movement(customer["uuid"], "churn", -cents) if cents else None

    def _stays_gone_or_comes_back(self, customer: Customer) -> Movement | None:
        if self._rng.random() > 0.1:  # noqa: PLR2004 - a share
            self._deleted.append(customer)
            return None
        self._sandbox.put(customer)
        cents = customer["mrr"]
        return Movement(customer["uuid"], "reactivation", cents) if cents else None

    # What happens on a day to customers of a status, each to such a share of them.
    _EVENTS: ClassVar[dict[str, tuple[tuple[float, Event], ...]]] = {
        **dict.fromkeys(
            LEAD_STATUSES,
            ((0.02, _converts), (0.03, _moves_on), (0.01, _is_deleted)),
        ),
        "Active": (
            (0.012, _grows),
            (0.007, _shrinks),
            (0.004, _cancels),
            (0.004, _falls_behind),
            (0.005, _changes_hands),
            (0.002, _is_deleted),
        ),
        "Past Due": ((0.2, _pays_again), (0.1, _cancels)),
        "Cancelled": ((0.01, _returns), (0.005, _is_deleted)),
    }


def _plan_of(customer: Customer) -> tuple[str, int]:
    custom = customer["attributes"]["custom"]
    return custom["plan"], custom["seats"]


def _priced(customer: Customer, **custom: object) -> Customer:
    """Set custom attributes, and the revenue that follows from plan and status."""
    attributes: dict[str, Any] = customer["attributes"]
    attributes = attributes | {"custom": attributes["custom"] | custom}
    customer = customer | {"attributes": attributes}
    plan, seats = _plan_of(customer)
    mrr = _CENTS_A_SEAT[plan] * seats if customer["status"] in PAYING_STATUSES else 0
    return customer | {"mrr": mrr, "arr": 12 * mrr}
