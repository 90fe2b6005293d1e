from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def tap_on(tmp_path: Path) -> Callable[[Sandbox], Tap]:
    """Return a tap that reads from a sandbox of the test's own."""
    return lambda sandbox: Tap(sandbox, tmp_path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return the API of an account with 60 customers, without its rate limit."""
    with Sandbox(generate_customers(60, seed=1), rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def tap(sandbox: Sandbox, tap_on: Callable[[Sandbox], Tap]) -> Tap:
    """Return the tap on that account."""
    return tap_on(sandbox)
