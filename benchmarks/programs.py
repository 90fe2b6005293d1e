"""The programs that are measured, and how each is started."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from benchmarks.scenarios import (
    AIRBYTE,
    BARE_LOOP,
    PLAIN_TAP,
    RANGES,
    TAP,
)

if TYPE_CHECKING:
    from benchmarks.account import Account

AIRBYTE_ENVIRONMENT = Path(".venv-airbyte")
_MANIFEST = Path(__file__).with_name("airbyte")
_PYTHON = [sys.executable, "-m"]


def has_airbyte() -> bool:
    """Tell whether Airbyte's environment was installed to the end."""
    return (AIRBYTE_ENVIRONMENT / ".ready").exists()


def commands(account: Account, folder: Path) -> dict[str, list[str]]:
    """Say how to read an account, by the name of the program.

    Args:
        account: The account.
        folder: Where the programs' configuration may be written.

    Returns:
        A command for each program that is installed, in the order of the report.
    """
    config = _config(account, folder)
    programs = {
        TAP: _tap(config),
        **{name: _second_sync(account, folder, n) for name, n in RANGES.items()},
        PLAIN_TAP: [*_PYTHON, "benchmarks.plain_tap", "--config", str(config)],
        BARE_LOOP: [*_PYTHON, "benchmarks.bare_loop", account.url, account.api_key],
    }
    if has_airbyte():
        programs[AIRBYTE] = [
            str(AIRBYTE_ENVIRONMENT / "bin" / "source-declarative-manifest"),
            *("read", "--config", str(config)),
            *("--catalog", str(_MANIFEST / "catalog.json")),
            *("--manifest-path", str(_MANIFEST / "manifest.yaml")),
        ]
    return programs


def _config(account: Account, folder: Path, **settings: object) -> Path:
    words = [account.customers, *settings.values()]
    config = folder / f"config-{'-'.join(map(str, words))}.json"
    values = {"api_url": account.url, "api_key": account.api_key, **settings}
    config.write_text(json.dumps(values))
    return config


def _tap(config: Path) -> list[str]:
    return [*_PYTHON, "tap_chartmogul_customers", "--config", str(config)]


def _second_sync(account: Account, folder: Path, ranges: int) -> list[str]:
    config = _config(account, folder, parallel_requests=ranges)
    return [*_tap(config), "--state", str(_state(account, folder))]


def _state(account: Account, folder: Path) -> Path:
    """Return the state that a first sync of an account leaves; it runs here, once."""
    state = folder / f"state-{account.customers}.json"
    if not state.exists():
        with subprocess.Popen(  # noqa: S603 - no part of the command comes from outside
            _tap(_config(account, folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as sync:
            # Line by line: what this process holds counts as its programs' memory.
            lines = cast("IO[bytes]", sync.stdout)
            states = deque((line for line in lines if b'"STATE"' in line[:20]), 1)
        state.write_text(json.dumps(json.loads(states.pop())["value"]))
    return state
