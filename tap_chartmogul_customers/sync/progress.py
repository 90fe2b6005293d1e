"""Says at INFO how far a read has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from tap_chartmogul_customers.pagination import Page

INTERVAL = 10
"""Seconds between two lines at the least."""


class Progress:
    """Counts pages and customers, and says so now and then.

    Args:
        logger: Where the lines go.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._started = self._said = time.monotonic()
        self._pages = 0
        self._customers = 0
        self._total_pages: int | None = None

    def add(self, page: Page) -> None:
        """Count a page that was written, and say so if it is time.

        Args:
            page: The page.
        """
        self._pages += 1
        self._customers += len(page.entries)
        if isinstance(page.total_pages, int):
            self._total_pages = page.total_pages
        now = time.monotonic()
        if now - self._said >= INTERVAL:
            self._said = now
            self._say(now - self._started)

    def _say(self, seconds: float) -> None:
        line = (
            f"{self._customers:,} customers on {self._pages:,} pages so far, "
            f"{self._customers / seconds:,.0f} a second"
        )
        if self._total_pages and self._total_pages >= self._pages:
            left = seconds / self._pages * (self._total_pages - self._pages)
            share = self._pages / self._total_pages
            line += f", {share:.0%} of {self._total_pages:,}, about {left:.0f} s to go"
        self._logger.info(line)

    def end(self, retries: int) -> None:
        """Say what the whole read came to.

        Args:
            retries: How often a request was tried again.
        """
        self._logger.info(
            "Read %s customers on %s pages in %.1f s with %s retries",
            f"{self._customers:,}",
            f"{self._pages:,}",
            time.monotonic() - self._started,
            f"{retries:,}",
        )
