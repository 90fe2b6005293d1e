"""Random runs, broken off anywhere, into a model of a target that deletes rows.

Customers are changed while they are read and between two runs, in blocks of neighbours;
the service forgets cursors of earlier runs, or takes them for others.
"""
# ruff: noqa: S311 (seeds are no secrets)

from __future__ import annotations

import json
import os
import signal
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import time_machine

from sandbox import Sandbox, faults, stale
from sandbox.cursors import decode, position_of
from tests.model import Row, Target, run_tap

if TYPE_CHECKING:
    from pathlib import Path

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
LASTING = {
    "400": faults.status(400),
    "401": faults.status(401),
    "no has_more": faults.without("has_more"),
    "no cursor": faults.without("cursor"),
    "no entries": faults.with_values(entries=None),
}
FAULTS = HEALING | LASTING


REFUSALS = {
    **{str(code): faults.status(code) for code in (400, 403, 404, 409, 500, 503)},
    "HTML": faults.html(),
    "error": faults.body(b'{"error": "internal"}'),
}
"""How the service refuses a cursor of an earlier run."""


def _anew(seed: int) -> Reading:
    """Take each cursor for another place whenever it comes."""
    rng = Random(seed)

    def reading(place: Position, store: Store) -> Position | None:
        return stale.anywhere(rng.randrange(10**6))(place, store)

    return reading


KEPT = "same place"
READINGS = {
    KEPT: lambda _: stale.shifted(0),
    "first page": lambda _: stale.first_page,
    "end": lambda _: stale.end,
    "further on": lambda seed: stale.shifted(seed % 50),
    "further back": lambda seed: stale.shifted(-seed % 50),
    "anywhere": stale.anywhere,
    "elsewhere each time": _anew,
}
"""What it takes such a cursor for, if it does not refuse it."""


class Edit(NamedTuple):
    """What becomes of a block of neighbours."""

    kind: str
    at: float
    """Where the block starts, as a share of the account."""
    near: float | None
    """Or so many pages behind where a cursor of an earlier run leads that was asked for
    in this one, if any was."""
    pages: float
    """How many pages of customers it has; one customer at least."""
    by: int
    """By how many pages it moves."""


class Run(NamedTuple):
    """How the tap is run, what the API answers, and when."""

    per_page: int | None = None
    """If not as in the other runs."""
    before: list[Edit] = []  # noqa: RUF012 (never changed)
    """Edits since the run before."""
    during: dict[int, list[Edit]] = {}  # noqa: RUF012
    """Edits by number of request, just before it is answered."""
    old_cursor: str = KEPT
    """What the service makes of it."""
    met: dict[int, str] = {}  # noqa: RUF012
    """Faults by number of request."""
    event: str | None = None
    """What interrupts tap or target."""
    at: float = 0
    """When it comes, as a share of the lines that a whole read has."""
    batch: int = 1
    """Rows that the target writes together."""
    hours: int = 0
    """Since the run before."""
    seed: int = 0
    """Of the order in which its ranges are read, and of where old cursors lead."""


class Account(NamedTuple):
    """What all runs have in common."""

    customers: int
    per_page: int
    parallel_requests: int
    leads: float
    """How many, as a share of the customers."""
    deletes: bool

    def customer(self, number: int, name: str) -> Customer:
        """Make a customer, by its number a lead or with one of the dates."""
        since = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=number * 7919 % 300)
        is_lead = number * 617 % 1000 < self.leads * 1000
        return {
            # With room for others between two.
            "id": number * 10**6,
            "uuid": f"cus_{number}",
            "name": name,
            "customer-since": None if is_lead else since.isoformat(),
        }


def random_chain(seed: int) -> tuple[Account, list[Run]]:
    """Make an account and the runs that load it."""
    rng = Random(seed)
    pages = rng.choice((rng.randint(16, 32), rng.randint(12, 70)))
    per_page = rng.randint(4, 20)
    account = Account(
        customers=pages * per_page + rng.randrange(per_page),
        per_page=per_page,
        parallel_requests=rng.choice((1, 2, 3, 4, 4, 4, 8, 20)),
        leads=rng.choice((0, 0.3, 0.4, 0.6, 1)),
        deletes=rng.random() < 0.7,
    )
    return account, [_random_run(rng, pages) for _ in range(rng.randint(2, 8))]


