"""The programs that are measured, and how each is started."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.account import Account

TAP = "this tap"
PLAIN_TAP = "plain SDK tap"
BARE_LOOP = "bare loop"
AIRBYTE = "Airbyte declarative source"

AIRBYTE_ENVIRONMENT = Path(".venv-airbyte")
_MANIFEST = Path(__file__).with_name("airbyte")


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
    config = folder / "config.json"
    config.write_text(json.dumps({"api_url": account.url, "api_key": account.api_key}))
    python = [sys.executable, "-m"]
    programs = {
        TAP: [*python, "tap_chartmogul_customers", "--config", str(config)],
        PLAIN_TAP: [*python, "benchmarks.plain_tap", "--config", str(config)],
        BARE_LOOP: [*python, "benchmarks.bare_loop", account.url, account.api_key],
    }
    if has_airbyte():
        programs[AIRBYTE] = [
            str(AIRBYTE_ENVIRONMENT / "bin" / "source-declarative-manifest"),
            *("read", "--config", str(config)),
            *("--catalog", str(_MANIFEST / "catalog.json")),
            *("--manifest-path", str(_MANIFEST / "manifest.yaml")),
        ]
    return programs
