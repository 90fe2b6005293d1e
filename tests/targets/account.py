"""The account that is loaded, and what the tap writes of it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox import Sandbox, generate_customers
from tests.customers import as_promised
from tests.running import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Settings

CUSTOM_COLUMNS = {
    "custom_account_notes": ("custom", "Account Notes"),
    "custom_cac": ("custom", "CAC"),
    "custom_converted_at": ("custom", "convertedAt"),
    "custom_discount_rate": ("custom", "discountRate"),
    "custom_exact_share": ("custom", "exact_share"),
    "custom_health_score": ("custom", "Health Score"),
    "custom_is_reference": ("custom", "Is Reference"),
    "custom_key": ("custom", "🔑 key"),
    "custom_ledger_number": ("custom", "Ledger Number"),
    "custom_pro": ("custom", "pro"),
    "custom_renewal_date": ("custom", "Renewal date"),
    "custom_sales_rep": ("custom", "salesRep"),
    "custom_seats_in_use": ("custom", "seats in use"),
    "custom_utm_campaign": ("custom", "utmCampaign"),
    "stripe_coupon": ("stripe", "coupon"),
    "stripe_items": ("stripe", "items"),
    "stripe_plan_name": ("stripe", "Plan Name"),
    "stripe_uid": ("stripe", "uid"),
}
"""The columns that the tap makes of custom attributes, and whose values they have."""

BEFORE, AFTER = 0, 1

NUL, MENDED = "nul \0 inside", "nul \ufffd inside"
"""A name that no database holds, and what the tap makes of it."""


def with_custom_columns(customer: Row) -> Row:
    """Return a customer with its custom attributes as columns."""
    columns = {
        name: customer["attributes"][group].get(key)
        for name, (group, key) in CUSTOM_COLUMNS.items()
    }
    for name in ("custom_converted_at", "custom_renewal_date"):
        if text := columns[name]:
            columns[name] = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return customer | columns


class Account:
    """An account, before and after some changes.

    Args:
        folder: Where what the tap and the targets write is kept.
        size: How many customers it has.
    """

    def __init__(self, folder: Path, size: int = 1_000) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._written: dict[tuple[int, str], Path] = {}
        before = generate_customers(size, seed=1)
        before[-1]["name"] = NUL
        gone, *changed = before[:20]
        changes = {"company": "Renamed 🦄", "email": None, "mrr": 1}
        after = [
            *before[20:],
            *(customer | changes for customer in changed),
            gone | {"uuid": f"{gone['uuid']}-new"},
        ]
        self._customers = before, after

    def rows(self, when: int) -> list[Row]:
        """Return the customers as a destination should hold them."""
        mended = {NUL: MENDED}
        return [
            as_promised(each | {"name": mended.get(each["name"], each["name"])})
            for each in self._customers[when]
        ]

    def written(self, when: int, settings: Settings) -> Path:
        """Return what the tap writes of it."""
        key = when, json.dumps(settings, sort_keys=True)
        with self._lock:
            if key not in self._written:
                path = self.folder / f"messages-{len(self._written)}.jsonl"
                with Sandbox(self._customers[when], rate_limit=None) as sandbox:
                    path.write_text(Tap(sandbox, self.folder).output(**settings))
                self._written[key] = path
            return self._written[key]