def _random_run(rng: Random, pages: int) -> Run:
    def edits() -> list[Edit]:
        return [
            Edit(
                kind=rng.choice((*["move"] * 4, "pay", "remove", "add", "rename")),
                at=rng.random(),
                near=rng.choice((None, 0, 0, -0.5, 0.5, 1)),
                pages=rng.choice((0, 0.25, 0.5, 0.5, 1, 1, 1, 2, 5, 15)),
                by=rng.choice((*range(-8, 2), -30, 30)),
            )
            for _ in range(rng.randint(0, 2))
        ]

    def request() -> int:
        return rng.randint(1, 40 if rng.random() < 0.2 else pages)

    events = ("tap terminated", "tap killed", "target killed")
    return Run(
        per_page=rng.choice((*[None] * 6, 4, 20)),
        before=edits(),
        during={request(): edits() for _ in range(rng.choice((0, 1, 2, 4, 8)))},
        old_cursor=rng.choice((*REFUSALS, *READINGS)) if rng.random() < 0.4 else KEPT,
        met={
            request(): rng.choice((*FAULTS,) if rng.random() < 0.2 else (*HEALING,))
            for _ in range(rng.choice((0, 0, 0, 1, 3)))
        },
        event=rng.choice(events) if rng.random() < 0.4 else None,
        at=rng.random(),
        batch=rng.choice((1, 7, 50, 10_000)),
        hours=25 if rng.random() < 0.1 else 0,
        seed=rng.randrange(1000),
    )


class Loads:
    """One account, one table, and a state that is kept from run to run.

    Whoever was not moved since a sync began is in the table when it ends, with the name
    of before or, if touched, of after; so is, if rows are deleted, whoever started to
    pay. Out of the comparison is who was added, removed or given another date: the next
    sync puts them right.
    """

    def __init__(self, account: Account, folder: Path) -> None:
        self.account, self._folder = account, folder
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.clock = datetime(2024, 1, 1, tzinfo=UTC)
        # The sync: when it began, with which run, and who was changed or moved since.
        self.started = self.clock
        self.began = self.runs = self.version = 0
        self.touched, self.moved = set[str](), set[str]()
        self.looks: list[Position] = []
        """Where cursors of earlier runs lead that were asked for in this one."""
        self.names = 0
        self.newest = account.customers
        customers = [
            account.customer(n, self._name()) for n in range(1, self.newest + 1)
        ]
        # Without waits, a connection that was just closed would still count.
        self.sandbox = Sandbox(customers, rate_limit=None, connection_limit=1000)

    def _name(self) -> str:
        self.names += 1
        return f"name {self.names}"

    @property
    def is_unfinished(self) -> bool:
        bookmark = self.state.get("bookmarks", {}).get("customers", {})
        return bookmark.get("ranges") is not None

    def load(self, run: Run) -> None:
        """Run the tap, and check what came of it."""
        self.runs += 1
        self.clock += timedelta(hours=run.hours, seconds=2)
        self.looks = []
        for edit in run.before:
            self.edit(edit)
        hours = (self.clock - self.started) / timedelta(hours=1)
        is_resumed = self.is_unfinished and hours < 6
        if not is_resumed:
            self.began = self.runs
            self.touched, self.moved = set(), set()
        rows = {*self.table}
        lines = self.account.customers * (1 + 1 / self.account.per_page)
        target = Target(
            self.table, self.runs, run.batch, run.event, int(run.at * lines)
        )
        code = self._run_tap(run, target, is_resumed=is_resumed)
        if target.version is not None:
            assert target.version >= self.version + (not is_resumed)
            self.version = target.version
        self._check_the_end(run, target, code)
        if "ACTIVATE_VERSION" in target.types:
            last = target.types.index("ACTIVATE_VERSION")
            assert {*target.types[last + 1 :]} <= {"STATE"}
        else:
            assert rows <= self.table.keys()
            assert code != 0 or not self.account.deletes
        if code == 0 or "ACTIVATE_VERSION" in target.types:
            self._check_that_all_was_read()
        if target.printed:
            self.state = target.printed
            self.started = self.started if is_resumed else self.clock
        assert len(json.dumps(self.state)) <= 6_000
        assert code != 0 or not self.is_unfinished

    def _check_the_end(self, run: Run, target: Target, code: int) -> None:
        if run.event in {None, "tap terminated"}:
            assert not target.line
            if code == 128 + signal.SIGTERM:
                # Within the first line, it has had no state yet.
                assert target.types[1:] == [] or target.types[-1] == "STATE"
            elif LASTING.keys().isdisjoint(run.met.values()):
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
            "per_page": run.per_page or self.account.per_page,
            "parallel_requests": self.account.parallel_requests,
            "max_retries": 3,
        }
        # Nobody can tell that the place where a sync was interrupted is now taken for
        # one further on.
        reading = KEPT if is_resumed else run.old_cursor
        self.sandbox.age_cursors(READINGS.get(reading, READINGS[KEPT])(run.seed))
        before = len(self.sandbox.requests)

        def script(seen: SeenRequest) -> Fault | None:
            number = seen.number - before
            cursor = decode(seen.query["cursor"]) if "cursor" in seen.query else None
            # The cursors have aged once for each run.
            is_old = cursor is not None and cursor.generation < self.runs
            if cursor and is_old:
                self.looks.append(cursor.position)
            for edit in run.during.get(number, ()):
                self.edit(edit)
            refusal = REFUSALS.get(run.old_cursor) if is_old else None
            return refusal or FAULTS.get(run.met.get(number, ""))

        self.sandbox.script(script)
        files = []
        for name, value in (("config", config), ("state", self.state)):
            file = self._folder / name
            file.write_text(json.dumps(value))
            files += [f"--{name}", str(file)]
        with time_machine.travel(self.clock, tick=False):
            return run_tap(target, *files, seed=run.seed)

    def edit(self, edit: Edit) -> None:
        """Change a block of neighbours."""
        customers, per_page = self.sandbox.customers, self.account.per_page
        start = int(len(customers) * edit.at)
        if edit.near is not None and self.looks:
            look = self.looks[start % len(self.looks)]
            start = bisect_right(customers, look, key=position_of)
            start += int(edit.near * per_page)
        last = len(customers) - 1
        start = min(max(0, start), last)
        size = max(1, int(edit.pages * per_page))
        block = customers[start : start + size]
        beside = customers[min(max(0, start + edit.by * per_page), last)]
        match edit.kind:
            case "rename":
                self._put(block)
            case "move":
                # Among those of the same date.
                self._put(block, since=beside["customer-since"])
            case "pay":
                leads = [each for each in block if each["customer-since"] is None]
                today = self.clock + timedelta(seconds=1, milliseconds=self.names)
                # Found by the second look, which only a sync with deletes has.
                is_found = self.account.deletes
                self._put(leads, since=today.isoformat(), is_found=is_found)
            # An account does not come to an end, nor grow for ever.
            case "remove" if len(customers) > size + per_page:
                for each in block:
                    self._change(each, is_moved=True)
                    self.sandbox.remove(each["uuid"])
            case "add" if len(customers) < 2 * self.account.customers:
                numbers = range(self.newest + 1, self.newest + 1 + size)
                self.newest += size
                for number in numbers:
                    new = self.account.customer(number, self._name())
                    self._change(new, is_moved=True)
                    since = beside["customer-since"]
                    self.sandbox.put(new | {"customer-since": since})

    def _put(
        self, block: list[Customer], *, since: str | None = "", is_found: bool = False
    ) -> None:
        for each in block:
            new = each["customer-since"] if since == "" else since
            is_moved = new != each["customer-since"] and not is_found
            self._change(each, is_moved=is_moved)
            self.sandbox.put(each | {"name": self._name(), "customer-since": new})

    def _change(self, customer: Customer, *, is_moved: bool) -> None:
        self.touched.add(customer["uuid"])
        if is_moved:
            self.moved.add(customer["uuid"])


