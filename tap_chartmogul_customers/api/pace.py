"""How fast requests follow one another, and how long a failed one waits."""

from __future__ import annotations

import random
import re
import threading
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

MOST_A_SECOND = 38
"""Requests a second. The service allows an account 40, and answers 429 beyond that."""

FIRST_WAIT = 1.0
"""Seconds before the second try. Tests of something else make it short."""

MAX_WAIT = 60
"""Seconds between two tries, at most, unless the service asks for more: a quota of
compute time can take a minute to refill."""

MAX_RETRY_AFTER = 300
"""Seconds that the service may ask for, at most."""


class Pace:
    """Spaces the requests of all readers evenly, and holds all of them back.

    Evenly, since the service counts requests as they arrive. A limiter that lets all of
    a second through at once could make two such bursts arrive in one second.

    Attributes:
        retries: How often a request was tried again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self.retries = 0

    def wait(self) -> None:
        """Wait until a request may start."""
        while True:
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + 1 / MOST_A_SECOND
                    return
                seconds = self._next - now
            time.sleep(seconds)

    def retry(self, seconds: float, *, hold: bool) -> None:
        """Count a request that is tried again.

        Args:
            seconds: After how long it is.
            hold: Whether no other request may start before then.
        """
        with self._lock:
            self.retries += 1
            if hold:
                self._next = max(self._next, time.monotonic() + seconds)


def seconds_to_wait(tries: int, retry_after: str) -> float:
    """Return how long to wait before the next try of a request.

    Args:
        tries: How often it was tried.
        retry_after: The answer's `Retry-After`: seconds, a date, or nothing.

    Returns:
        Seconds: 1, 2, 4 … up to `MAX_WAIT`, each up to a quarter longer so that many
        taps spread out; or what the service asks for, if that is longer.
    """
    usual = min(FIRST_WAIT * 2.0 ** min(tries - 1, 10), MAX_WAIT)
    jitter = 1 + random.random() / 4  # noqa: S311 (a wait is no secret)
    return max(usual * jitter, min(_asked(retry_after.strip()), MAX_RETRY_AFTER))


def _asked(retry_after: str) -> float:
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", retry_after):
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
        # By its standard the date is in UTC, also where it does not say so.
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date.timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0
