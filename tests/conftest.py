from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return this Meltano project with its plugins, but with state of its own."""
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    (tmp_path / ".venv-meltano").symlink_to(ROOT / ".venv-meltano")
    (tmp_path / ".meltano").mkdir()
    for plugins in ("extractors", "loaders"):
        (tmp_path / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
    return tmp_path
