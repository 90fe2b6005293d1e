"""What is to be known of a target to load into it and to read back what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from tests.targets.comparison import Row

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".venv-targets"

FLAT = {"flattening_enabled": True, "flattening_max_depth": 1}
"""The settings of the tap for targets that hold no objects."""

Settings: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Destination:
    """Where a target writes, of one scenario alone.

    Args:
        settings: The settings that tell a target of it.
        rows: Reads what it holds, in the order in which it came.
    """

    settings: Settings
    rows: Callable[[], list[Row]]


Place: TypeAlias = "Callable[[Path], AbstractContextManager[Destination]]"
"""Makes an empty destination, which may use a folder."""


@dataclass(frozen=True)
class Fault:
    """What a target does not do, by its own fault or its format's.

    Args:
        evidence: What it printed, or what became of the customers.
        why: A sentence that says why, and what to do.
    """

    evidence: str
    why: str


@dataclass(frozen=True)
class Target:
    """A target, as data.

    Args:
        name: Its short name, after which its pins and its environment are named.
        package: Its name in the package index.
        program: Its program in its environment.
        place: Where it writes.
        settings: Its settings, save those that say where.
        tap: The settings of the tap that it needs.
        environment: Variables that it needs.
        faults: What it does not do.
        notes: What else is to be known.
        venv: Its environment, where it is not one of `make targets`.
        prefix: A program of its environment that runs it, with its arguments.
        is_tried_in_part: Whether what stands in for its service can't do all.
        mapper: A program that the messages go through first, and its settings.
    """

    name: str
    package: str
    program: str
    place: Place
    settings: Settings = field(default_factory=dict)
    tap: Settings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notes: str = ""
    venv: Path | None = None
    prefix: tuple[str, ...] = ()
    is_tried_in_part: bool = False
    mapper: tuple[Path, Settings] | None = None

    @property
    def pins(self) -> Path:
        """The file with its version, and those of what it needs."""
        if self.venv and not self.mapper:
            return ROOT / f"requirements/target-{self.name}.txt"
        return ROOT / f"requirements/targets/{self.name}.txt"

    @property
    def bin(self) -> Path:
        """The programs of its environment."""
        return (self.venv or VENVS / self.name) / "bin"

    def command(self, config: Path) -> list[str]:
        """Return its command line.

        Args:
            config: The file with its settings.
        """
        names = [*self.prefix[:1], self.program]
        programs = [str(self.bin / name) for name in names]
        programs[1:1] = self.prefix[1:]
        return [*programs, "--config", str(config)]
