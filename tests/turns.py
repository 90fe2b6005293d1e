"""Ranges that are read at once in an order that a seed decides, and so again."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

from tap_chartmogul_customers.sync import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@contextmanager
def in_turns(seed: object) -> Iterator[None]:
    """Answer one request at a time, any that is on its way, in a `with` block.

    Left alone, threads would ask in another order each time, and what was seen to go
    wrong could not be shown again. A seed also finds orders that they seldom come to.
    """
    rng = Random(f"{seed}")  # noqa: S311 (no secret)
    on_their_way: list[Callable[[], object]] = []

    def submit(function: Callable[..., object], *arguments: object) -> Future[object]:
        future: Future[object] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 (as an executor does)
                future.set_exception(error)

        # Before or after what was asked for is emitted.
        if rng.random() < 1 / 2:
            on_their_way.append(run)
        else:
            run()
        return future

    def wait(coming: Iterable[Future[object]], *_: object) -> SimpleNamespace:
        while True:
            done = [each for each in coming if each.done()]
            if done and (not on_their_way or rng.random() < 1 / 2):
                return SimpleNamespace(done=[rng.choice(done)])
            on_their_way.pop(rng.randrange(len(on_their_way)))()

    def executor(_: int) -> SimpleNamespace:
        # What a read that was given up had asked for comes to nobody.
        on_their_way.clear()
        return SimpleNamespace(submit=submit)

    with (
        patch.object(readers, "ThreadPoolExecutor", executor),
        patch.object(readers, "wait", wait),
    ):
        try:
            yield
        finally:
            # What was never to come holds a connection.
            on_their_way.clear()
