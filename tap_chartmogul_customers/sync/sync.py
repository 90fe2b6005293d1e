"""A sync: where it starts, what it reads, and what it leaves for the next one."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.errors import ReadError
from tap_chartmogul_customers.sync.bookmark import Recent, read_bookmark, start
from tap_chartmogul_customers.sync.readers import Portion, RangeReaders

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_chartmogul_customers.api.paging import Customer, Page
    from tap_chartmogul_customers.sync.bookmark import Account
    from tap_chartmogul_customers.sync.readers import OpenPages

SETTLED = timedelta(days=7)
"""Customers who started to pay longer than this before a sync will not move."""


class Sync:
    """A whole read of an account, which may take several runs.

    Args:
        state: The bookmark that an earlier run left, of whatever shape.
        account: What is read.
        versioned: Whether the records carry a version, for ACTIVATE_VERSION.
        max_age_hours: An unfinished sync that is older is not resumed.
        at_once: How many requests may be on their way at once.
        logger: Where it says how it starts, and what did not go as planned.
    """

    def __init__(
        self,
        state: dict[str, Any],
        account: Account,
        *,
        versioned: bool,
        max_age_hours: float,
        at_once: int,
        logger: logging.Logger,
    ) -> None:
        self._at_once = at_once
        self._logger = logger
        self._is_over = False
        try:
            old = read_bookmark(state)
        except ValueError as error:
            logger.warning("Starting over: the state is damaged: %s", error)
            old = None
        self._bookmark, why_not = start(
            old,
            account,
            versioned=versioned,
            max_age_hours=max_age_hours,
            most_ranges=at_once,
        )
        if why_not:
            logger.warning(
                "Starting over: the unfinished sync is not resumed: %s", why_not
            )
        self.resumed = self._bookmark is old
        if self.resumed:
            logger.info(
                "Resuming the sync that started at %s; pages read so far: %d",
                self._bookmark.started_at,
                self.pages,
            )
        elif len(self._bookmark.ranges or []) > 1:
            logger.info(
                "Reading in %d ranges at once", len(self._bookmark.ranges or [])
            )

    @property
    def version(self) -> int | None:
        """The version of its records, if they have one."""
        return self._bookmark.version if self._bookmark.versioned else None

    @property
    def streams(self) -> list[str]:
        """The names under which it has emitted records. Its caller keeps them."""
        return self._bookmark.streams

    @property
    def customers(self) -> int:
        """How many customers it has emitted."""
        return self._bookmark.customers

    @property
    def pages(self) -> int:
        """How many pages it has emitted."""
        return sum(each.pages for each in self._bookmark.ranges or [])

    @property
    def _looks_again(self) -> bool:
        """Whether a second look is due. An account of one page was seen at once."""
        return self._bookmark.versioned and self.pages > 1

    def state(self) -> dict[str, Any]:
        """Return the bookmark, for the state that follows what was emitted so far."""
        is_read = all(each.done for each in self._bookmark.ranges or [])
        if self._is_over or (is_read and not self._bookmark.versioned):
            return self._bookmark.finished().to_state()
        return self._bookmark.to_state()

    def read(self, open_pages: OpenPages) -> Iterator[Portion]:
        """Read everyone, from where the sync stands.

        Args:
            open_pages: What opens a reader.

        Yields:
            Customers to emit. Once they are, what `state` returns may be written.

        Raises:
            ReadError: The account cannot be read, not from its start either.
            UnreachableError: ChartMogul cannot be reached.
        """
        ranges = self._bookmark.ranges or []
        readers = RangeReaders(ranges, open_pages, self._at_once, self._logger)
        for portion in readers.read():
            self._note_recent(portion.page)
            self._bookmark.customers += len(portion.customers)
            yield portion
        if self._looks_again:
            yield from self._look_again(open_pages)
        self._is_over = True

    def _note_recent(self, page: Page) -> None:
        """Remember where the customers end who started to pay long ago."""
        bookmark = self._bookmark
        since = _since(page.customers[-1]) if page.customers else None
        if since is None or page.cursor is None or bookmark.started_at is None:
            return
        if bookmark.started_at - since >= SETTLED and (
            bookmark.recent is None or since >= bookmark.recent.since
        ):
            bookmark.recent = Recent(since, page.cursor)

    def _look_again(self, open_pages: OpenPages) -> Iterator[Portion]:
        """Read the newest paying customers once more.

        A lead that started to pay during the sync moved there. If these pages had been
        read and its old page had not, it was missed. Only this uses the order of the
        customers: by `customer-since`, those without one last.
        """
        recent = self._bookmark.recent
        for place in [recent.cursor, None] if recent else [None]:
            with closing(open_pages(place, "second look")) as pages:
                try:
                    for page in pages:
                        yield Portion(page, page.customers)
                        if page.customers and not any(c.since for c in page.customers):
                            return
                except ReadError as error:
                    if place is None:
                        raise
                    self._logger.warning(
                        "The second look begins at the start instead: %s", error
                    )
                else:
                    return


def _since(customer: Customer) -> datetime | None:
    """Return when a customer started to pay, if that can be read. A lead never did."""
    try:
        since = datetime.fromisoformat(customer.since)
    except (TypeError, ValueError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=UTC)
