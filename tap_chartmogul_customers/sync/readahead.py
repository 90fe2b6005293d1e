"""Reads one item ahead on a thread of its own."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")


class _End:
    """The end of the items, with the error that ended them, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def read_ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """Iterate over items, fetching the next one while the last one is in use.

    The thread is a daemon: it never holds up the end of the process, whatever it waits
    for. When the iteration is given up, it ends before it asks for another item.

    Args:
        items: What to iterate over; only the thread touches it.

    Yields:
        Each item. At most one that was not asked for yet has been fetched.

    Raises:
        BaseException: Whatever `items` raises, as itself, after the items before it.
    """
    fetched: SimpleQueue[T | _End] = SimpleQueue()
    taken = threading.Semaphore(0)
    given_up = threading.Event()

    def fetch() -> None:
        try:
            for item in items:
                fetched.put(item)
                # Not before this one is taken is the next one asked for.
                taken.acquire()
                if given_up.is_set():
                    return
            fetched.put(_End())
        except BaseException as error:  # noqa: BLE001 (raised where the items are used)
            fetched.put(_End(error))

    threading.Thread(target=fetch, name="read-ahead", daemon=True).start()
    try:
        while not isinstance(item := fetched.get(), _End):
            taken.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        given_up.set()
        taken.release()
