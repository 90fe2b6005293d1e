"""How fast requests may follow one another, over all that read at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

MOST_A_SECOND = 38
"""Requests a second; the service allows an account 40 (`429` beyond that)."""


class Pace:
    """Spaces requests evenly, and holds all of them back when the service asks for it.

    Attributes:
        retries: How often a request was tried again.

    Evenly, since the service counts them as they arrive: a limiter that lets a whole
    second's worth through at once has two such bursts meet there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self.retries = 0

    def retry(self, seconds: float, *, hold: bool) -> None:
        """Count a request that is tried again.

        Args:
            seconds: After how long it is.
            hold: Whether no other request may start before.
        """
        with self._lock:
            self.retries += 1
            if hold:
                self._next = max(self._next, time.monotonic() + seconds)

    def paced(self, function: Callable[P, T]) -> Callable[P, T]:
        """Make each call of a function wait for its turn.

        Args:
            function: What sends one request.

        Returns:
            The function, paced.
        """

        def wait_and_call(*args: P.args, **kwargs: P.kwargs) -> T:
            while seconds := self._turn():
                time.sleep(seconds)
            return function(*args, **kwargs)

        return wait_and_call

    def _turn(self) -> float:
        """Take the turn if it is now; else say how many seconds it is away."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return self._next - now
            self._next = now + 1 / MOST_A_SECOND
            return 0
