"""What the state keeps of a sync, and where a run starts by it.

The bookmark is flat, and what is over is null in it: Meltano merges states key by key,
so a key that is left out would come back, and an object cannot be merged into null.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import msgspec

from tap_chartmogul_customers.sync.ranges import (
    Count,
    Cursor,
    Place,
    Range,
    cut,
    joined,
    thin,
)

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Account(NamedTuple):
    """What is read: an account, or by the API's filters a part of it."""

    api_url: str
    api_key: str
    filters: dict[str, str | None]

    @property
    def fingerprint(self) -> str:
        """32 bits that tell accounts apart, and from which no key can be found."""
        return hashlib.sha256(self._text).hexdigest()[:8]

    def reads(self, fingerprint: str) -> bool:
        """Return whether a fingerprint is this account's; 0.1.0 used BLAKE2 for it."""
        if fingerprint == self.fingerprint:
            return True
        try:
            old = hashlib.blake2b(self._text, digest_size=4).hexdigest()
        except (AttributeError, ValueError):
            return False  # A Python that keeps to FIPS does not have it.
        return fingerprint == old

    @property
    def _text(self) -> bytes:
        return f"{self.api_url}\n{self.api_key}".encode()


class Recent(msgspec.Struct, frozen=True, array_like=True):
    """A place in front of the customers who started to pay lately."""

    since: Time
    """`customer-since` of the last customer in front of it."""
    cursor: Cursor


class Bookmark(msgspec.Struct, kw_only=True):
    """What the state keeps: an unfinished sync, or what the last finished one left.

    Attributes:
        filters: The API's filters, each with its value or none.
        account: The fingerprint of the account.
        version: The highest version that records had so far; 0: they had none.
        started_at: When the unfinished sync started.
        versioned: Whether its records have that version.
        ranges: What it reads, in order. None when it is finished.
        recent: Where its second look starts; none for the start of the account.
        customers: How many customers it has emitted.
        streams: The names under which it has emitted records, by `stream_maps`.
        boundaries: Places of the last finished sync, at which a new one may be cut.
        pages: How many pages the account had then.
        resume: Always none: where earlier versions kept an unfinished sync.
    """

    filters: dict[str, str | None]
    account: str
    version: Count = 0
    started_at: Time | None = None
    versioned: bool = False
    ranges: list[Range] | None = None
    recent: Recent | None = None
    customers: Count = 0
    streams: list[str] = []
    boundaries: list[Place] | None = None
    pages: Count = 0
    resume: None = None

    def finished(self) -> Bookmark:
        """Return what the sync leaves for the next one, once it was read to its end."""
        boundaries, pages = joined(self.ranges or [])
        return Bookmark(
            filters=self.filters,
            account=self.account,
            version=self.version,
            boundaries=boundaries,
            pages=pages,
        )

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON values, with as many places as the state has room for."""
        thin(self.ranges or [])
        state: dict[str, Any] = msgspec.to_builtins(self)
        return state


def read_bookmark(state: dict[str, Any]) -> Bookmark | None:
    """Read what an earlier run left, if it left anything.

    Raises:
        ValueError: It is damaged.
    """
    try:
        state = _upgraded(state)
        if not any(map(state.get, ("ranges", "boundaries", "version"))):
            return None
        bookmark = msgspec.convert(state, Bookmark)
        msgspec.json.encode(bookmark)  # Some text that can be read cannot be written.
    except (AttributeError, TypeError) as error:
        msg = f"it is of another form ({error})"
        raise ValueError(msg) from error
    if bookmark.ranges:
        _check(bookmark.ranges, bookmark.started_at)
    return bookmark


def _upgraded(state: dict[str, Any]) -> dict[str, Any]:
    """Return today's form of what version 0.1.0 left: one cursor, in `resume`."""
    sync = state.get("resume")
    if not sync:
        return state
    version = sync.get("version")
    return {
        **sync,
        "ranges": [{"cursor": sync.get("cursor"), "pages": 1}],
        "version": version or 0,
        "versioned": version is not None,
        "streams": ["customers"],
    }


def _check(ranges: list[Range], started_at: datetime | None) -> None:
    """Check an unfinished sync, and mend where its ranges meet.

    Raises:
        ValueError: Customers would be missed if it were resumed.
    """
    starts = [each.start for each in ranges]
    last = ranges[-1]
    if (
        starts[0] is not None
        or None in starts[1:]
        or (last.done and last.cursor)
        or started_at is None
    ):
        msg = "its ranges do not cover the account"
        raise ValueError(msg)
    if any(each.done and not each.pages for each in ranges) or any(
        (each.cursor is None) if each.pages else (each.cursor != each.start)
        for each in ranges
        if not each.done
    ):
        msg = "it does not say where a range goes on"
        raise ValueError(msg)
    for before, part in pairwise(ranges):
        if part.pages == 1 and part.cursor is None:
            # It has no cursor of this sync. By now the service may take its boundary
            # for another place, and the range before would end there.
            part.restart()
        if before.done and before.cursor and not part.pages:
            # It stands behind the boundary, at a cursor of this sync.
            part.start = part.cursor = before.cursor


def start(
    old: Bookmark | None,
    account: Account,
    *,
    versioned: bool,
    max_age_hours: float,
    most_ranges: int,
) -> tuple[Bookmark, str | None]:
    """Say where a run starts. The arguments are those of `Sync`.

    Returns:
        The sync that is resumed, or a new one; and why an unfinished one is not.
    """
    now = datetime.now(UTC)
    other = _other(old, account) if old else None
    reason = None
    if old and old.ranges and old.started_at:
        # A start ahead of this clock is as far away as one behind it.
        hours = abs(now - old.started_at) / timedelta(hours=1)
        if hours >= max_age_hours:
            reason = (
                f"it started {hours:.1f} hours ago, `resume_max_age_hours` is "
                f"{max_age_hours:g}"
            )
        elif old.versioned != versioned:
            reason = "`emit_activate_version_messages` has changed since"
        else:
            reason = other
        if reason is None:
            old.account, old.filters = account.fingerprint, account.filters
            return old, None
    boundaries, pages = (old.boundaries, old.pages) if old and not other else (None, 0)
    version = old.version if old else 0
    if versioned:
        # Higher than before even if the clock was set back.
        version = max(int(now.timestamp()), version + 1)
    bookmark = Bookmark(
        filters=account.filters,
        account=account.fingerprint,
        version=version,
        started_at=now,
        versioned=versioned,
        ranges=cut(boundaries or [], pages, most_ranges),
        boundaries=boundaries,
        pages=pages,
    )
    return bookmark, reason


def _other(old: Bookmark, account: Account) -> str | None:
    """Say in what an earlier sync read something else, if it did."""
    if not account.reads(old.account):
        return "it read with another `api_key` or `api_url`"
    # A filter that is not set is the same as one that is not there.
    was, is_now = (
        {name: value for name, value in filters.items() if value}
        for filters in (old.filters, account.filters)
    )
    return None if was == is_now else "it had other filters"
