"""Says at INFO how far a sync has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from tap_chartmogul_customers.sync.sync import Sync

INTERVAL = 10
"""Seconds between two lines, at least."""


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
        self._customers_before = sync.customers

    def say(self) -> None:
        """Say how far it has come, if it is time to."""
        now = time.monotonic()
        if now - self._said < INTERVAL:
            return
        self._said = now
        customers = self._sync.customers - self._customers_before
        self._logger.info(
            "%s so far, %s a second",
            self._amount(),
            f"{customers / (now - self._started):,.0f}",
        )

    def end(self, retries: int) -> None:
        """Say how much the whole sync has read.

        Args:
            retries: How often a request was tried again in this run.
        """
        self._logger.info(
            "Read %s%s %.1f s with %s",
            self._amount(),
            "; this run took" if self._sync.resumed else " in",
            time.monotonic() - self._started,
            _counted(retries, "retry", "retries"),
        )

    def _amount(self) -> str:
        customers = _counted(self._sync.customers, "customer", "customers")
        return f"{customers} on {_counted(self._sync.pages, 'page', 'pages')}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
