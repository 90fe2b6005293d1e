"""Syncs of an account in memory that changes, ages and fails: who is lost?

Each seed is a chain of syncs: the first, and others by what it left. While one is read,
blocks of neighbours are moved, deleted and added; it is killed and resumed; and what
the service takes an old cursor for changes with each run.
"""
# ruff: noqa: S311 (seeds are no secrets)

from __future__ import annotations

import json
import logging
import os
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from tap_chartmogul_customers.api.paging import Customer, Page
from tap_chartmogul_customers.errors import PagingError, ReadError
from tap_chartmogul_customers.sync import ranges
from tap_chartmogul_customers.sync.bookmark import Account
from tap_chartmogul_customers.sync.sync import Sync
from tests.turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Generator

FIRST = int(os.environ.get("MODEL_FIRST", "0"))
CHAINS = int(os.environ.get("MODEL_CHAINS", "300"))
SYNCS = 4
NOW = "2026-01-31T00:00:00+00:00"
LOGGER = logging.getLogger("of chains")
LOGGER.setLevel(logging.ERROR)

Place = tuple[str, int]
START: Place = ("", -1)
NEVER = "9"  # Behind every time: a lead.

OLD = ("refused", "start", "end", "anywhere", "second page fails")
"""What the service may take a cursor of an earlier sync for."""


def moment(rng: Random) -> str:
    days = timedelta(days=rng.randrange(3000), seconds=rng.randrange(3))
    return (datetime(2015, 1, 1, tzinfo=UTC) + days).isoformat()


@dataclass
class Service:
    """The account as the service has it: an order of when, and who."""

    rng: Random
    per_page: int
    since: dict[int, str] = field(default_factory=dict)
    run: int = 0
    first_run: int = 0
    """Of this sync: what was given out before is old."""
    edits: float = 0
    failures: float = 0
    there: set[int] = field(default_factory=set)
    """Who was there at the start of the sync."""
    moved: set[int] = field(default_factory=set)
    paid: set[int] = field(default_factory=set)
    """Leads who started to pay now, and were moved no other time."""

    def start_run(self, *, of_a_new_sync: bool) -> None:
        self.run += 1
        if of_a_new_sync:
            self.first_run = self.run
            self.there, self.moved, self.paid = {*self.since}, set(), set()
            self.edits = self.rng.choice((0, 0.05, 0.3))
            self.failures = self.rng.choice((0, 0.01, 0.05))

    def edit(self) -> None:
        rng = self.rng
        order = sorted((when, who) for who, when in self.since.items())
        if not order:
            return
        at = rng.randrange(len(order))
        size = rng.choice((1, 2, self.per_page, 2 * self.per_page, 60))
        block = [who for _, who in order[at : at + size]]
        match rng.randrange(5):
            case 0:
                near_by, _ = order[max(0, at - rng.randrange(60)) : at + 1][0]
                to = rng.choice((moment(rng), NEVER, near_by))
                self.moved.update(who for who in block if self.since[who] != to)
                self.paid -= self.moved.intersection(block)
                self.since.update(dict.fromkeys(block, to))
            case 1 | 2:
                leads = [who for who in block if self.since[who] == NEVER]
                self.paid.update({*leads} - self.moved)
                self.moved.update(leads)
                self.since.update(dict.fromkeys(leads, NOW))
            case 3:
                for who in block:
                    del self.since[who]
                self.paid -= {*block}  # A later customer may have the same number.
            case 4:
                first = max(self.since, default=0) + 1 + self.run * 10_000
                for who in range(first, first + rng.choice((1, 5, 30))):
                    self.since[who] = rng.choice((moment(rng), NEVER))
                    self.moved.add(who)

    def pages(self, cursor: str | None, label: str) -> Generator[Page]:
        place, more = self._place(cursor), True
        while more:
            if self.rng.random() < self.edits:
                self.edit()
            if place is None or self.rng.random() < self.failures:
                raise self.rng.choice((ReadError, PagingError))
            order = sorted((when, who) for who, when in self.since.items())
            at = bisect_right(order, place)
            rows = order[at : at + self.per_page]
            more = at + self.per_page < len(order)
            place = rows[-1] if rows else place
            following = json.dumps([self.run, *place]) if more else None
            customers = [
                Customer(f"{who}", None if when == NEVER else when)
                for when, who in rows
            ]
            yield Page(customers, following, label)
            if cursor and self._reading(cursor) == "second page fails":
                place = None

    def _reading(self, cursor: str) -> str:
        """Say what an old cursor is taken for, the same all through a run."""
        run, *_ = json.loads(cursor)
        rng = Random(f"{self.run} {cursor}")
        if run < self.first_run:
            return rng.choice(("right",) * 8 + OLD)
        # What this sync was given itself is refused, if anything.
        return "refused" if run < self.run and rng.random() < 0.1 else "right"

    def _place(self, cursor: str | None) -> Place | None:
        if cursor is None:
            return START
        _, when, who = json.loads(cursor)
        match self._reading(cursor):
            case "refused":
                return None
            case "start":
                return START
            case "end":
                return ("~", 0)
            case "anywhere":
                return (moment(Random(cursor)), 0)
        return (when, who)


def begin(state: dict[str, Any], at_once: int, *, versioned: bool) -> Sync:
    return Sync(
        *(json.loads(json.dumps(state)), Account("url", "key", {})),
        versioned=versioned,
        max_age_hours=6,
        at_once=at_once,
        logger=LOGGER,
    )


def sync_once(
    service: Service, state: dict[str, Any], at_once: int, *, versioned: bool
) -> tuple[set[int], dict[str, Any]]:
    """Sync in as many runs as it takes; return whom that wrote, and the state."""
    written: list[int] = []
    kept = 0
    while True:
        service.start_run(of_a_new_sync=not state.get("ranges"))
        del written[kept:]  # The target was killed.
        sync = begin(state, at_once, versioned=versioned)
        killed_at = service.rng.randrange(1, 100)
        try:
            for number, batch in enumerate(sync.read(service.pages)):
                written += [int(each.uuid) for each in batch.customers]
                if service.rng.random() < 0.8:
                    state, kept = sync.state(), len(written)
                if number == killed_at:
                    break
            else:
                return {*written}, sync.state()
        except ReadError:
            pass
        at_once = service.rng.choice((at_once, at_once, 1, 2))


def chain(seed: int) -> int:
    """Run a chain of syncs, and return in how many runs it was read."""
    rng = Random(seed)
    service = Service(rng, per_page=rng.choice((3, 5, 8)))
    for who in range(rng.randrange(200)):
        service.since[who] = rng.choice((moment(rng), NEVER))
    state: dict[str, Any] = {}
    for _ in range(SYNCS):
        versioned = rng.random() < 0.7
        at_once = rng.choice((1, 2, 4, 8))
        written, state = sync_once(service, state, at_once, versioned=versioned)
        stayed = service.there & service.since.keys()
        assert stayed - service.moved <= written, f"seed {seed}"
        if versioned:
            # The second look finds them.
            assert stayed & service.paid <= written, f"seed {seed}"
    return service.run


@pytest.mark.parametrize("first", range(FIRST, FIRST + CHAINS, 30))
def test_nobody_who_stayed_is_lost(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    monkeypatch.setattr(ranges, "SHORTEST", 2)
    runs = 0
    for seed in range(first, first + 30):
        # A seed decides everything.
        with in_turns(seed), time_machine.travel(NOW, tick=False):
            runs += chain(seed)
    assert runs > 30 * SYNCS * 1.2  # Many of them were interrupted and resumed.
