"""Random runs, broken off anywhere, into a model of a target that deletes rows.

Customers are changed while they are read and between two runs, one by one and in blocks
of neighbours; the service forgets cursors of earlier runs, or takes them for others.
"""

from __future__ import annotations

import json
import os
import signal
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox import Sandbox, faults, stale
from sandbox.cursors import decode, position_of
from tests.model import Interruption, Row, Target, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cursors import Position
    from sandbox.exchange import SeenRequest
    from sandbox.faults import Fault
    from sandbox.stale import Reading
    from sandbox.store import Customer, Store

HEALING = {
    "429": faults.status(429),
    "503": faults.status(503),
    "reset": faults.reset(),
    "cut": faults.cut_body(after=20),
    "broken": faults.broken_json(),
    "empty page": faults.empty_page(),
}
BROKEN = {
    "400": faults.status(400),
    "401": faults.status(401),
    "no has_more": faults.without("has_more"),
    "no cursor": faults.without("cursor"),
    "no entries": faults.with_values(entries=None),
}
FAULTS = HEALING | BROKEN

REFUSALS: dict[str, Callable[[str], Fault]] = {
    **{
        f"answered {code}": lambda _, code=code: faults.status(code)  # type: ignore[misc]
        for code in (400, 403, 404, 409, 410, 414, 422, 500, 503)
    },
    "answered HTML": lambda _: faults.html(),
    "answered an error": lambda _: faults.body(b'{"error": "internal"}'),
    "answered nothing new": lambda cursor: faults.page(
        lambda body: body | {"entries": [], "cursor": cursor, "has_more": True}
    ),
}
"""How the service refuses a cursor of an earlier run."""


def _anew(seed: int) -> Reading:
    """Take each cursor for another place whenever it comes."""
    rng = Random(seed)  # noqa: S311 (no secret)

    def reading(place: Position, store: Store) -> Position | None:
        return stale.anywhere(rng.randrange(10**6))(place, store)

    return reading


READINGS: dict[str, Callable[[int], Reading]] = {
    "the same place": lambda _: stale.shifted(0),
    "the first page": lambda _: stale.first_page,
    "the end": lambda _: stale.end,
    "further on": lambda seed: stale.shifted(seed % 50),
    "further back": lambda seed: stale.shifted(-seed % 50),
    "anywhere": stale.anywhere,
    "elsewhere each time": _anew,
}
"""What else the service takes it for."""


class Place(NamedTuple):
    """A place in the account, as it is when it is needed."""

    thousandths: int
    is_look: bool
    """Whether it is where a cursor of an earlier run leads that was asked for in this
    one, if any was; else it is so far into the account."""
    pages: float
    """How many pages it is behind that."""


class Edit(NamedTuple):
    """What becomes of a block of neighbours."""

    kind: Literal["move", "pay", "remove", "merge", "add", "rename"]
    place: Place
    """Where the block starts."""
    pages: float
    """How many pages of customers it has; one customer at least."""
    to: Place | None
    """Where it goes, among those of the same date; None: it starts to pay today."""


class Run(NamedTuple):
    """How the tap is run, what the API answers, and when."""

    other_size: int | None
    """Customers on a page, if not as many as in the other runs."""
    before: list[Edit]
    """Edits since the run before."""
    during: dict[int, list[Edit]]
    """Edits by number of request, just before it is answered."""
    aged: str
    """What the service makes of cursors of earlier runs."""
    met: dict[int, str]
    """Faults by number of request."""
    interruption: Interruption
    """Its line in thousandths of those that a whole read has."""
    hours: int = 0
    """Since the run before."""
    seed: int = 0
    """Of the order in which its ranges are read, and of where old cursors lead."""

    @property
    def is_broken(self) -> bool:
        return not BROKEN.keys().isdisjoint(self.met.values())


class Account(NamedTuple):
    """What all runs have in common."""

    customers: int
    per_page: int
    parallel_requests: int
    leads: int
    """How many, in thousandths of the customers."""
    dates: int
    """How many dates the others share."""
    deletes: bool


