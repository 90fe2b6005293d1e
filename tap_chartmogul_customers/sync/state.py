"""A sync and its boundaries, as the state keeps them; no input or output."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec.structs import replace

from tap_chartmogul_customers.records.values import UnreadableError, read_timestamp
from tap_chartmogul_customers.sync.ranges import Count, Cursor, Mark, Range, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_chartmogul_customers.pagination import Page

RESUME = "resume"
"""Where the state holds an unfinished sync."""

BOUNDARIES = "boundaries"
"""Where the state holds what the last finished sync left for the next one."""

MOST_BYTES = 3_500
"""Bytes that places take in the state at the most, of an account of any size."""

SETTLED = timedelta(days=7)
"""How long before a sync a customer started to pay whose place will not change."""


Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Boundaries(msgspec.Struct, frozen=True):
    """What a finished sync leaves, for the next one to read in ranges.

    Args:
        filters: The API's filters, each with its value or none.
        account: A fingerprint of address and key.
        pages: How many pages the read had.
        marks: The places at which the next one may be cut.
    """

    filters: dict[str, str | None]
    account: str
    pages: Count
    marks: list[Mark]

    def to_state(self) -> dict[str, Any]:
        """Return them as JSON values, as many as the state has room for."""
        return _fitting(lambda step: replace(self, marks=self.marks[step - 1 :: step]))


class Recent(msgspec.Struct, frozen=True):
    """A place behind which customers stand who started to pay lately.

    Args:
        since: When the last customer before it did.
        cursor: The cursor that leads there.
    """

    since: Time
    cursor: Cursor


class Sync(msgspec.Struct, kw_only=True):
    """A read of all customers, which may take several runs.

    Every field is always in the state, so that an orchestrator that merges the state
    of a failed run into an older one (Meltano does) cannot mix two syncs.

    Args:
        started_at: When its first run started.
        filters: The API's filters, each with its value or none.
        account: A fingerprint of address and key: a cursor of one account names a
            place in any other too.
        version: The version of its records for ACTIVATE_VERSION, if they have one.
        ranges: What it reads, in order.
        recent: Where its second look starts; none for the start of the account.
        streams: The names under which its records were written.
    """

    started_at: Time
    filters: dict[str, str | None]
    account: str
    version: Count | None
    ranges: list[Range]
    recent: Recent | None = None
    streams: list[str] = []

    @property
    def looks_again(self) -> bool:
        """Whether its second look is due: what one page held was seen at once."""
        return self.version is not None and self.pages > 1

    @property
    def done(self) -> bool:
        """Whether nothing is left to read."""
        return all(each.done for each in self.ranges) and not self.looks_again

    @property
    def customers(self) -> int:
        """How many were written, each counted once as far as that can be told."""
        return sum(each.customers for each in self.ranges)

    @property
    def pages(self) -> int:
        """How many pages were written."""
        return sum(each.pages for each in self.ranges)

    @property
    def expected(self) -> int:
        """How many pages there are in all, as far as that is known."""
        return sum(each.size for each in self.ranges)

    def write(self, part: Range, page: Page, known: int = 0, *, last: bool) -> None:
        """Come as far as a page whose records were written.

        Args:
            part: The range that it belongs to.
            page: The page.
            known: How many of its customers another range counts.
            last: Whether it ends the range.
        """
        if len(self.ranges) == 1 and page.total_pages:
            part.expected = page.total_pages
        part.write(page, known, last=last)
        if part.pages == 1 and not page.has_more and part.start:
            # All of it was this page, which ends the account: so the range before it
            # may as well read to the end, whatever the boundary means to a later run.
            self.drop(part)

    def see(self, page: Page) -> None:
        """Look how recent the last customer of a page is.

        Args:
            page: A page that is about to be written.
        """
        since = since_of(page.entries[-1]) if page.entries else None
        if since is None or not page.cursor or since > self.started_at - SETTLED:
            return
        if self.recent is None or since >= self.recent.since:
            self.recent = Recent(since, page.cursor)

    def drop(self, part: Range) -> Range:
        """Leave a range to the one before it.

        Args:
            part: The range; not the first.

        Returns:
            The range before it.
        """
        index = self.ranges.index(part)
        before = self.ranges[index - 1]
        before.expected = before.size + part.size
        del self.ranges[index]
        return before

    def boundaries(self) -> Boundaries:
        """Return the places where a later sync can be cut."""
        marks, pages = joined(self.ranges)
        return Boundaries(self.filters, self.account, pages, marks)

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON values, with as many places as the state has room for."""
        return _fitting(
            lambda step: replace(
                self,
                ranges=[
                    replace(each, marks=each.marks[step - 1 :: step])
                    for each in self.ranges
                ],
            )
        )


def _fitting(thinned: Callable[[int], Boundaries | Sync]) -> dict[str, Any]:
    """Return as JSON values what has only so many places that they fit the state."""
    step = 1
    while len(msgspec.json.encode(thinned(step))) > MOST_BYTES and step < MOST_BYTES:
        step *= 2
    state: dict[str, Any] = msgspec.to_builtins(thinned(step))
    return state


def since_of(customer: Any) -> datetime | None:  # noqa: ANN401 (as in a page)
    """Return when a customer started to pay, if that can be read.

    Args:
        customer: As the API sends it.

    Returns:
        The time, in UTC; none for a lead.
    """
    try:
        return datetime.fromisoformat(read_timestamp(customer.get("customer-since")))
    except UnreadableError:
        return None
