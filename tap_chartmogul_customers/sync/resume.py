"""How a sync starts: from an unfinished one, from boundaries, or from nothing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

import msgspec

from tap_chartmogul_customers.sync.ranges import Range, cut
from tap_chartmogul_customers.sync.state import Boundaries, Sync

T = TypeVar("T")


def start_sync(
    *, filters: dict[str, str | None], account: str, versioned: bool
) -> Sync:
    """Return a sync that starts now, and reads the account in one range.

    Args:
        filters: The API's filters.
        account: What `account_fingerprint` returns.
        versioned: Whether its records carry a version: the second of its start.

    Returns:
        The sync, at its start.
    """
    now = datetime.now(UTC)
    return Sync(
        started_at=now,
        filters=filters,
        account=account,
        version=int(now.timestamp()) if versioned else None,
        ranges=[Range()],
    )


def cut_sync(sync: Sync, boundaries: Boundaries | None, *, most: int) -> None:
    """Cut a sync at its start into ranges, if the boundaries are of its account.

    Args:
        sync: The sync.
        boundaries: What an earlier sync left, if anything.
        most: How many ranges there may be.
    """
    if boundaries is not None and (boundaries.filters, boundaries.account) == (
        sync.filters,
        sync.account,
    ):
        sync.ranges = cut(boundaries.marks, boundaries.pages, most)


def unfinished_sync(state: object) -> Sync | None:
    """Read a sync from the state.

    Args:
        state: What stands in the state under `resume`.

    Returns:
        The sync; none when there is none to resume.

    Raises:
        ValueError: It is damaged.
    """
    if state is None:
        return None
    if isinstance(state, dict) and "ranges" not in state:
        # As version 0.1.0 left it, which counted no customers: at least one was read.
        parts = [{"cursor": state.get("cursor"), "customers": 1}]
        state = {**state, "ranges": parts}
    sync = _checked(state, Sync)
    starts = [each.start for each in sync.ranges]
    if starts[:1] != [None]:
        msg = "its start is not one of a sync"
        raise ValueError(msg)
    if sync.done:
        msg = "nothing of it is left to read"
        raise ValueError(msg)
    if None in starts[1:] or not any(
        each.done or each.cursor != each.start for each in sync.ranges
    ):
        msg = "it has no cursor to resume at"
        raise ValueError(msg)
    for before, part in pairwise(sync.ranges):
        if before.done and before.cursor is not None and not part.pages:
            # The one before stood behind its start in an earlier run, and has a cursor
            # of this sync from there. What the service takes the boundary for may have
            # changed.
            part.start = part.cursor = before.cursor
        if not before.done:
            # It will read that page once more on its way.
            part.customers -= min(part.customers, part.first_page)
            part.first_page = 0
    return sync


def _checked(state: object, kind: type[T]) -> T:
    """Convert a part of the state, all of which can be written again.

    Raises:
        ValueError: It is damaged.
    """
    value = msgspec.convert(state, kind)
    msgspec.json.encode(value)
    return value


def last_boundaries(state: object) -> Boundaries | None:
    """Read boundaries from the state.

    Args:
        state: What stands in the state under `boundaries`.

    Returns:
        The boundaries; none when there are none, or they are damaged.
    """
    try:
        return _checked(state, Boundaries)
    except ValueError:
        return None


def why_not_resumed(old: Sync, new: Sync, *, max_age_hours: float) -> str | None:
    """Say why a run may not resume an unfinished sync.

    Args:
        old: The unfinished sync.
        new: The sync that this run would start.
        max_age_hours: Until when after its start it may, in hours; 0: never.

    Returns:
        The reason, or none if the run may resume it.
    """
    # A start ahead of this clock is as far away as one behind it.
    hours = abs(new.started_at - old.started_at) / timedelta(hours=1)
    if hours >= max_age_hours:
        return (
            f"it started {hours:.1f} hours ago, `resume_max_age_hours` is "
            f"{max_age_hours:g}"
        )
    if old.filters != new.filters:
        return "it had other filters"
    if old.account != new.account:
        return "it read with another `api_key` or `api_url`"
    if (old.version is None) != (new.version is None):
        return "`emit_activate_version_messages` has changed since"
    return None


def account_fingerprint(api_url: str, api_key: str) -> str:
    """Return 32 bits that tell accounts apart and from which no key can be found.

    Args:
        api_url: The address of the API.
        api_key: The key.

    Returns:
        Eight hexadecimal digits.
    """
    text = f"{api_url}\n{api_key}".encode()
    return hashlib.blake2b(text, digest_size=4).hexdigest()