QUARTERS = st.integers(-32, 4).map(lambda quarters: quarters / 4)
EDITS = st.builds(
    Edit,
    kind=st.sampled_from((*["move", "pay"] * 3, "remove", "merge", "add", "rename")),
    place=st.builds(
        Place, st.integers(0, 999), st.booleans(), st.sampled_from((0, 0, -0.5, 0.5, 1))
    ),
    pages=st.sampled_from((0, 0.25, 0.5, 0.5, 1, 1, 1, 2, 5, 15)),
    to=st.none()
    | st.builds(Place, st.integers(0, 999), st.booleans(), QUARTERS),
)
REQUESTS = st.integers(1, 40)
INTERRUPTIONS = st.builds(
    Interruption,
    event=st.sampled_from(
        (None, None, None, "tap terminated", "tap killed", "target killed")
    ),
    at_line=st.integers(0, 999),
    at_byte=st.integers(0, 1_500),
    batch=st.sampled_from((1, 7, 50, 10_000)),
    aged_at=st.integers(1, 400),
)
RUNS = st.builds(
    Run,
    other_size=st.sampled_from((None, None, None, None, 4, 20)),
    before=st.lists(EDITS, max_size=2),
    during=st.dictionaries(REQUESTS, st.lists(EDITS, min_size=1, max_size=2)),
    aged=st.just("the same place") | st.sampled_from((*REFUSALS, *READINGS)),
    met=st.just({})
    | st.dictionaries(REQUESTS, st.sampled_from((*HEALING,)), max_size=3)
    | st.dictionaries(REQUESTS, st.sampled_from((*FAULTS,)), max_size=2),
    interruption=INTERRUPTIONS,
    hours=st.sampled_from((*[0] * 9, 25)),
    seed=st.integers(0, 999),
)
ACCOUNTS = st.builds(
    lambda pages, per_page, *more: Account(pages * per_page + 1, per_page, *more),
    st.integers(12, 50),
    st.integers(4, 20),
    st.sampled_from((1, 2, 3, 4, 4, 4, 8, 20)),
    st.sampled_from((0, 200, 600, 1000)),
    st.sampled_from((1, 7, 300)),
    st.booleans(),
)
TO_THE_END = Interruption(None, 0, 0, 1, 1)
PLAIN = Run(None, [], {}, "the same place", {}, TO_THE_END)


