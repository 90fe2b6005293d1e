from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_chartmogul_customers.sync.readahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


class Source:
    """Items that say how many of them were fetched, and on which thread."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count = count
        self.error = error
        self.fetched = 0
        self.threads: set[threading.Thread] = set()

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.fetched += 1
            self.threads.add(threading.current_thread())
            yield number
        if self.error:
            raise self.error


def settled(source: Source) -> int:
    """Return how many items were fetched once no more are."""
    fetched = -1
    while fetched != source.fetched:
        fetched = source.fetched
        time.sleep(0.05)
    return fetched


def test_hands_over_every_item_in_order() -> None:
    assert list(read_ahead(Source(1000))) == list(range(1000))


def test_fetches_one_item_ahead_and_no_more() -> None:
    source = Source(10)
    for number in read_ahead(source):
        assert settled(source) == min(number + 2, 10)


def test_fetches_on_one_thread_that_holds_up_no_exit() -> None:
    source = Source(10)
    list(read_ahead(source))
    (thread,) = source.threads
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3)])
def test_an_error_comes_out_as_itself_after_the_items_before_it(
    error: BaseException,
) -> None:
    items = read_ahead(Source(2, error))
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(type(error)) as raised:
        next(items)
    assert raised.value is error


@pytest.mark.parametrize("taken", [1, 2])
def test_a_read_that_is_given_up_ends_its_thread(taken: int) -> None:
    source = Source(10)
    items = read_ahead(source)
    for _ in range(taken):
        next(items)
    items.close()
    (thread,) = source.threads
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert source.fetched <= taken + 1
