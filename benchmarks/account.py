"""An account of the sandbox, served by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class Account(NamedTuple):
    """An account that is being served.

    Args:
        customers: How many it has.
        url: The base URL of the API.
        api_key: The API key.
        service: The process that serves it.
    """

    customers: int
    url: str
    api_key: str
    service: subprocess.Popen[str]

    def requests(self, latency: float = 0) -> int:
        """Return how many requests came since this was last called.

        Args:
            latency: Milliseconds before a page, from now on.
        """
        stdin = cast("IO[str]", self.service.stdin)
        stdin.write(f"{latency}\n")
        stdin.flush()
        return int(_line(self.service))


@contextmanager
def served(customers: int) -> Iterator[Account]:
    """Serve an account for as long as the `with` block lasts.

    Args:
        customers: How many it has.

    Yields:
        The account, its pages rendered, without a delay.
    """
    with subprocess.Popen(  # noqa: S603 - no part of the command comes from outside
        [sys.executable, "-m", "benchmarks.service", str(customers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        # Leaving the block closes the input, which ends the process.
        url, api_key = _line(service).split()
        yield Account(customers, url, api_key, service)


def _line(service: subprocess.Popen[str]) -> str:
    return cast("IO[str]", service.stdout).readline()
