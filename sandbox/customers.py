"""Customers made up from a seed, with everything odd that real accounts hold."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox import vocabulary as words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.store import Customer

_SOURCES = tuple(words.DATA_SOURCES)


def generate_customers(
    count: int, seed: int = 1, currencies: Sequence[str] = ("USD",)
) -> list[Customer]:
    """Make up customers; the same seed gives the same ones.

    Fewer customers of a seed are the first of its more. 1,000 hold every kind:
    merged ones, leads, old ones, and each missing or odd value.

    Args:
        count: How many customers.
        seed: Which customers.
        currencies: Theirs; an account has one.

    Returns:
        Customers as the API sends them, not in its order. Numbers with a decimal
        point are `Decimal`, so that they can be compared to the digit.
    """
    rng = Random(seed)  # noqa: S311 - made-up data, no secret
    customers: list[Customer] = []
    for number in range(count):
        customer = _customer(rng, number, rng.choice(currencies))
        if number % 20 == 1:
            _share_external_id(customer, customers[-1])
        customers.append(customer)
    return customers


def _customer(rng: Random, number: int, currency: str) -> Customer:
    id_ = 25_647 + 3 * number
    uuid = _uuid(rng)
    is_lead = _happens(rng, 0.15)
    name = f"{rng.choice(words.FIRST_WORDS)} {rng.choice(words.SECOND_WORDS)}"
    sources = _sources(rng)
    system = words.DATA_SOURCES[sources[0]]
    external_ids = [
        _external_id(rng, words.DATA_SOURCES[source], number)
        for source in dict.fromkeys(sources)
    ]
    place = rng.choice(words.PLACES)
    host = f"customer-{number}.example.com"
    customer: Customer = {
        "id": id_,
        "uuid": f"cus_{uuid}",
        "external_id": external_ids[0],
        "name": _or_missing(rng, name),
        "email": _or_missing(rng, f"billing@{host}"),
        "status": _status(rng, is_lead=is_lead),
        "customer-since": None if is_lead else _customer_since(rng),
        "attributes": {
            "tags": rng.sample(words.TAGS, rng.choice((0, 0, 1, 2, 4))),
            "stripe": _stripe(rng, system),
            "clearbit": _clearbit(rng, name, host),
            "custom": dict(_custom(rng)),
        },
        "address": {
            "address_zip": place.zip,
            "city": place.city,
            "state": place.state,
            "country": place.country,
        },
        "data_source_uuid": sources[0],
        "data_source_uuids": sources,
        "external_ids": external_ids,
        "company": _or_missing(rng, name),
        "country": place.country,
        "state": place.state_code,
        "city": place.city,
        "zip": place.zip,
        "lead_created_at": _moment(rng) if is_lead or _happens(rng, 0.2) else None,
        "free_trial_started_at": _moment(rng) if _happens(rng, 0.2) else None,
        **_revenue(rng, is_lead=is_lead),
        "billing-system-url": _billing_url(rng, system, external_ids[0]),
        "chartmogul-url": f"https://app.chartmogul.com/#customers/{id_}-{number}",
        "billing-system-type": system,
        "currency": currency,
        "currency-sign": words.CURRENCIES[currency],
        "owner": rng.choice(words.OWNERS),
    }
    is_old = _happens(rng, 0.1)
    if not is_old:
        customer["website_url"] = _or_missing(rng, f"https://{host}/")
    return customer


def _share_external_id(customer: Customer, other: Customer) -> None:
    """Give a customer the external id of another, in a data source of its own."""
    if other["data_source_uuid"] not in customer["data_source_uuids"]:
        customer["external_id"] = other["external_id"]
        customer["external_ids"][0] = other["external_id"]


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    )


def _happens(rng: Random, share: float) -> bool:
    return rng.random() < share


def _or_missing(rng: Random, text: str) -> str | None:
    if _happens(rng, 0.04):
        return None
    return "" if _happens(rng, 0.04) else text


def _sources(rng: Random) -> list[str]:
    is_merged = _happens(rng, 0.1)
    if not is_merged:
        return [rng.choice(_SOURCES)]
    sources = rng.sample(_SOURCES, rng.randrange(2, 4))
    repeats_one = _happens(rng, 0.4)
    return [*sources, sources[0]] if repeats_one else sources


def _external_id(rng: Random, system: str, number: int) -> str:
    if system == "Stripe":
        return f"cus_{rng.getrandbits(70):018x}"
    return f"{number}{rng.randrange(10**4):04}"


def _status(rng: Random, *, is_lead: bool) -> str:
    if not is_lead:
        return rng.choice(words.PAYING_STATUSES)
    if _happens(rng, 0.2):
        return words.OLD_LEAD_STATUS
    return rng.choice(words.LEAD_STATUSES)


def _customer_since(rng: Random) -> str:
    # Few hours, so that customers share an instant, across offsets too.
    hour = rng.choice(("00:00:00", "12:00:00", "13:16:00"))
    return f"{_day(rng)}T{hour}{rng.choice(words.OFFSETS)}"


def _moment(rng: Random) -> str:
    return f"{_day(rng)}T{rng.randrange(24):02}:{rng.randrange(60):02}:00.000Z"


def _day(rng: Random) -> str:
    year, month, day = rng.randrange(15, 25), rng.randrange(1, 13), rng.randrange(1, 29)
    return f"20{year}-{month:02}-{day:02}"


def _revenue(rng: Random, *, is_lead: bool) -> dict[str, int | Decimal]:
    mrr = 0 if is_lead else rng.randrange(1, 900) * 100
    if _happens(rng, 0.1):
        return {"mrr": Decimal(f"{mrr}.0"), "arr": Decimal(f"{mrr * 12}.0")}
    return {"mrr": mrr, "arr": mrr * 12}


def _billing_url(rng: Random, system: str, external_id: str) -> str | None:
    if system == "Stripe":
        return f"https://dashboard.stripe.com/customers/{external_id}"
    return "" if _happens(rng, 0.1) else None


def _stripe(rng: Random, system: str) -> dict[str, Any]:
    if system != "Stripe" or _happens(rng, 0.3):
        return {}
    return {
        "uid": rng.randrange(10_000),
        "coupon": _happens(rng, 0.5),
        "Plan Name": rng.choice(("Pro 💎", "basic", None)),
        "items": [{"sku": f"A-{rng.randrange(99)}", "share": Decimal("0.1")}],
    }


def _clearbit(rng: Random, name: str, host: str) -> dict[str, Any]:
    if _happens(rng, 0.7):
        return {}
    return {
        "name": name,
        "domain": host,
        "category": {"sector": "Information Technology", "subIndustry": None},
        "metrics": {"employees": rng.randrange(5_000), "raised": None},
        "tech": ["stripe", "google_apps"],
    }


def _custom(rng: Random) -> Iterator[tuple[str, Any]]:
    share = rng.choice((0.0, 0.3, 0.8))
    for key, value in words.CUSTOM_ATTRIBUTES.items():
        if rng.random() < share:
            yield key, value(rng)
