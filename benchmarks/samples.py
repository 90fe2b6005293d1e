"""What was measured and on what, as `measure` keeps it for `report`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
_FILE = RESULTS / "measurements.json"


@dataclass(frozen=True)
class Sample:
    """One run.

    Args:
        program: The program.
        scenario: The name of the scenario.
        customers: How many it read.
        cpu: CPU time, seconds.
        wall: Time from start to end, seconds.
        peak: Peak of the resident memory, MiB.
        requests: How many requests it made.
        in_flight: The most of them at once.
        in_a_second: The most of them in any second.
    """

    program: str
    scenario: str
    customers: int
    cpu: float
    wall: float
    peak: float
    requests: int
    in_flight: int
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
