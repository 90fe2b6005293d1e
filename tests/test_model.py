"""Random runs, broken off anywhere, into a model of a target that deletes rows.

Customers change while they are read and between two runs; the service forgets cursors,
or takes those of earlier syncs for others.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sandbox import Sandbox, faults, stale
from sandbox.faults import Fault  # noqa: TC001 (Hypothesis reads the types of `Run`)
from tests.model import Interruption, Row, Target, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cursors import Position
    from sandbox.exchange import SeenRequest
    from sandbox.stale import Reading
    from sandbox.store import Store

HEALING = [
    faults.status(429),
    faults.status(503),
    faults.reset(),
    faults.cut_body(after=20),
    faults.broken_json(),
    faults.empty_page(),
]
BROKEN = [
    faults.status(400),
    faults.status(401),
    faults.without("has_more"),
    faults.without("cursor"),
    faults.with_values(entries=None),
]

CUSTOMERS = 30
MOST_MOVES = 3
"""In one run: fewer than half of the customers that tell where a range ends."""

KEYS = st.integers(1, CUSTOMERS)
REQUESTS = st.integers(1, 40)
STATUSES = ("Active", "Past Due")
SINCE = (*(f"2023-01-0{day}T00:00:00+00:00" for day in range(1, 7)), "2023-12-30", None)


class Change(NamedTuple):
    """What becomes of a customer."""

    kind: Literal["put", "pay", "remove"]
    key: int
    since: str | None
    status: str


def _changes(kind: str, keys: st.SearchStrategy[int]) -> st.SearchStrategy[Change]:
    since, status = st.sampled_from(SINCE), st.sampled_from(STATUSES)
    return st.builds(Change, kind=st.just(kind), key=keys, since=since, status=status)


MOVES = (
    _changes("put", KEYS)
    # Those with even keys are leads, until they pay.
    | _changes("pay", KEYS.map(lambda key: key - key % 2 or 2))
)
CHANGES = MOVES | _changes("remove", KEYS)


class Changed(NamedTuple):
    """Who was changed since a sync began."""

    touched: set[str]
    moved: set[str]
    """Who of them was moved, other than by starting to pay."""

    def __or__(self, other: Changed) -> Changed:
        return Changed(self.touched | other.touched, self.moved | other.moved)


class Run(NamedTuple):
    """How the tap is run, what the API answers, and when."""

    status: str | None
    host: str
    """Another host is another account, which has the same customers."""
    per_page: int
    parallel_requests: int
    before: list[Change]
    """Changes since the run before."""
    reading: str | None
    """What the service makes of its old cursors, if it ages those there are."""
    met: dict[int, Fault]
    """Faults by number of request."""
    changes: dict[int, Change]
    """Changes by number of request, just before it is answered."""
    hours: int
    """Since the run before."""
    seed: int
    """Of the order in which its ranges are read, and of where old cursors lead."""

    def is_broken(self) -> bool:
        return any(fault in BROKEN for fault in self.met.values())


def _anew(seed: int) -> Reading:
    """Take each cursor for another place whenever it comes."""
    rng = Random(seed)  # noqa: S311 (no secret)

    def reading(place: Position, store: Store) -> Position | None:
        return stale.anywhere(rng.randrange(10**6))(place, store)

    return reading


READINGS: dict[str, Callable[[int], Reading]] = {
    "refused": lambda _: stale.refused,
    "first page": lambda _: stale.first_page,
    "end": lambda _: stale.end,
    "further on": lambda _: stale.shifted(4),
    "further back": lambda _: stale.shifted(-9),
    "anywhere": stale.anywhere,
    "elsewhere each time": _anew,
}

RUNS = st.builds(
    Run,
    status=st.sampled_from((*[None] * 18, *STATUSES)),
    host=st.sampled_from((*["127.0.0.1"] * 19, "localhost")),
    per_page=st.integers(1, 5),
    parallel_requests=st.integers(1, 8),
    before=st.lists(CHANGES, max_size=3),
    reading=st.none() | st.sampled_from(sorted(READINGS)),
    met=st.just({})
    | st.dictionaries(REQUESTS, st.sampled_from(HEALING), max_size=3)
    | st.dictionaries(REQUESTS, st.sampled_from(HEALING + BROKEN), max_size=2),
    changes=st.dictionaries(REQUESTS, CHANGES, max_size=6),
    hours=st.sampled_from((*[0] * 9, 25)),
    seed=st.integers(0, 999),
)
RUNS_WITH_MOVES = st.builds(
    Run,
    status=st.none(),
    host=st.just("127.0.0.1"),
    per_page=st.integers(1, 3),
    parallel_requests=st.integers(2, 3),
    before=st.just([]),
    reading=st.sampled_from((None, "refused")),
    met=st.just({}),
    changes=st.dictionaries(st.integers(3, 20), MOVES, min_size=1, max_size=6),
    hours=st.just(0),
    seed=st.integers(0, 999),
)
"""In two or three ranges: what they are read by is as likely to fail as can be."""
INTERRUPTIONS = st.builds(
    Interruption,
    event=st.sampled_from(
        (None, None, "tap terminated", "tap terminated", "tap killed", "target killed")
    ),
    at_line=st.integers(0, 60),
    at_byte=st.integers(0, 1_500),
    batch=st.integers(1, 6),
    aged_at=st.integers(1, 40),
)
PLAIN = Run(None, "127.0.0.1", 5, 1, [], None, {}, {}, 0, 0)
TO_THE_END = Interruption(None, 0, 0, 1, 1)


class Loads(RuleBasedStateMachine):
    """One account, one table, and a state that is kept from run to run.

    Whoever was not moved since a sync began is in the table when it ends, with the name
    of before or, if touched, of after; so is whoever started to pay. Out of the
    comparison is who was added, removed or given another date or status: the next sync
    puts them right.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.sandbox = Sandbox(rate_limit=None)
        self.sandbox.__enter__()
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.changed = Changed(set(), set())
        self.moves = 0
        """How many were moved in this run."""
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
    def load_all(self) -> None:
        for key in range(1, CUSTOMERS + 1):
            since = SINCE[key % 7] if key % 2 else None
            self.change(Change("put", key, since, STATUSES[key % 2]))
        self.load(PLAIN, TO_THE_END)

    def change(self, change: Change) -> None:
        uuid = f"cus_{change.key}"
        live = {customer["uuid"]: customer for customer in self.sandbox.customers}
        was = live.get(uuid)
        since, status = change.since, change.status
        if change.kind == "pay":
            if was is None or was["customer-since"] is not None:
                return
            # Not by the real clock, or another run of an example would be another one.
            now = self.clock + timedelta(seconds=1, milliseconds=self.names)
            since, status = now.isoformat(), was["status"]
        place = (since, status) if change.kind != "remove" else None
        if was is None or place != (was["customer-since"], was["status"]):
            self.moves += 1
            if change.kind != "pay":
                self.changed.moved.add(uuid)
        self.changed.touched.add(uuid)
        if place is None:
            self.sandbox.remove(uuid)
            return
        self.names += 1
        self.sandbox.put(
            {
                "id": change.key,
                "uuid": uuid,
                "name": f"name {self.names}",
                "status": status,
                "customer-since": since,
            }
        )

    @rule(run=RUNS, interruption=INTERRUPTIONS)
    def load(self, run: Run, interruption: Interruption) -> None:
        rows = {*self.table}
        self._pass_the_time(run)
        earlier, self.changed = self.changed, Changed(set(), set())
        target = Target(self.table, interruption)
        code = self._run_tap(run, target)
        during = self.changed
        is_resumed = self._is_resumed_by(target)
        if run.hours:
            assert not is_resumed
        if is_resumed:
            self.changed = earlier | during
        if target.activated:
            self._check_that_all_was_read(run)
        else:
            assert rows <= self.table.keys()
            assert code != 0 or not target.uuids
        whole = interruption.event in {None, "tap terminated"}
        if whole:
            assert not target.line
        if code == 128 + signal.SIGTERM:
            # Within the first line, it has had no state yet.
            assert target.lines <= 1 or target.last_type == "STATE"
        elif whole and not run.is_broken():
            assert code == 0
        began = self.unfinished.get("started_at")
        self.state = target.printed or self.state
        is_same = self.unfinished.get("started_at") == began
        self.changed = earlier | during if is_same else during
        if target.printed is None or (is_same and began and not is_resumed):
            # The table may be ahead of the state now: by rows of another filter's sync,
            # and by those that it gave up.
            missing = rows - self.table.keys()
            self.changed |= Changed(missing | {*target.uuids}, missing)
        if code == 0:
            assert self.state["bookmarks"]["customers"].keys() <= {"boundaries"}
        assert len(json.dumps(self.state)) <= 4096

    @rule(run=RUNS_WITH_MOVES, interruption=st.just(TO_THE_END) | INTERRUPTIONS)
    def load_while_some_move(self, run: Run, interruption: Interruption) -> None:
        self.load(run, interruption)

    def _pass_the_time(self, run: Run) -> None:
        for change in run.before:
            self.change(change)
        if run.reading:
            # Nobody can tell that the place where a sync was interrupted is now taken
            # for one further on.
            reading = "refused" if self.unfinished else run.reading
            self.sandbox.age_cursors(READINGS[reading](run.seed))
        # No two runs in the same second, which would be the same version; and late in
        # it, since the tap waits for its end.
        self.clock += timedelta(hours=run.hours, seconds=2)

    def _run_tap(self, run: Run, target: Target) -> int:
        config = {
            "api_key": self.sandbox.api_key,
            "api_url": self.sandbox.url.replace("127.0.0.1", run.host),
            "emit_activate_version_messages": True,
            "per_page": run.per_page,
            "parallel_requests": run.parallel_requests,
            "max_retries": 3,
        }
        if run.status:
            config["status"] = run.status.replace(" ", "_")
        done = len(self.sandbox.requests)
        self.moves = 0

        def script(seen: SeenRequest) -> Fault | None:
            change = run.changes.get(seen.number - done)
            if change and self.moves < MOST_MOVES:
                self.change(change)
            return run.met.get(seen.number - done)

        self.sandbox.script(script)
        with time_machine.travel(self.clock + timedelta(seconds=0.95)):
            return run_tap(
                target,
                *("--config", self._file("config.json", config)),
                *("--state", self._file("state.json", self.state)),
                seed=run.seed,
            )

    def _file(self, name: str, value: object) -> str:
        path = Path(self.folder.name, name)
        path.write_text(json.dumps(value))
        return str(path)

    def _is_resumed_by(self, target: Target) -> bool:
        version = self.unfinished.get("version")
        return version is not None and version == target.version

    def _check_that_all_was_read(self, run: Run) -> None:
        names = {
            customer["uuid"]: customer["name"]
            for customer in self.sandbox.customers
            if run.status in {None, customer["status"]}
        }
        held = {uuid: row.name for uuid, row in self.table.items()}
        assert names.keys() - self.changed.moved <= held.keys()
        for uuid in {*names, *held} - self.changed.touched:
            assert held.get(uuid) == names.get(uuid)


EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))

TestLoads = Loads.TestCase
TestLoads.settings = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=15,
    deadline=None,
    derandomize=not EXAMPLES,
    # To find a shorter example as well takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