class Loads:
    """One account, one table, and a state that is kept from run to run.

    Whoever was not moved since a sync began is in the table when it ends, with the name
    of before or, if touched, of after; so is, if rows are deleted, whoever started to
    pay. Out of the comparison is who was added, removed or given another date: the next
    sync puts them right.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.touched = set[str]()
        """Who was changed since the sync began."""
        self.moved = set[str]()
        """Who of them was moved, other than by starting to pay."""
        self.runs = 0
        self.began = 0
        """The run that the sync began with."""
        self.clock = self.started = datetime(2024, 1, 1, tzinfo=UTC)
        self.ids = 0
        self.names = 0
        self.version = 0
        self.generation = 0
        """How often the service's cursors have aged."""
        self.looks: list[Position] = []
        """Where cursors of earlier runs lead that were asked for in this one."""
        self.sandbox = Sandbox(
            map(self._new, range(account.customers)), rate_limit=None
        )

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory()
        self.sandbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.__exit__(None, None, None)
        self._folder.cleanup()

    def _new(self, number: int) -> Customer:
        """Make a customer; by its number it is a lead or has one of the dates."""
        self.ids += 1
        since = datetime(2023, 1, 1, tzinfo=UTC)
        since += timedelta(days=number * 7919 % self.account.dates)
        is_lead = number * 617 % 1000 < self.account.leads
        return {
            "id": self.ids,
            "uuid": f"cus_{self.ids}",
            "name": self._name(),
            "customer-since": None if is_lead else since.isoformat(),
        }

    def _name(self) -> str:
        self.names += 1
        return f"name {self.names}"

    @property
    def unfinished(self) -> dict[str, Any] | None:
        bookmarks = self.state.get("bookmarks", {})
        resume: dict[str, Any] | None = bookmarks.get("customers", {}).get("resume")
        return resume

    def load(self, run: Run) -> Target:
        """Run the tap, and check what came of it."""
        self.clock += timedelta(hours=run.hours, seconds=2)
        self.looks = []
        for edit in run.before:
            self.edit(edit)
        self.runs += 1
        is_resumed = self.unfinished is not None and (
            self.clock - self.started < timedelta(hours=6)
        )
        if not is_resumed:
            self.touched.clear()
            self.moved.clear()
            self.began = self.runs
        rows = {*self.table}
        lines = self.account.customers * (1 + 1 / self.account.per_page)
        at_line = int(run.interruption.at_line * lines / 1000)
        interruption = run.interruption._replace(at_line=at_line)
        target = Target(self.table, interruption, self.runs)
        code = self._run_tap(run, target, is_resumed=is_resumed)
        if target.version is not None:
            assert (
                self.version == target.version
                if is_resumed
                else self.version < target.version
            )
            self.version = target.version
        if code == 0 or target.activated:
            self._check_that_all_was_read()
        if target.activated:
            ends = target.types[target.types.index("ACTIVATE_VERSION") + 1 :]
            assert {*ends} <= {"STATE"}
        else:
            assert rows <= self.table.keys()
            assert code != 0 or not self.account.deletes
        self._check_the_end(run, target, code)
        self.state = target.printed or self.state
        if target.printed and not is_resumed:
            self.started = self.clock
        assert len(json.dumps(self.state)) <= 5_000
        if code == 0:
            assert self.unfinished is None
        return target

    def _check_the_end(self, run: Run, target: Target, code: int) -> None:
        event = run.interruption.event
        if event in {None, "tap terminated"}:
            assert not target.line
            if code == 128 + signal.SIGTERM:
                # Within the first line, it has had no state yet.
                assert target.lines <= 1 or target.types[-1] == "STATE"
            elif not run.is_broken:
                assert code == 0

    def _check_that_all_was_read(self) -> None:
        customers = {each["uuid"]: each["name"] for each in self.sandbox.customers}
        for uuid in customers.keys() - self.moved:
            assert uuid in self.table, f"{uuid} was lost"
            assert self.table[uuid].run >= self.began, f"{uuid} was not read"
            if uuid not in self.touched:
                assert self.table[uuid].name == customers[uuid]
        if self.account.deletes:
            assert self.table.keys() - customers.keys() <= self.touched

    def _run_tap(self, run: Run, target: Target, *, is_resumed: bool) -> int:
        config = {
            "api_key": self.sandbox.api_key,
            "api_url": self.sandbox.url,
            "emit_activate_version_messages": self.account.deletes,
            "per_page": run.other_size or self.account.per_page,
            "parallel_requests": self.account.parallel_requests,
            "max_retries": 3,
        }
        refusal = self._age_cursors(run, is_resumed=is_resumed)
        before = len(self.sandbox.requests)

        def script(seen: SeenRequest) -> Fault | None:
            number = seen.number - before
            text = seen.query.get("cursor")
            cursor = decode(text) if text else None
            is_old = cursor is not None and cursor.generation < self.generation
            if cursor and is_old:
                self.looks.append(cursor.position)
            for edit in run.during.get(number, ()):
                self.edit(edit)
            if text and is_old and refusal:
                return refusal(text)
            return FAULTS.get(run.met.get(number, ""))

        self.sandbox.script(script)
        # Just before the end of a second, for which the tap may wait.
        moment = self.clock + timedelta(seconds=0.999)
        with time_machine.travel(moment, tick=False):
            return run_tap(
                target,
                *("--config", self._file("config.json", config)),
                *("--state", self._file("state.json", self.state)),
                seed=run.seed,
            )

    def _age_cursors(
        self, run: Run, *, is_resumed: bool
    ) -> Callable[[str], Fault] | None:
        """Let all cursors so far be old ones, and return how they are refused."""
        reading = READINGS.get(run.aged, READINGS["the same place"])(run.seed)
        if is_resumed:
            # Nobody can tell that the place where a sync was interrupted is now taken
            # for one further on.
            reading = stale.shifted(0)
        self.generation += 1
        self.sandbox.age_cursors(reading)
        return REFUSALS.get(run.aged)

    def _file(self, name: str, value: object) -> str:
        path = Path(self._folder.name, name)
        path.write_text(json.dumps(value))
        return str(path)

    def edit(self, edit: Edit) -> None:
        """Change a block of neighbours."""
        customers = self.sandbox.customers
        order = [position_of(each) for each in customers]

        def index(place: Place) -> int:
            found = place.thousandths * len(order) // 1000
            if place.is_look and self.looks:
                look = self.looks[place.thousandths % len(self.looks)]
                found = bisect_right(order, look)
            found += int(place.pages * page)
            return min(max(0, found), len(order) - 1)

        page = self.account.per_page
        first = index(edit.place)
        block = customers[first : first + max(1, int(edit.pages * page))]
        since = (self.clock + timedelta(seconds=1, milliseconds=self.names)).isoformat()
        if edit.kind == "pay":
            block = [each for each in block if each["customer-since"] is None]
        elif edit.to is not None:
            since = customers[index(edit.to)]["customer-since"]
        match edit.kind:
            case "rename":
                self._put(block)
            case "move" | "pay":
                is_found = edit.kind == "pay" and self.account.deletes
                self._put(block, is_found=is_found, **{"customer-since": since})
            # An account does not come to an end, nor grow for ever.
            case "remove" if len(customers) > len(block) + page:
                self._remove(block)
            case "merge" if len(customers) > len(block) + page:
                self._put(block[:1])
                self._remove(block[1:])
            case "add" if len(customers) < 2 * self.account.customers:
                new = [self._new(number) for number in range(len(block))]
                self.moved.update(each["uuid"] for each in new)
                self._put(new, **{"customer-since": since})

    def _put(
        self, block: list[Customer], *, is_found: bool = False, **fields: Any
    ) -> None:
        for each in block:
            changed = each | fields | {"name": self._name()}
            if changed["customer-since"] != each["customer-since"] and not is_found:
                self.moved.add(each["uuid"])
            self.touched.add(each["uuid"])
            self.sandbox.put(changed)

    def _remove(self, block: list[Customer]) -> None:
        for each in block:
            self.moved.add(each["uuid"])
            self.touched.add(each["uuid"])
            self.sandbox.remove(each["uuid"])


EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))

model = settings(
    max_examples=EXAMPLES or 25,
    deadline=None,
    derandomize=not EXAMPLES,
    # To find a shorter example as well takes minutes.
    phases=[*Phase] if EXAMPLES else [Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)


@model
@given(ACCOUNTS, st.lists(RUNS, min_size=2, max_size=8))
def test_nobody_is_lost_who_was_not_moved(account: Account, runs: list[Run]) -> None:
    with Loads(account) as loads:
        for run in (PLAIN, *runs):
            loads.load(run)


@model
@given(ACCOUNTS, st.integers(0, 999))
def test_where_nothing_changes_nobody_comes_twice(account: Account, seed: int) -> None:
    """Save where a range ends before the next one has written its first two pages."""
    with Loads(account._replace(deletes=False)) as loads:
        loads.load(PLAIN)
        order = [position_of(each) for each in loads.sandbox.customers]
        index = {each["uuid"]: n for n, each in enumerate(loads.sandbox.customers)}
        # By the places of a sync in one range, and by those of one in many.
        for _ in range(2):
            written = loads.load(PLAIN._replace(seed=seed)).uuids
            starts = sorted({bisect_right(order, place) for place in loads.looks})
            assert (
                starts
                or account.parallel_requests == 1
                or len(order) < 16 * account.per_page
            )
            when: dict[int, int] = {}
            twice = []
            for time, uuid in enumerate(written):
                if index[uuid] in when:
                    twice.append((time, index[uuid]))
                when.setdefault(index[uuid], time)
            for time, customer in twice:
                start = starts[bisect_right(starts, customer) - 1]
                assert start <= customer
                assert time < when[start + 2 * account.per_page - 1]


@pytest.mark.parametrize("seed", range(4))
def test_leads_that_pay_together_cost_nobody_else_a_row(seed: int) -> None:
    edit = Edit("pay", Place(650, is_look=False, pages=0), pages=2, to=None)
    with Loads(Account(6000, 200, 4, 600, 300, deletes=True)) as loads:
        loads.load(PLAIN)
        loads.load(PLAIN._replace(during={5: [edit]}, seed=seed))
        assert len(loads.touched) == 400
        assert len(loads.table) == 6000
