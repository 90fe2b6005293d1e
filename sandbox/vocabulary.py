"""The words that generated customers are made of. Data alone."""

from __future__ import annotations

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
PAYING_STATUSES = ("Active", "Past Due")
STATUSES = (
    *(*LEAD_STATUSES, OLD_LEAD_STATUS),
    *(*["Active"] * 17, *["Past Due"] * 6, *["Cancelled"] * 6),
)
"""All statuses, each as often as it is to come."""

OFFSETS = ("+00:00", "+00:00", "-04:00", "+02:00", "+05:30", "-11:00", "+13:00")
"""Offsets of `customer-since`."""

ADDRESS = ("city", "state", "country", "address_zip")
"""The keys of a customer's `address`."""

ADDRESSES: tuple[tuple[str | None, ...], ...] = (
    ("Nowhereville", "Alaska", "US", "0185128"),
    ("New York", "New York", "US", "10001"),
    ("San Francisco", "California", "US", "94103"),
    ("Berlin", None, "DE", "10115"),
    ("São Paulo", "", "BR", "01310-100"),
    ("تهران", None, "IR", ""),
    ("תל אביב", "", "IL", "6100000"),
    ("東京", None, "JP", "100-0001"),
    ("", "", "", ""),
    (None, None, None, None),
)
STATE_CODES = {"Alaska": "AK", "New York": "NY", "California": "CA"}
"""How the field `state` spells what `address` writes in full."""

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

NOTES = (
    "prefers e-mail",
    "line one\nline two\tand a tab",
    "likes 🍕 and 👨‍👩‍👧‍👦",
    "مرحبا بالعالم (RTL)",
    'quotes " and \\ and </script>',
    "",
)  # fmt: skip
