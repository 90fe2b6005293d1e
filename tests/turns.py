"""Ranges that are read at once in an order that a seed decides, and so again."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch

from tap_chartmogul_customers.sync import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def in_turns(seed: int) -> Iterator[None]:
    """Let one thread run at a time, until it has to wait; in a `with` block.

    Left alone, threads would ask in another order each time, and what was seen to go
    wrong could not be shown again. A seed also finds orders that they seldom come to.

    Args:
        seed: Which thread is next.
    """
    turns = _Turns(seed)
    stand_ins = SimpleNamespace(
        Thread=turns.thread,
        Semaphore=partial(_Semaphore, turns),
        Lock=partial(_Semaphore, turns),
        Event=threading.Event,
    )
    queue = type("Queue", (_Queue,), {"turns": turns})
    with (
        patch.object(readers, "threading", stand_ins),
        patch.object(readers, "SimpleQueue", queue),
    ):
        try:
            yield
        finally:
            # Readers that were given up are closed, and end at their next turn.
            gc.collect()
            turns.leave()
            for thread in turns.threads:
                thread.join()


class _Turns:
    def __init__(self, seed: int) -> None:
        self.threads: list[threading.Thread] = []
        self._rng = Random(seed)  # noqa: S311 (no secret)
        self._waiting: list[threading.Event] = []

    def leave(self) -> None:
        """Let one of those that wait go on."""
        if self._waiting:
            self._waiting.pop(self._rng.randrange(len(self._waiting))).set()

    def wait(self) -> None:
        """Let another one go on, or this one again."""
        self._waiting.append(turn := threading.Event())
        self.leave()
        turn.wait()

    def thread(self, target: Callable[..., object], **options: Any) -> threading.Thread:
        """Make a thread that has turns."""
        self._waiting.append(turn := threading.Event())

        def run(*args: object) -> None:
            turn.wait()
            target(*args)
            self.leave()

        self.threads.append(threading.Thread(target=run, **options))
        return self.threads[-1]


class _Semaphore:
    def __init__(self, turns: _Turns, value: int = 1) -> None:
        self._turns = turns
        self._value = value

    def acquire(self) -> None:
        while not self._value:
            self._turns.wait()
        self._value -= 1

    def release(self) -> None:
        self._value += 1

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _Queue(SimpleQueue[Any]):
    turns: ClassVar[_Turns]

    def get(self, *_: object) -> Any:
        # Even if something is there: others may come first.
        self.turns.wait()
        while self.empty():
            self.turns.wait()
        return super().get()
