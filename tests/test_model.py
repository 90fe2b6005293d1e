"""Random runs, broken off anywhere, into a model of a target that deletes rows."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sandbox import Sandbox, cursors, faults
from sandbox.faults import Fault  # noqa: TC001 (Hypothesis reads the types of `Run`)
from tests.model import Fate, Row, Target, run_tap

HEALING = [faults.status(429, retry_after=0), faults.status(503, retry_after=0)]
# The tap would wait before another try, so there is none in a run with one of these.
CUT = [faults.reset(), faults.cut_body(after=20), faults.broken_json()]
BROKEN = [
    faults.status(400),
    faults.status(401),
    faults.empty_page(),
    faults.without("has_more"),
    faults.without("cursor"),
    faults.with_values(entries=None),
]

KEYS = st.integers(1, 12)
REQUESTS = st.integers(1, 6)
STATUSES = ("Active", "Past Due")


class Run(NamedTuple):
    """How the tap is run, what the API answers, and when."""

    status: str | None
    per_page: int
    met: dict[int, Fault]
    """Faults by number of request."""
    hours: int
    """Since the run before."""

    def meets(self, some: list[Fault]) -> bool:
        return any(fault in some for fault in self.met.values())


RUNS = st.builds(
    Run,
    status=st.sampled_from((*[None] * 8, *STATUSES)),
    per_page=st.integers(1, 5),
    met=st.just({})
    | st.dictionaries(REQUESTS, st.sampled_from(HEALING), max_size=3)
    | st.dictionaries(REQUESTS, st.sampled_from(HEALING + CUT + BROKEN), max_size=2),
    hours=st.sampled_from((*[0] * 9, 25)),
)
FATES = st.builds(
    Fate,
    event=st.sampled_from(
        (None, "tap terminated", "tap terminated", "tap killed", "target killed")
    ),
    at_line=st.integers(0, 20),
    at_byte=st.integers(0, 1_500),
    batch=st.integers(1, 6),
    aged_at=st.integers(1, 20),
)


class Loads(RuleBasedStateMachine):
    """One account, one table, and a state that is kept from run to run.

    Out of the comparison, after a run that resumed a sync, is a customer that was
    touched since the sync began and that the run did not meet: it was removed, or it
    was changed, added or moved behind the place where the run went on. A moved one may
    even have lost its row. The next sync puts all of them right.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.sandbox = Sandbox(rate_limit=None)
        self.sandbox.__enter__()
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.touched: set[str] = set()
        self.clock = datetime(2024, 1, 1, tzinfo=UTC)
        self.names = 0

    def teardown(self) -> None:
        self.sandbox.__exit__(None, None, None)
        self.folder.cleanup()

    @property
    def unfinished(self) -> dict[str, Any]:
        bookmarks = self.state.get("bookmarks", {})
        resume: dict[str, Any] = bookmarks.get("customers", {}).get("resume", {})
        return resume

    @initialize()
    def put_all(self) -> None:
        for key in range(1, 13):
            self.put(key, key % 4 or None, STATUSES[key % 2])

    @rule(key=KEYS, day=st.none() | st.integers(1, 6), status=st.sampled_from(STATUSES))
    def put(self, key: int, day: int | None, status: str) -> None:
        self.names += 1
        customer = {
            "id": key,
            "uuid": f"cus_{key}",
            "name": f"name {self.names}",
            "status": status,
            "customer-since": day and f"2023-01-0{day}T00:00:00+00:00",
        }
        self.sandbox.put(customer)
        self.touched.add(f"cus_{key}")

    @rule(key=KEYS)
    def remove(self, key: int) -> None:
        self.sandbox.remove(f"cus_{key}")
        self.touched.add(f"cus_{key}")

    @rule(run=RUNS, fate=FATES)
    def load(self, run: Run, fate: Fate) -> None:
        before = {*self.table}
        target = Target(self.table, fate)
        code = self._run_tap(run, target)
        if target.activated:
            self._check_that_all_was_read(run, target)
        else:
            assert before <= self.table.keys()
            assert code != 0
        whole = fate.event in {None, "tap terminated"}
        if whole:
            assert not target.line
        if code == 128 + signal.SIGTERM:
            # Within the first line, it has had no state yet.
            assert target.lines <= 1 or target.last_type == "STATE"
        elif whole and not run.meets(CUT + BROKEN):
            assert code == 0
        if run.hours:
            assert not self._is_resumed_by(target)
        self._keep_the_state(target, before)
        if code == 0:
            assert not self.unfinished

    def _run_tap(self, run: Run, target: Target) -> int:
        config = {
            "api_key": self.sandbox.api_key,
            "api_url": self.sandbox.url,
            "emit_activate_version_messages": True,
            "per_page": run.per_page,
            "max_retries": 0 if run.meets(CUT) else 3,
        }
        if run.status:
            config["status"] = run.status.replace(" ", "_")
        done = len(self.sandbox.requests)
        self.sandbox.script({done + number: fault for number, fault in run.met.items()})
        # No two runs in the same second, which would be the same version; and late in
        # it, since the tap waits for its end.
        self.clock += timedelta(hours=run.hours, seconds=2)
        with time_machine.travel(self.clock + timedelta(seconds=0.95)):
            return run_tap(
                target,
                *("--config", self._file("config.json", config)),
                *("--state", self._file("state.json", self.state)),
            )

    def _file(self, name: str, value: object) -> str:
        path = Path(self.folder.name, name)
        path.write_text(json.dumps(value))
        return str(path)

    def _is_resumed_by(self, target: Target) -> bool:
        version = self.unfinished.get("version")
        return version is not None and version == target.version

    def _check_that_all_was_read(self, run: Run, target: Target) -> None:
        live = [
            customer
            for customer in self.sandbox.customers
            if run.status in {None, customer["status"]}
        ]
        start, unseen = cursors.START, set[str]()
        if self._is_resumed_by(target):
            start = cursors.decode(self.unfinished["cursor"]).position
            unseen = self.touched - {*target.uuids}
        assert target.uuids == [
            customer["uuid"]
            for customer in live
            if cursors.position_of(customer) > start
        ]
        names = {customer["uuid"]: customer["name"] for customer in live}
        held = {uuid: row.name for uuid, row in self.table.items()}
        for uuid in {*names, *held} - unseen:
            assert held.get(uuid) == names.get(uuid)

    def _keep_the_state(self, target: Target, before: set[str]) -> None:
        if target.printed is None:
            # The table may be ahead of the state now: rows of another filter's sync
            # can be missing from it.
            self.touched |= before - self.table.keys()
            return
        was = self.unfinished.get("started_at")
        self.state = target.printed
        if self.unfinished.get("started_at") == was:
            self.touched -= {*target.uuids}
        else:
            self.touched.clear()


TestLoads = Loads.TestCase
TestLoads.settings = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    # To find a shorter example as well takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
