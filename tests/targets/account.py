"""The account that is loaded, and what the tap writes of it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from inflection import parameterize, underscore

from sandbox import Sandbox, generate_customers
from sandbox.fields import CUSTOM_ATTRIBUTES
from tests.customers import as_promised
from tests.running import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Settings

KEYS = [
    *(("custom", key) for key in CUSTOM_ATTRIBUTES),
    *(("stripe", key) for key in ("coupon", "items", "Plan Name", "uid")),
]
"""The custom attributes that the tap makes columns of."""

BEFORE, AFTER = 0, 1

NUL, MENDED = "nul \0 inside", "nul \ufffd inside"
"""A name that no database holds, and what the tap makes of it."""


def with_custom_columns(customer: Row) -> Row:
    """Return a customer with its custom attributes as columns."""
    attributes = customer["attributes"]
    columns = {
        parameterize(underscore(f"{group} {key}"), "_"): attributes[group].get(key)
        for group, key in KEYS
    }
    for name in ("custom_converted_at", "custom_renewal_date"):
        if text := columns[name]:
            columns[name] = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return customer | columns


class Account:
    """An account, before and after some changes, and a folder for what is written."""

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
