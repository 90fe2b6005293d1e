"""What is measured, by name, and one run of it. Free of imports, for `report`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
_FILE = RESULTS / "measurements.json"

TAP = "this tap, first sync"
FOUR = "this tap, second sync"
EIGHT = "this tap, second sync, 8 requests at once"
BARE_LOOP = "bare loop"
PLAIN_TAP = "plain SDK tap"
AIRBYTE = "Airbyte's CDK"

PIPE = "tap, target-postgres"
COPY = "tap, target-postgres with use_copy"
MELTANO = "the same under meltano run"
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
        in_a_second: The most of them in any second.
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
    in_a_second: int


@dataclass(frozen=True)
class Measurements:
    """All runs of `make bench`.

    Args:
        machine: What they ran on, in words.
        samples: The runs in the order in which they were made.
    """

    machine: dict[str, str]
    samples: list[Sample]

    def save(self) -> None:
        """Write them down."""
        RESULTS.mkdir(exist_ok=True)
        _FILE.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls) -> Measurements:
        """Read what was last written down."""
        saved = json.loads(_FILE.read_text(encoding="utf-8"))
        samples = [Sample(**sample) for sample in saved["samples"]]
        return cls(saved["machine"], samples)
