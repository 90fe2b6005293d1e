"""The second look of a sync."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from tap_chartmogul_customers.api.paging import Customer, Page
from tap_chartmogul_customers.errors import ReadError, TapError, UnreachableError
from tap_chartmogul_customers.sync.bookmark import Account
from tap_chartmogul_customers.sync.sync import Sync

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LOGGER = logging.getLogger("of syncs")
START = datetime(2026, 1, 31, tzinfo=UTC)
LONG_AGO, WEEK_AGO = "2026-01-01T00:00:00Z", "2026-01-24T00:00:00Z"


class Service:
    """An account of one customer a page; a cursor is the number of the page."""

    def __init__(self, *since: object) -> None:
        self.since = since
        self.asked: list[tuple[str, str | None]] = []
        self.refused: list[tuple[str, str | None]] = []
        self.error: type[TapError] = ReadError

    def pages(self, cursor: str | None, label: str) -> Generator[Page]:
        for number in range(int(cursor or 0), len(self.since)):
            at = str(number) if number else None
            self.asked.append((label, at))
            if (label, at) in self.refused:
                self.refused.remove((label, at))
                raise self.error
            customer = Customer(f"{number}", self.since[number])
            following = str(number + 1) if number + 1 < len(self.since) else None
            yield Page([customer], following)

    def second_look(self) -> list[str | None]:
        """Return what a second look asks for, after a sync."""
        everyone = [*begin().read(self.pages)]
        assert len(everyone) >= len(self.since)
        return [cursor for label, cursor in self.asked if label == "second look"]


@pytest.fixture(autouse=True)
def at_the_start() -> Iterator[None]:
    with time_machine.travel(START, tick=False):
        yield


def begin(state: Any = None) -> Sync:
    return Sync(
        *(state or {}, Account("url", "key", {})),
        versioned=True,
        max_age_hours=6,
        at_once=2,
        logger=LOGGER,
    )


@pytest.mark.parametrize(
    ("since", "at"),
    [
        ([LONG_AGO, WEEK_AGO, None], ["2"]),
        ([LONG_AGO, "2026-01-24T00:00:01Z", None], ["1", "2"]),
        ([LONG_AGO, "2026-01-23T20:00:01-04:00", None], ["1", "2"]),
        ([LONG_AGO, LONG_AGO, None], ["2"]),
        # Whatever range it was in.
        ([WEEK_AGO, LONG_AGO, None], ["1", "2"]),
        # Leads, and times that cannot be read, tell no place.
        ([None, "", "soon", 5, {}, []], [None]),
        # The last page has no cursor.
        ([LONG_AGO, WEEK_AGO], ["1"]),
        # To the first page without anyone who pays.
        (
            [LONG_AGO, *["2026-01-30T00:00:00Z"] * 3, None, None],
            ["1", "2", "3", "4"],
        ),
    ],
)
def test_starts_where_nobody_has_started_to_pay_for_a_week(
    since: list[Any], at: list[str | None]
) -> None:
    assert Service(*since).second_look() == at


def test_of_one_page_there_is_none() -> None:
    assert Service(LONG_AGO).second_look() == []


def test_starts_at_the_start_if_its_place_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service(LONG_AGO, "2026-01-30T00:00:00Z", None)
    service.refused = [("second look", "1")]
    assert service.second_look() == ["1", None, "1", "2"]
    assert "The second look begins at the start" in caplog.text
    service.refused = [("second look", "1"), ("second look", None)]
    with pytest.raises(ReadError):
        service.second_look()


def test_goes_on_in_the_next_run_if_nothing_can_be_reached() -> None:
    service = Service(LONG_AGO, "2026-01-30T00:00:00Z", None)
    service.refused, service.error = [("second look", "1")], UnreachableError
    with pytest.raises(UnreachableError):
        service.second_look()


def test_an_interrupted_one_is_made_again() -> None:
    service, first = Service(LONG_AGO, WEEK_AGO, None), begin()
    batches = first.read(service.pages)
    for _ in range(3):
        next(batches)
    state = first.state()
    assert state["ranges"]
    service.asked.clear()
    rest = [*begin(state).read(service.pages)]
    assert [each.customers[0].uuid for each in rest] == ["2"]
    assert service.asked == [("second look", "2")]
