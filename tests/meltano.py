"""Meltano as a program, in a project of a test's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from tests import forks

if TYPE_CHECKING:
    from pathlib import Path

TAP = "tap-chartmogul-customers"
RUN = ("run", "--no-install", TAP, "target-jsonl")


class Shown(NamedTuple):
    """What a command came to."""

    code: int
    output: str
    log: str


def settings(plugin: str, **values: object) -> dict[str, str]:
    """Return the environment variables that set a plugin's settings."""
    prefix = plugin.replace("-", "_")
    return {f"{prefix}_{name}".upper(): str(value) for name, value in values.items()}


def meltano(project: Path, *arguments: str, **variables: str) -> Shown:
    """Run a command of Meltano in a project, with further environment variables."""
    output, log = project / "meltano.out", project / "meltano.log"
    code = forks.run(
        *(forks.MELTANO, arguments, output, log),
        folder=project,
        environment=os.environ | variables,
    )
    return Shown(code, output.read_text(), log.read_text())
