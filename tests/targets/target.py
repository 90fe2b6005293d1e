"""What is to be known of a target to load into it and to read back what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tests.targets.comparison import ROUNDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from tests.targets.comparison import Row

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".venv-targets"

FLAT = {"flattening_enabled": True, "flattening_max_depth": 1}
"""The settings of the tap for targets that hold no objects."""

UNCHECKED = {"validate_records": False}
"""The setting of the SDK's targets that saves a check of what the tap has checked."""

Settings: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Destination:
    """Where a target writes, of one scenario alone.

    Args:
        settings: The settings that tell a target of it.
        rows: Reads what it holds, in the order in which it came.
        environment: Variables that tell a target of it.
    """

    settings: Settings
    rows: Callable[[], list[Row]]
    environment: Mapping[str, str] = field(default_factory=dict)


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


FLOATS = Fault(
    ROUNDED,
    "It makes floats of decimals, by `json.loads`. What is flattened is text to it, "
    "and keeps every digit.",
)
NO_VERSION = Fault("Unknown message type ACTIVATE_VERSION", "It knows no such message.")


class Venv(NamedTuple):
    """An environment.

    Args:
        folder: Where it is.
        pins: The file with the versions in it.
    """

    folder: Path
    pins: Path

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.folder / "bin" / name)


def venv(name: str) -> Venv:
    """Return one of the environments of `make targets`."""
    return Venv(VENVS / name, ROOT / f"requirements/targets/{name}.txt")


def loader(name: str) -> Venv:
    """Return an environment of Meltano's."""
    folder = ROOT / f".meltano/loaders/target-{name}/venv"
    return Venv(folder, ROOT / f"requirements/target-{name}.txt")


@dataclass(frozen=True)
class Target:
    """A target, as data.

    Args:
        name: Its short name.
        package: Its name in the package index.
        venv: Its environment.
        program: Its program in its environment.
        place: Where it writes.
        settings: Its settings, save those that say where.
        tap: The settings of the tap that it needs.
        environment: Variables that it needs.
        faults: What it does not do.
        notes: What else is to be known.
        prefix: A program of its environment that runs it, with its arguments.
        is_tried_in_part: Whether what stands in for its service can't do all.
        mapper: The environment, the program and the settings of what the messages go
            through first; the package is the mapper's, then.
    """

    name: str
    package: str
    venv: Venv
    program: str
    place: Place
    settings: Settings = field(default_factory=dict)
    tap: Settings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notes: str = ""
    prefix: tuple[str, ...] = ()
    is_tried_in_part: bool = False
    mapper: tuple[Venv, str, Settings] | None = None

    @property
    def pins(self) -> Path:
        """The file with the version of its package."""
        return self.mapper[0].pins if self.mapper else self.venv.pins

    def command(self, config: Path) -> list[str]:
        """Return its command line.

        Args:
            config: The file with its settings.
        """
        runner, *arguments = self.prefix or [""]
        words = [self.venv.program(runner), *arguments] if runner else []
        return [*words, self.venv.program(self.program), "--config", str(config)]
