"""The words that generated customers are made of. Data alone."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

DATA_SOURCES = {
    "ds_fef05d54-47b4-431b-aed2-eb6b9e545430": "Stripe",
    "ds_1c5ab1d2-90d3-4f4e-8d0a-3b1c6f6a7d01": "Stripe",
    "ds_80686670-cc45-11e6-b9da-ff67b9895fe3": "Custom",
    "ds_6d9b4c3e-2f7a-4b55-9a10-5e0c8d1f2a02": "Custom",
    "ds_a3f1e0b7-7c42-4d0b-8b6e-91d2c3e4f503": "Import API",
    "ds_0b2d4f68-1a3c-4e5f-b7d9-82c4a6e8f004": "Google Sheets",
}
"""The account's data sources: uuid to the name of the billing system."""

LEAD_STATUSES = ("New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead")
OLD_LEAD_STATUS = "Lead"
PAYING_STATUSES = ("Active", "Active", "Active", "Past Due", "Cancelled")

OFFSETS = ("+00:00", "+00:00", "-04:00", "+02:00", "+05:30", "-11:00", "+13:00")
"""Offsets of `customer-since`."""


class Place(NamedTuple):
    """A city as `address` and the top-level fields spell it."""

    city: str | None
    state: str | None
    state_code: str | None
    country: str | None
    zip: str | None


PLACES = (
    Place("Nowhereville", "Alaska", "AK", "US", "0185128"),
    Place("New York", "New York", "NY", "US", "10001"),
    Place("San Francisco", "California", "CA", "US", "94103"),
    Place("Berlin", None, None, "DE", "10115"),
    Place("São Paulo", "", "", "BR", "01310-100"),
    Place("تهران", None, None, "IR", ""),
    Place("תל אביב", "", "", "IL", "6100000"),
    Place("東京", None, None, "JP", "100-0001"),
    Place("", "", "", "", ""),
    Place(None, None, None, None, None),
)

FIRST_WORDS = (
    "Acme", "Blue", "Carbon", "Delta", "Ember", "Forest", "Grüne", "Harbor",
    "Indigo", "Jasper", "Łódź", "Maple", "Nordic", "Onyx", "Prairie", "Quartz",
    "🚀 Rocket", "Silver", "Tidal", "Umbra", "Velvet", "Willow", "شركة", "חברת",
)  # fmt: skip
SECOND_WORDS = (
    "Analytics", "Bakery", "Cloud", "Dynamics", "Energy", "Foods", "Games",
    "Health", "Insurance", "Journals", "Kitchens", "Labs", "Media", "Networks",
    "O'Neill & Sons", "Partners", '"Quoted" Ltd', "Robotics", "Systems", "Travel",
    "C:\\Temp", "Δ Holdings", "النور", "👩‍👩‍👧 Family",
)  # fmt: skip

TAGS = (
    "engage", "unit loss", "discountable", "VIP", "churn-risk", "beta", "ops",
    "Überprüfen", "🔥 hot", "نشط",
)  # fmt: skip
OWNERS = ("gabi@example.com", "li.wei@example.com", "o'brien@example.com", None)
CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "CHF": "CHF"}
"""Currencies and their signs."""

NOTES = (
    "prefers e-mail",
    "line one\nline two\tand a tab",
    "likes 🍕 and 👨‍👩‍👧‍👦",
    "مرحبا بالعالم (RTL)",
    'quotes " and \\ and </script>',
    "",
)  # fmt: skip


def _decimal(places: int, most: int) -> Callable[[Random], Decimal]:
    return lambda rng: Decimal(rng.randrange(most)).scaleb(-places)


def _timestamp(rng: Random) -> str:
    day = (
        f"20{rng.randrange(15, 25)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    )
    return f"{day} {rng.randrange(24):02}:{rng.randrange(60):02}:00"


CUSTOM_ATTRIBUTES: dict[str, Callable[[Random], Any]] = {
    "CAC": lambda rng: rng.randrange(2_000),
    "seats in use": lambda rng: rng.randrange(1, 500),
    "Ledger Number": lambda rng: rng.randrange(10**19, 10**20),
    "discountRate": _decimal(1, 10),
    "Health Score": _decimal(3, 100_000),
    "exact_share": _decimal(22, 10**22),
    "pro": lambda rng: rng.choice((True, False)),
    "Is Reference": lambda rng: rng.choice((True, False)),
    "convertedAt": _timestamp,
    "Renewal date": lambda _: "2023-09-08 00:00:00",
    "utmCampaign": lambda rng: f"social media {rng.randrange(9)}",
    "salesRep": lambda rng: rng.choice(("Gabi", "Li Wei", "Zoë", "")),
    "Account Notes": lambda rng: rng.choice(NOTES),
    "🔑 key": lambda rng: rng.choice(TAGS),
}
"""The account's custom attributes: key to a maker of values of its one type."""
