"""What a service may make of a cursor that it gave out long ago."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from sandbox.cursors import START, Position
from sandbox.store import Store

Reading: TypeAlias = Callable[[Position, Store], Position | None]
"""Takes the place that an old cursor names for another; None refuses the cursor."""


def refused(_: Position, __: Store) -> None:
    """Refuse it, as an answer 400 does."""


def first_page(_: Position, __: Store) -> Position:
    """Take it for the place before the first customer."""
    return START


def end(_: Position, store: Store) -> Position:
    """Take it for the place behind the last customer."""
    return store.beside(START, store.count())


def shifted(by: int) -> Reading:
    """Take it for a place `by` customers further on, or back if below 0."""
    return lambda place, store: store.beside(place, by)


def anywhere(seed: int) -> Reading:
    """Take each for a place of its own, the same one whenever it comes."""

    def reading(place: Position, store: Store) -> Position:
        share = Random(f"{seed} {place}").random()  # noqa: S311 - no secret
        return store.beside(START, int(share * (store.count() + 1)))

    return reading
