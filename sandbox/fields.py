"""How each field of a customer is made up.

A new field is one line of `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

from sandbox import vocabulary as words
from sandbox.store import Customer

Draw: TypeAlias = Callable[[Random], Any]
"""Makes a value from random numbers only."""

Make: TypeAlias = Callable[[Random, Customer], Any]
"""Makes a value that may depend on the `id` and the fields above it in `FIELDS`."""

Fields: TypeAlias = "dict[str, Make | Fields]"
"""The fields of an object; those of an object within it are a table of their own."""

ABSENT = object()
"""Returned where the field is to be left out."""

_SOURCES = tuple(words.DATA_SOURCES)
_FIRST_DAY = date(2015, 1, 1)


def _happens(rng: Random, share: float) -> bool:
    return rng.random() < share


def _or_missing(make: Make) -> Make:
    def text_or_missing(rng: Random, customer: Customer) -> str | None:
        if _happens(rng, 0.08):
            return rng.choice((None, ""))
        text: str = make(rng, customer)
        return text

    return text_or_missing


def _is_lead(customer: Customer) -> bool:
    return "Lead" in customer["status"]


def _host(customer: Customer) -> str:
    return f"customer-{customer['id']}.example.com"


def _business(rng: Random, _: Customer) -> str:
    return f"{rng.choice(words.FIRST_WORDS)} {rng.choice(words.SECOND_WORDS)}"


def _day(rng: Random) -> date:
    return _FIRST_DAY + timedelta(rng.randrange(3_650))


def _minute(rng: Random) -> str:
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:00"


def _moment(rng: Random) -> str:
    return f"{_day(rng)}T{_minute(rng)}.000Z"


def _customer_since(rng: Random, customer: Customer) -> str | None:
    if _is_lead(customer):
        return None
    # Few hours, so that customers share an instant, across offsets too.
    hour = rng.choice(("00:00:00", "12:00:00", "13:16:00"))
    return f"{_day(rng)}T{hour}{rng.choice(words.OFFSETS)}"


def _sources(rng: Random, customer: Customer) -> list[str]:
    first = customer["data_source_uuid"]
    if not _happens(rng, 0.1):  # Nine in ten were never merged.
        return [first]
    others = [source for source in _SOURCES if source != first]
    sources = [first, *rng.sample(others, rng.randrange(1, 3))]
    return [*sources, first] if _happens(rng, 0.4) else sources


def _external_ids(rng: Random, customer: Customer) -> list[str]:
    return [
        f"cus_{rng.getrandbits(70):018x}"
        if words.DATA_SOURCES[source] == "Stripe"
        else f"{customer['id']}{rng.randrange(10**4):04}"
        for source in dict.fromkeys(customer["data_source_uuids"])
    ]


def _mrr(rng: Random, customer: Customer) -> int | Decimal:
    pays = customer["status"] in words.PAYING_STATUSES
    mrr = rng.randrange(1, 900) * 100 if pays else 0
    return Decimal(f"{mrr}.0") if _happens(rng, 0.1) else mrr


def _billing_url(rng: Random, customer: Customer) -> str | None:
    if customer["billing-system-type"] == "Stripe":
        return f"https://dashboard.stripe.com/customers/{customer['external_id']}"
    return "" if _happens(rng, 0.1) else None


def _stripe(rng: Random, customer: Customer) -> dict[str, Any]:
    if customer["billing-system-type"] != "Stripe" or _happens(rng, 0.3):
        return {}
    return {
        "uid": rng.randrange(10_000),
        "coupon": _happens(rng, 0.5),
        "Plan Name": rng.choice(("Pro 💎", "basic", None)),
        "items": [{"sku": f"A-{rng.randrange(99)}", "share": Decimal("0.1")}],
    }


def _clearbit(rng: Random, customer: Customer) -> dict[str, Any]:
    if _happens(rng, 0.7):
        return {}
    return {
        "name": _business(rng, customer),
        "domain": _host(customer),
        "category": {"sector": "Information Technology", "subIndustry": None},
        "metrics": {"employees": rng.randrange(5_000), "raised": None},
        "tech": ["stripe", "google_apps"],
    }


def _custom(draw: Draw) -> Make:
    def value(rng: Random, customer: Customer) -> Any:  # noqa: ANN401 - any JSON
        # One customer in three has none of the attributes, one a few, one most.
        share = (0.0, 0.3, 0.8)[customer["id"] // 3 % 3]
        return draw(rng) if _happens(rng, share) else ABSENT

    return value


def _website_url(rng: Random, customer: Customer) -> Any:  # noqa: ANN401 - or ABSENT
    is_old = _happens(rng, 0.1)
    return ABSENT if is_old else _website(rng, customer)


_website = _or_missing(lambda _, customer: f"https://{_host(customer)}/")


def _decimal(places: int, most: int) -> Draw:
    return lambda rng: Decimal(rng.randrange(most)).scaleb(-places)


CUSTOM_ATTRIBUTES: dict[str, Draw] = {
    "CAC": lambda rng: rng.randrange(2_000),
    "seats in use": lambda rng: rng.randrange(1, 500),
    "Ledger Number": lambda rng: rng.randrange(10**19, 10**20),
    "discountRate": _decimal(1, 10),
    "Health Score": _decimal(3, 100_000),
    "exact_share": _decimal(22, 10**22),
    "pro": lambda rng: _happens(rng, 0.5),
    "Is Reference": lambda rng: _happens(rng, 0.5),
    "convertedAt": lambda rng: f"{_day(rng)} {_minute(rng)}",
    "Renewal date": lambda _: "2023-09-08 00:00:00",
    "utmCampaign": lambda rng: f"social media {rng.randrange(9)}",
    "salesRep": lambda rng: rng.choice(("Gabi", "Li Wei", "Zoë", "")),
    "Account Notes": lambda rng: rng.choice(words.NOTES),
    "🔑 key": lambda rng: rng.choice(words.TAGS),
}
"""The account's custom attributes, each with values of one type."""

