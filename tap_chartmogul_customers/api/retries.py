"""Which answers are tried again, and after how long."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

    import requests

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525)})

MAX_WAIT = 60
"""Seconds between two tries at the most, unless the service asks for more."""

MAX_RETRY_AFTER = 300
"""Seconds that the service may ask for at the most."""


def waits() -> Generator[float, Any, None]:
    """Yield the seconds to wait before each further try of a request.

    Yields:
        First nothing of meaning, as `backoff` has it. Then, for each error sent in,
        what its answer's `Retry-After` says, up to `MAX_RETRY_AFTER`; else 1, 2, 4 …
        up to `MAX_WAIT`, each up to a quarter longer so that many taps spread out.
    """
    error = yield 0
    seconds = 1
    while True:
        asked = _retry_after(getattr(error, "response", None))
        jitter = 1 + random.random() / 4  # noqa: S311 (a wait is no secret)
        error = yield seconds * jitter if asked is None else asked
        seconds = min(2 * seconds, MAX_WAIT)


def _retry_after(response: requests.Response | None) -> float | None:
    """Return the seconds that `Retry-After` asks for, given in seconds or a date."""
    text = None if response is None else response.headers.get("Retry-After")
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(int(text), MAX_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except ValueError:
        return None
    return min(max(seconds, 0), MAX_RETRY_AFTER)
