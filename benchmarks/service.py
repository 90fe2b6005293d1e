"""The sandbox as the benchmarks need it: pages ready, requests in flight counted.

It says its URL and key on one line. For each line that comes in it says how many
requests were in flight at once since the last one, and it ends when no more can come.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from sandbox import Sandbox, generate_customers

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.exchange import Exchange


class InFlight:
    """Answers as usual and counts the requests that are being answered."""

    def __init__(self) -> None:
        self._now = 0
        self._most = 0

    async def __call__(self, exchange: Exchange) -> web.StreamResponse | None:
        """Answer a request; it has the shape of one of the sandbox's faults.

        Args:
            exchange: The request.

        Returns:
            The page.
        """
        self._now += 1
        self._most = max(self._most, self._now)
        try:
            return await exchange.answer()
        finally:
            self._now -= 1

    def take_most(self) -> int:
        """Return the most requests at once since the last call."""
        most, self._most = self._most, 0
        return most


def main(customers: int, latency: float) -> None:
    """Serve an account until standard input ends.

    Args:
        customers: How many the account has.
        latency: Seconds before a page.
    """
    # Who started this says when it ends, also after an interrupt from the keyboard.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    in_flight = InFlight()
    sandbox = Sandbox(
        generate_customers(customers, seed=1), latency=latency, rate_limit=None
    )
    sandbox.prerender()
    sandbox.script(lambda _: in_flight)
    with sandbox:
        _say(sandbox.url, sandbox.api_key)
        for _ in sys.stdin:
            _say(in_flight.take_most())


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
