"""What is measured, by name, and one run of it. Free of imports, for `report`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
MEASUREMENTS = RESULTS / "measurements.json"

NIGHT = 250
"""Milliseconds for a page where accounts of several sizes are loaded."""


class Reader(StrEnum):
    """Programs that write customers to standard output."""

    BARE_LOOP = "bare loop"
    TAP = "this tap, first sync"
    FOUR = "this tap, second sync"
    EIGHT = "this tap, second sync, 8 requests at once"
    PLAIN_TAP = "plain SDK tap"
    AIRBYTE = "Airbyte's CDK"


class Loader(StrEnum):
    """Programs that load customers into PostgreSQL."""

    PIPE = "tap, target-postgres"
    COPY = "tap, target-postgres with use_copy: true"
    BATCH = "tap, target-postgres with batch_size_rows: 2000"
    MELTANO = "tap, target-postgres under meltano run"
    DLT = "dlt"


@dataclass(frozen=True)
class Sample:
    """One run.

    Args:
        program: The program.
        latency: Milliseconds that the API took for a page.
        customers: How many it read.
        deletes: Whether rows of customers who have gone were to go.
        sync: The first into this table, or the second.
        wall: Time from start to end, seconds.
        cpu: CPU time of all its processes, seconds.
        peak: The peaks of their resident memory together, MiB.
        requests: How many requests it made.
    """

    program: str
    latency: int
    customers: int
    deletes: bool
    sync: int
    wall: float
    cpu: float
    peak: float
    requests: int
