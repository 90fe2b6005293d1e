"""What is kept of an unfinished sync, and whether a later run may go on with it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec


class Sync(msgspec.Struct, frozen=True):
    """A read of all customers, which may take several runs.

    Every field is always in the state, so that an orchestrator that merges the state
    of a failed run into an older one (Meltano does) cannot mix two syncs.

    Args:
        started_at: When its first run started.
        filters: The API's filters, each with its value or none.
        account: A fingerprint of address and key: a cursor of one account names a
            position in any other too.
        version: The version of its records for ACTIVATE_VERSION, if they have one.
        cursor: Where it goes on; none at its start.
    """

    started_at: datetime
    filters: dict[str, str | None]
    account: str
    version: int | None
    cursor: Annotated[str, msgspec.Meta(min_length=1)] | None = None

    def at(self, cursor: str) -> Sync:
        """Return this sync, come as far as a cursor."""
        return msgspec.structs.replace(self, cursor=cursor)

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON values, for the state."""
        state: dict[str, Any] = msgspec.to_builtins(self)
        return state


def start_sync(
    *, filters: dict[str, str | None], account: str, versioned: bool
) -> Sync:
    """Return a sync that starts now.

    Args:
        filters: The API's filters.
        account: What `account_fingerprint` returns.
        versioned: Whether its records carry a version: the second of its start.

    Returns:
        The sync, at its start.
    """
    now = datetime.now(UTC)
    version = int(now.timestamp()) if versioned else None
    return Sync(now, filters, account, version)


def unfinished_sync(state: object) -> Sync | None:
    """Read a sync from the state.

    Args:
        state: What stands in the state under `resume`.

    Returns:
        The sync; none when there is none to go on with.

    Raises:
        ValueError: It is damaged.
    """
    if state is None:
        return None
    sync = msgspec.convert(state, Sync)
    if sync.cursor is None or sync.started_at.tzinfo is None:
        msg = "it has no cursor, or a start without a time zone"
        raise ValueError(msg)
    return sync


def why_not_resumed(old: Sync, new: Sync, *, max_age_hours: float) -> str | None:
    """Say why a run may not go on with an unfinished sync.

    Args:
        old: The unfinished sync.
        new: The sync that this run would start.
        max_age_hours: Until when after its start it may, in hours; 0: never.

    Returns:
        The reason, or none if the run may go on with it.
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
