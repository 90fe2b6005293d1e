"""Which answers are tried again, and after how long."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

    import requests

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525)})

CURSOR_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Answers that may be about the cursor of an earlier run; the API's own is 400."""

ACCOUNT_WIDE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""Answers that are about all requests of the account, not only this one."""

FIRST_WAIT = 1.0
"""Seconds before the second try. Tests that are about something else make it short."""

MAX_WAIT = 60
"""Seconds between two tries at the most, unless the service asks for more."""

MAX_RETRY_AFTER = 300
"""Seconds that the service may ask for at the most."""


def waits() -> Generator[float, Any, None]:
    """Yield the seconds to wait before each further try of a request.

    Yields:
        First nothing of meaning, as `backoff` has it. Then, for each error sent in,
        1, 2, 4 … up to `MAX_WAIT`, each up to a quarter longer so that many taps spread
        out; or what its answer's `Retry-After` says, if that is longer, up to
        `MAX_RETRY_AFTER`.
    """
    error = yield 0
    seconds = FIRST_WAIT
    while True:
        jitter = 1 + random.random() / 4  # noqa: S311 (a wait is no secret)
        asked = _retry_after(getattr(error, "response", None))
        error = yield max(seconds * jitter, min(asked, MAX_RETRY_AFTER))
        seconds = min(2 * seconds, MAX_WAIT)


def _retry_after(response: requests.Response | None) -> float:
    """Return the seconds that `Retry-After` asks for, in seconds or by a date."""
    text = "" if response is None else response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # By its standard the date is in UTC, also where it does not say so.
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date.timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0
