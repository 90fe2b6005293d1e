"""What is loaded into a target, and what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sandbox import Sandbox, generate_customers
from tests.running import Tap
from tests.targets.comparison import is_harmful, losses
from tests.targets.target import FLAT
from tests.test_meltano import as_promised

if TYPE_CHECKING:
    from tests.targets.comparison import Row
    from tests.targets.target import Settings, Target

WHOLE = "whole"
STOPS = "stops"
OTHER = "other customers"

VERSIONS = {"emit_activate_version_messages": True}
CUSTOM = {"custom_attributes_sample_size": 1000}

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

TIMES = ("custom_converted_at", "custom_renewal_date")

BEFORE, AFTER = 0, 1

FIRST, SECOND, DELETES, FLATTENED, TYPED = SCENARIOS = (
    "first load",
    "second load",
    "ACTIVATE_VERSION",
    "flattened",
    "custom columns",
)


def with_custom_columns(customer: Row) -> Row:
    """Return a customer with its custom attributes as columns."""
    columns = {
        name: customer["attributes"][group].get(key)
        for name, (group, key) in CUSTOM_COLUMNS.items()
    }
    for name in TIMES:
        if text := columns[name]:
            columns[name] = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return customer | columns


class Account:
    """An account with 1,000 customers, before and after some changes.

    Args:
        folder: Where what the tap wrote is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._written: dict[tuple[int, str], Path] = {}
        before = generate_customers(1_000, seed=1)
        gone, *changed = before[:20]
        self._customers = (
            before,
            [
                *before[20:],
                *(
                    customer | {"company": "Renamed 🦄", "email": None, "mrr": 1}
                    for customer in changed
                ),
                gone | {"uuid": f"{gone['uuid']}-new"},
            ],
        )
        self.gone = gone["uuid"]

    def rows(self, when: int) -> list[Row]:
        """Return the customers as a destination should hold them."""
        return [as_promised(customer) for customer in self._customers[when]]

    def written(self, when: int, settings: Settings) -> Path:
        """Return what the tap writes of it."""
        key = when, json.dumps(settings, sort_keys=True)
        with self._lock:
            if key not in self._written:
                path = self._folder / f"messages-{len(self._written)}.jsonl"
                with Sandbox(self._customers[when], rate_limit=None) as sandbox:
                    path.write_text(Tap(sandbox, self._folder).output(**settings))
                self._written[key] = path
            return self._written[key]


@dataclass(frozen=True)
class Seen:
    """What became of the customers in one scenario.

    Args:
        outcome: In a word.
        losses: What was lost of their values.
        log: What the target printed.
    """

    outcome: str
    losses: frozenset[str] = frozenset()
    log: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} {sorted(self.losses)}\n{self.log[-2_000:]}"

    @property
    def failed(self) -> bool:
        """Whether not every customer is there."""
        return self.outcome in {STOPS, OTHER}

    @property
    def is_whole(self) -> bool:
        """Whether every value of every customer can be told from what is there."""
        return not self.failed and not any(map(is_harmful, self.losses))

    def shows(self, evidence: str) -> str:
        """Return a sentence of what was seen, if the evidence is in it."""
        if self.outcome == STOPS and evidence in self.log:
            return f"`{evidence}`"
        return "; ".join(sorted(each for each in self.losses if evidence in each))


@dataclass(frozen=True)
class Trial:
    """A target, tried in every scenario.

    Args:
        target: The target.
        account: What is loaded.
    """

    target: Target
    account: Account

    def run(self) -> dict[str, Seen]:
        """Run every scenario.

        Returns:
            What was seen, by scenario.
        """
        tap = self.target.tap
        before, after = self.account.rows(BEFORE), self.account.rows(AFTER)
        merged = {row["uuid"]: row for row in [*before, *after]}
        later = {
            "updates": list(merged.values()),
            "appends": [*before, *after],
            "replaces": after,
        }
        second = self._seen([(BEFORE, tap), (AFTER, tap)], later)
        deletes = self._seen([(BEFORE, tap | VERSIONS), (AFTER, tap | VERSIONS)], later)
        if deletes.outcome == second.outcome:
            deletes = replace(deletes, outcome="ignores")
        elif deletes.outcome == "replaces":
            deletes = replace(deletes, outcome="deletes")
        return {
            FIRST: self._seen([(BEFORE, {})], {WHOLE: before}),
            SECOND: second,
            DELETES: deletes,
            FLATTENED: self._seen([(BEFORE, FLAT)], {WHOLE: before}),
            TYPED: self._seen(
                [(BEFORE, tap | CUSTOM)], {WHOLE: [*map(with_custom_columns, before)]}
            ),
        }

    def _seen(
        self, inputs: list[tuple[int, Settings]], outcomes: dict[str, list[Row]]
    ) -> Seen:
        with (
            TemporaryDirectory() as folder,
            self.target.place(Path(folder)) as destination,
        ):
            config = Path(folder, "config.json")
            config.write_text(json.dumps(self.target.settings | destination.settings()))
            for when, settings in inputs:
                code, log = self._load(self.account.written(when, settings), config)
                if code:
                    return Seen(STOPS, log=log)
            rows = destination.rows()
        for outcome, customers in outcomes.items():
            lost = losses(customers, rows)
            if lost is not None:
                return Seen(outcome, frozenset(lost), log)
        return Seen(OTHER, log=log)

    def _load(self, messages: Path, config: Path) -> tuple[int, str]:
        with messages.open() as lines:
            done = subprocess.run(
                self.target.command(config),
                cwd=config.parent,
                stdin=lines,
                capture_output=True,
                text=True,
                check=False,
                # Whoever writes local time is to be seen.
                env={**os.environ, "TZ": "Asia/Kolkata", **self.target.environment},
            )
        return done.returncode, done.stderr
