"""What is to be known of a target to load into it and to read back what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.targets.comparison import Row

ROOT = Path(__file__).parents[2]

FLAT = {"flattening_enabled": True, "flattening_max_depth": 1}
"""The settings of the tap for targets that hold no objects."""

Settings: TypeAlias = dict[str, Any]


class Destination(NamedTuple):
    """Where a target writes, of one scenario alone.

    Attributes:
        settings: The settings that tell a target of it.
        rows: Reads what it holds, in the order in which it came.
        environment: Variables that tell a target of it.
    """

    settings: Settings
    rows: Callable[[], list[Row]]
    environment: Mapping[str, str] = {}


Place: TypeAlias = "Callable[[Path], Destination]"
"""Makes an empty destination, given a folder whose name no other one has."""


def venv(name: str) -> Path:
    """Return one of the environments of `make targets`."""
    return ROOT / ".venv-targets" / name


def loader(name: str) -> Path:
    """Return an environment of Meltano's."""
    return ROOT / f".meltano/loaders/target-{name}/venv"


@dataclass
class Target:
    """A target, as data.

    Attributes:
        name: Its short name.
        package: Its name in the package index.
        place: Where it writes.
        venv: Its environment, if it is not the one of its name.
        program: Its program in its environment, if it is not named like its package.
        settings: Its settings, save those that say where.
        tap: The settings of the tap that it needs.
        environment: Variables that it needs.
        faults: What it does not do, by its own fault or its format's: what it printed
            or what became of the customers, and a sentence that says why.
        notes: What else is to be known.
        run: How the shell runs it, where its command line is not all.
        is_tried_in_part: Whether what stands in for its service can't do all.
    """

    name: str
    package: str
    place: Place
    venv: Path = Path()
    program: str = ""
    settings: Settings = field(default_factory=dict)
    tap: Settings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    run: str = '"$@"'
    is_tried_in_part: bool = False

    def __post_init__(self) -> None:
        if not self.venv.name:
            self.venv = venv(self.name)
        self.program = self.program or self.package