FIELDS: Fields = {
    "uuid": lambda rng, _: f"cus_{UUID(int=rng.getrandbits(128), version=4)}",
    "name": _or_missing(_business),
    "email": _or_missing(lambda _, customer: f"billing@{_host(customer)}"),
    "status": lambda rng, _: rng.choice(words.STATUSES),
    "customer-since": _customer_since,
    "data_source_uuid": lambda rng, _: rng.choice(_SOURCES),
    "data_source_uuids": _sources,
    "external_ids": _external_ids,
    "external_id": lambda _, customer: customer["external_ids"][0],
    "billing-system-type": lambda _, customer: words.DATA_SOURCES[
        customer["data_source_uuid"]
    ],
    "billing-system-url": _billing_url,
    "attributes": {
        "tags": lambda rng, _: rng.sample(words.TAGS, rng.choice((0, 0, 1, 2, 4))),
        "stripe": _stripe,
        "clearbit": _clearbit,
        "custom": {key: _custom(draw) for key, draw in CUSTOM_ATTRIBUTES.items()},
    },
    "address": lambda rng, _: dict(
        zip(words.ADDRESS, rng.choice(words.ADDRESSES), strict=True)
    ),
    "company": _or_missing(_business),
    "country": lambda _, customer: customer["address"]["country"],
    "state": lambda _, customer: words.STATE_CODES.get(
        customer["address"]["state"], customer["address"]["state"]
    ),
    "city": lambda _, customer: customer["address"]["city"],
    "zip": lambda _, customer: customer["address"]["address_zip"],
    "lead_created_at": lambda rng, customer: (
        _moment(rng) if _is_lead(customer) or _happens(rng, 0.2) else None
    ),
    "free_trial_started_at": lambda rng, _: (
        _moment(rng) if _happens(rng, 0.2) else None
    ),
    "mrr": _mrr,
    "arr": lambda _, customer: 12 * customer["mrr"],
    "chartmogul-url": lambda _, customer: (
        f"https://app.chartmogul.com/#customers/{customer['id']}-Customer"
    ),
    "currency": lambda _, __: "USD",
    "currency-sign": lambda _, __: "$",
    "owner": lambda rng, _: rng.choice(words.OWNERS),
    "website_url": _website_url,
}
