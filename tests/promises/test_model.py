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
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest
import time_machine

from sandbox import Sandbox, faults, stale
from sandbox.cursors import decode, position_of
from tests.model import Interruption, Row, Target, run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import web

    from sandbox.cursors import Position
    from sandbox.exchange import Exchange, SeenRequest
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


async def _repeated(exchange: Exchange) -> web.Response:
    again = {"entries": [], "cursor": exchange.request.query["cursor"]}
    return await exchange.answer(lambda body: body | again | {"has_more": True})


REFUSALS: dict[str, Fault] = {
    **{
        str(code): faults.status(code)
        for code in (400, 403, 404, 409, 410, 414, 422, 500, 503)
    },
    "HTML": faults.html(),
    "error": faults.body(b'{"error": "internal"}'),
    "repeated": _repeated,
}
"""How the service refuses a cursor of an earlier run."""


def _anew(seed: int) -> Reading:
    """Take each cursor for another place whenever it comes."""
    rng = Random(seed)  # noqa: S311 (no secret)

    def reading(place: Position, store: Store) -> Position | None:
        return stale.anywhere(rng.randrange(10**6))(place, store)

    return reading


KEPT = "same place"
READINGS: dict[str, Callable[[int], Reading]] = {
    KEPT: lambda _: stale.shifted(0),
    "first page": lambda _: stale.first_page,
    "end": lambda _: stale.end,
    "further on": lambda seed: stale.shifted(seed % 50),
    "further back": lambda seed: stale.shifted(-seed % 50),
    "anywhere": stale.anywhere,
    "elsewhere each time": _anew,
}
"""What it takes such a cursor for, if it does not refuse it."""


KINDS = (*["move"] * 5, "pay", "pay", "remove", "merge", "add", "reorder", "rename")


class Place(NamedTuple):
    """A place in the account, as it is when it is needed."""

    thousandths: int
    """How far into the account it is, if not near."""
    is_near: bool
    """Where a block is: where a cursor of an earlier run leads that was asked for in
    this one, if any was. Where a block goes: where it was."""
    pages: float
    """How many pages behind that."""


class Edit(NamedTuple):
    """What becomes of a block of neighbours."""

    kind: str
    place: Place
    """Where the block starts."""
    pages: float
    """How many pages of customers it has; one customer at least."""
    to: Place | None
    """Where it goes, among those of the same date; None: it starts to pay today."""


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
    interruption: Interruption = Interruption(None, 0, 1, 1)
    """Its line in thousandths of those that a whole read has."""
    hours: int = 0
    """Since the run before."""
    seed: int = 0
    """Of the order in which its ranges are read, and of where old cursors lead."""


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

    def customer(self, number: int, name: str) -> Customer:
        """Make a customer, by its number a lead or with one of the dates."""
        since = datetime(2023, 1, 1, tzinfo=UTC)
        since += timedelta(days=number * 7919 % self.dates)
        is_lead = number * 617 % 1000 < self.leads
        return {
            # With room for others between two.
            "id": number * 10**6,
            "uuid": f"cus_{number}",
            "name": name,
            "customer-since": None if is_lead else since.isoformat(),
        }


def random_chain(seed: int) -> tuple[Account, list[Run]]:
    """Make an account and the runs that load it."""
    rng = Random(seed)  # noqa: S311 (no secret)
    pages = rng.choice((rng.randint(16, 32), rng.randint(12, 70)))
    per_page = rng.randint(4, 20)
    account = Account(
        customers=pages * per_page + rng.randrange(per_page),
        per_page=per_page,
        parallel_requests=rng.choice((1, 2, 3, 4, 4, 4, 8, 20)),
        leads=rng.choice((0, 300, 400, 600, 1000)),
        dates=rng.choice((1, 300, 300, 300)),
        deletes=rng.random() < 0.7,
    )
    return account, [_random_run(rng, pages) for _ in range(rng.randint(2, 8))]


