"""The programs that are measured, and how each is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    config = str(_config(account, folder))
    programs = {
        TAP: _tap(config),
        **{name: _ranges(account, folder, number) for name, number in RANGES.items()},
        PLAIN_TAP: [*_PYTHON, "benchmarks.plain_tap", "--config", config],
        BARE_LOOP: [*_PYTHON, "benchmarks.bare_loop", account.url, account.api_key],
    }
    if has_airbyte():
        programs[AIRBYTE] = [
            str(AIRBYTE_ENVIRONMENT / "bin" / "source-declarative-manifest"),
            *("read", "--config", config),
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


def _tap(config: str) -> list[str]:
    return [*_PYTHON, "tap_chartmogul_customers", "--config", config]


def _ranges(account: Account, folder: Path, number: int) -> list[str]:
    """Return the command of a second sync; the first one runs here, once."""
    config = _config(account, folder, parallel_requests=number)
    command = _tap(str(config))
    state = config.with_name(f"state-{config.name}")
    if not state.exists():
        first = subprocess.run(  # noqa: S603 - no part of the command comes from outside
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
        messages = first.stdout.splitlines()
        (*_, last) = (line for line in messages if b'"STATE"' in line[:20])
        state.write_text(json.dumps(json.loads(last)["value"]))
    return [*command, "--state", str(state)]
