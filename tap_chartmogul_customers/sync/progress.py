"""Says at INFO how far a sync has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from tap_chartmogul_customers.sync.state import Sync

INTERVAL = 10
"""Seconds between two lines at the least."""


class Progress:
    """Says now and then how far a sync has come, over all its ranges.

    Args:
        logger: Where the lines go.
        sync: The sync, at the start of this run.
    """

    def __init__(self, logger: logging.Logger, sync: Sync) -> None:
        self._logger = logger
        self._sync = sync
        self._started = self._said = time.monotonic()
        self._pages_before = sync.pages
        self._customers_before = sync.customers

    def say(self) -> None:
        """Say how far it has come, if it is time to."""
        now = time.monotonic()
        if now - self._said < INTERVAL:
            return
        self._said = now
        seconds = now - self._started
        pages, expected = self._sync.pages, self._sync.expected
        # A range that starts over is behind where this run began.
        self._pages_before = min(self._pages_before, pages)
        self._customers_before = min(self._customers_before, self._sync.customers)
        customers = self._sync.customers - self._customers_before
        line = (
            f"{self._sync.customers:,} customers on {pages:,} pages so far, "
            f"{customers / seconds:,.0f} a second"
        )
        if expected > pages > self._pages_before:
            left = seconds / (pages - self._pages_before) * (expected - pages)
            share = pages / expected
            line += f", {share:.0%} of {expected:,} pages, about {left:.0f} s to go"
        self._logger.info(line)

    def end(self, retries: int) -> None:
        """Say what the whole sync came to.

        Args:
            retries: How often a request was tried again in this run.
        """
        self._logger.info(
            "Read %s customers on %s pages%s in %.1f s with %s retries",
            f"{self._sync.customers:,}",
            f"{self._sync.pages:,}",
            ", the last of them" if self._pages_before else "",
            time.monotonic() - self._started,
            f"{retries:,}",
        )
