"""What is started once for all targets, and stopped at the end."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

T = TypeVar("T")

servers = ExitStack()
_lock = threading.RLock()


def started_once(start: Callable[[], AbstractContextManager[T]]) -> Callable[[], T]:
    """Return a function that starts a server when it is first called.

    Args:
        start: Runs the server.
    """
    enter = cache(lambda: servers.enter_context(start()))

    def started() -> T:
        with _lock:
            return enter()

    return started
