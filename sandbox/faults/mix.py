"""Many faults in one run."""

from __future__ import annotations

from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING

from sandbox.faults.bodies import broken_json, status
from sandbox.faults.connections import cut_body, reset

if TYPE_CHECKING:
    from sandbox.faults.fault import Script


def one_in(number: int, seed: int) -> Script:
    """Script a fault that another try heals for each so many requests.

    Args:
        number: One request in this many fails.
        seed: Which faults, in which order.
    """
    healing = (
        status(HTTPStatus.SERVICE_UNAVAILABLE, retry_after=0),
        status(HTTPStatus.TOO_MANY_REQUESTS, retry_after=0),
        reset(),
        cut_body(after=1_000),
        broken_json(),
    )
    rng = Random(seed)  # noqa: S311 - a mix of faults, no secret
    return lambda seen: rng.choice(healing) if seen.number % number == 0 else None