FIRST = int(os.environ.get("MODEL_FIRST", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("MODEL_CHAINS", "24")))


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_lost_who_was_not_moved(tmp_path: Path, seed: int) -> None:
    account, runs = random_chain(seed)
    loads = Loads(account, tmp_path)
    with loads.sandbox:
        # After one that has nothing to contend with.
        for run in (Run(), *runs):
            loads.load(run)


@pytest.mark.parametrize("seed", range(2))
def test_leads_that_pay_together_cost_nobody_else_a_row(
    tmp_path: Path, seed: int
) -> None:
    edit = Edit("pay", at=0.65, near=None, pages=2, by=0)
    loads = Loads(Account(6000, 200, 4, leads=0.6, deletes=True), tmp_path)
    with loads.sandbox:
        loads.load(Run())
        loads.load(Run(during={5: [edit]}, seed=seed))
    assert len(loads.touched) == 400
    assert len(loads.table) == 6000


def test_a_boundary_that_led_to_the_end_in_one_run_ends_no_range_in_the_next(
    tmp_path: Path,
) -> None:
    loads = Loads(Account(393, 6, 4, leads=0.6, deletes=False), tmp_path)
    with loads.sandbox:
        loads.load(Run())
        loads.load(Run(old_cursor="end", event="tap terminated", at=0.162, batch=50))
        assert loads.is_unfinished
        loads.load(Run())