def _random_run(rng: Random, pages: int) -> Run:
    def place(*behind: float) -> Place:
        return Place(rng.randrange(1000), rng.random() < 0.75, rng.choice(behind))

    def edits(most: int) -> list[Edit]:
        return [
            Edit(
                kind=rng.choice(KINDS),
                place=place(0, 0, -0.5, 0.5, 1),
                pages=rng.choice((0, 0.25, 0.5, 0.5, 1, 1, 1, 2, 5, 15)),
                to=place(*range(-8, 2)) if rng.random() < 0.6 else None,
            )
            for _ in range(rng.randint(0, most))
        ]

    def request() -> int:
        return rng.randint(1, 40 if rng.random() < 0.2 else pages)

    events = ("tap terminated", "tap killed", "target killed")
    return Run(
        per_page=rng.choice((*[None] * 6, 4, 20)),
        before=edits(2),
        during={request(): edits(2) for _ in range(rng.choice((0, 1, 2, 4, 8)))},
        old_cursor=rng.choice((*REFUSALS, *READINGS)) if rng.random() < 0.4 else KEPT,
        met={
            request(): rng.choice((*FAULTS,) if rng.random() < 0.2 else (*HEALING,))
            for _ in range(rng.choice((0, 0, 0, 1, 3)))
        },
        interruption=Interruption(
            event=rng.choice(events) if rng.random() < 0.4 else None,
            at_line=rng.randrange(1000),
            batch=rng.choice((1, 7, 50, 10_000)),
            aged_at=rng.randint(1, 400),
        ),
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

    def __init__(self, account: Account) -> None:
        self.account = account
        self.table: dict[str, Row] = {}
        self.state: dict[str, Any] = {}
        self.clock = datetime(2024, 1, 1, tzinfo=UTC)
        # The sync: when it began, with which run, and who was changed or moved since.
        self.started = self.clock
        self.began = self.runs = self.version = 0
        self.touched, self.moved = set[str](), set[str]()
        self.generation = 0
        """How often the service's cursors have aged."""
        self.looks: list[Position] = []
        """Where cursors of earlier runs lead that were asked for in this one."""
        self.reordered = False
        self.names = 0
        self.newest = account.customers
        customers = [
            account.customer(n, self._name()) for n in range(1, self.newest + 1)
        ]
        # Without waits, a connection that was just closed would still count.
        self.sandbox = Sandbox(customers, rate_limit=None, connection_limit=1000)

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory()
        self.sandbox.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.__exit__(None, None, None)
        self._folder.cleanup()

    def _name(self) -> str:
        self.names += 1
        return f"name {self.names}"

    @property
    def is_unfinished(self) -> bool:
        bookmark = self.state.get("bookmarks", {}).get("customers", {})
        return bookmark.get("ranges") is not None

    def load(self, run: Run) -> Target:
        """Run the tap, and check what came of it."""
        self.runs += 1
        self.clock += timedelta(hours=run.hours, seconds=2)
        self.looks, self.reordered = [], False
        for edit in run.before:
            self.edit(edit)
        hours = (self.clock - self.started) / timedelta(hours=1)
        is_resumed = self.is_unfinished and hours < 6
        if not is_resumed:
            self.began = self.runs
            self.touched, self.moved = set(), set()
        rows = {*self.table}
        lines = self.account.customers * (1 + 1 / self.account.per_page)
        at_line = int(run.interruption.at_line * lines / 1000)
        interruption = run.interruption._replace(at_line=at_line)
        target = Target(self.table, interruption, self.runs)
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
        return target

    def _check_the_end(self, run: Run, target: Target, code: int) -> None:
        if run.interruption.event in {None, "tap terminated"}:
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
        self.generation += 1
        before = len(self.sandbox.requests)

        def script(seen: SeenRequest) -> Fault | None:
            number = seen.number - before
            cursor = decode(seen.query["cursor"]) if "cursor" in seen.query else None
            is_old = cursor is not None and cursor.generation < self.generation
            if cursor and is_old:
                self.looks.append(cursor.position)
            for edit in run.during.get(number, ()):
                self.edit(edit)
            refusal = REFUSALS.get(run.old_cursor) if is_old else None
            return refusal or FAULTS.get(run.met.get(number, ""))

        self.sandbox.script(script)
        files = []
        for name, value in (("config", config), ("state", self.state)):
            file = Path(self._folder.name, name)
            file.write_text(json.dumps(value))
            files += [f"--{name}", str(file)]
        # Just before the end of a second, for which the tap may wait.
        moment = self.clock + timedelta(seconds=0.999)
        with time_machine.travel(moment, tick=False):
            return run_tap(target, *files, seed=run.seed)

    def edit(self, edit: Edit) -> None:
        """Change a block of neighbours."""
        customers = self.sandbox.customers
        start = len(customers) * edit.place.thousandths // 1000
        if edit.place.is_near and self.looks:
            look = self.looks[edit.place.thousandths % len(self.looks)]
            start = bisect_right(customers, look, key=position_of)
        start = self._moved(start, edit.place.pages)
        size = max(1, int(edit.pages * self.account.per_page))
        block = customers[start : start + size]
        today = self.clock + timedelta(seconds=1, milliseconds=self.names)
        since, beside = today.isoformat(), block[0]
        if edit.to is not None:
            goal = len(customers) * edit.to.thousandths // 1000
            goal = self._moved(start if edit.to.is_near else goal, edit.to.pages)
            beside = customers[goal]
            since = beside["customer-since"]
        # An account does not come to an end, nor grow for ever.
        is_large = len(customers) > size + self.account.per_page
        is_small = len(customers) < 2 * self.account.customers
        match edit.kind:
            case "rename":
                self._put(block)
            case "move":
                self._put(block, since=since)
            case "reorder" if (
                since == block[0]["customer-since"] and not self.reordered
            ):
                # Nobody can see it, so only fewer than half a page may do so.
                self.reordered = True
                self.moved.add(block[0]["uuid"])
                self._put([block[0] | {"id": beside["id"] - self.names}])
            case "pay":
                leads = [each for each in block if each["customer-since"] is None]
                # Found by the second look, which only a sync with deletes has.
                is_found = self.account.deletes and edit.to is None
                self._put(leads, since=since, is_found=is_found)
            case "remove" if is_large:
                self._remove(block)
            case "merge" if is_large:
                self._put(block[:1])
                self._remove(block[1:])
            case "add" if is_small:
                numbers = range(self.newest + 1, self.newest + 1 + size)
                self.newest += size
                new = [self.account.customer(number, "") for number in numbers]
                self.moved.update(each["uuid"] for each in new)
                self._put(new, since=since)

    def _moved(self, index: int, pages: float) -> int:
        index += int(pages * self.account.per_page)
        return min(max(0, index), len(self.sandbox.customers) - 1)

    def _put(
        self, block: list[Customer], *, since: str | None = "", is_found: bool = False
    ) -> None:
        for each in block:
            changed = each | {"name": self._name()}
            if since != "":
                changed["customer-since"] = since
            if changed["customer-since"] != each["customer-since"] and not is_found:
                self.moved.add(each["uuid"])
            self.touched.add(each["uuid"])
            self.sandbox.put(changed)

    def _remove(self, block: list[Customer]) -> None:
        for each in block:
            self.moved.add(each["uuid"])
            self.touched.add(each["uuid"])
            self.sandbox.remove(each["uuid"])


def failure(account: Account, runs: list[Run]) -> AssertionError | None:
    """Let runs load an account, after one that has nothing to contend with."""
    with Loads(account) as loads:
        try:
            for run in (Run(), *runs):
                loads.load(run)
        except AssertionError as error:
            return error
    return None


def shorter(account: Account, runs: list[Run]) -> list[Run]:
    """Leave out of runs that fail what they fail without."""

    def ones() -> Iterator[list[Run]]:
        for n, run in enumerate(runs):
            before, after = runs[:n], runs[n + 1 :]
            yield before + after
            for field, default in Run()._asdict().items():
                if getattr(run, field) != default:
                    yield [*before, run._replace(**{field: default}), *after]
            for request in run.during:
                during = {k: v for k, v in run.during.items() if k != request}
                yield [*before, run._replace(during=during), *after]

    while found := next((one for one in ones() if failure(account, one)), None):
        runs = found
    return runs


FOUND = [
    # The service took the boundaries for the end of the account, in one run only.
    (
        Account(393, 6, 4, leads=600, dates=300, deletes=False),
        [
            Run(
                old_cursor="end",
                interruption=Interruption("tap terminated", 162, 50, 257),
            ),
            Run(),
        ],
    ),
    # One customer of a look stands ahead of it, and nobody can see that it was moved.
    (
        Account(400, 12, 3, leads=1000, dates=1, deletes=True),
        [
            Run(
                during={
                    8: [
                        Edit(
                            "reorder",
                            Place(1, is_near=True, pages=0),
                            0,
                            Place(0, is_near=True, pages=-4),
                        )
                    ]
                },
            )
        ],
    ),
]
"""What loses somebody by rules that are weaker by a hair."""

FIRST = int(os.environ.get("MODEL_FIRST", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("MODEL_CHAINS", "24")))


@pytest.mark.parametrize("chain", [*FOUND, *SEEDS])
def test_nobody_is_lost_who_was_not_moved(
    chain: int | tuple[Account, list[Run]],
) -> None:
    account, runs = random_chain(chain) if isinstance(chain, int) else chain
    if error := failure(account, runs):
        if "MODEL_CHAINS" in os.environ:  # It takes minutes.
            runs = shorter(account, runs)
        msg = f"{account} {runs}"
        raise AssertionError(msg) from error


@pytest.mark.parametrize("seed", SEEDS)
def test_where_nothing_changes_nobody_comes_twice(seed: int) -> None:
    account = random_chain(seed)[0]._replace(deletes=False)
    # So that a page that ends a range can reach over the next one's first page.
    per_page = account.per_page + seed % (21 - account.per_page)
    with Loads(account) as loads:
        loads.load(Run(per_page=per_page))
        customers = loads.sandbox.customers
        index = {each["uuid"]: number for number, each in enumerate(customers)}
        # By the places of a sync in one range, and by those of one in many.
        for _ in range(2):
            written = [index[uuid] for uuid in loads.load(Run(seed=seed)).uuids]
            starts = sorted(
                {bisect_right(customers, look, key=position_of) for look in loads.looks}
            )
            pages = account.customers // per_page
            assert starts or account.parallel_requests == 1 or pages < 16
            times: dict[int, int] = {}
            for time, customer in enumerate(written):
                if times.setdefault(customer, time) != time:
                    # The range before came here first, ahead of the second page of the
                    # one that starts here.
                    start = starts[bisect_right(starts, customer) - 1]
                    last = start + 2 * account.per_page - 1
                    assert start <= customer
                    assert last not in times


@pytest.mark.parametrize("seed", range(4))
def test_leads_that_pay_together_cost_nobody_else_a_row(seed: int) -> None:
    edit = Edit("pay", Place(650, is_near=False, pages=0), pages=2, to=None)
    with Loads(Account(6000, 200, 4, leads=600, dates=300, deletes=True)) as loads:
        loads.load(Run())
        loads.load(Run(during={5: [edit]}, seed=seed))
        assert len(loads.touched) == 400
        assert len(loads.table) == 6000
