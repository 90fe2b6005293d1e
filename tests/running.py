"""The tap as a program, run the way a pipeline runs it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests import forks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox import Sandbox

TAP = [sys.executable, "-m", "tap_chartmogul_customers"]

OUTPUT = "output.jsonl"
"""The file, in its folder, that the tap's messages are kept in."""

Message = dict[str, Any]


def parse(output: bytes) -> list[Message]:
    """Read whole lines of messages; a line that is cut fails."""
    assert not output or output.endswith(b"\n"), output[-200:]
    return [json.loads(line, parse_float=Decimal) for line in io.BytesIO(output)]


def cursor_in(state: dict[str, Any]) -> str | None:
    """Return where the unfinished sync in a state resumes, if it is one range."""
    (part,) = state["bookmarks"]["customers"]["ranges"] or [{}]
    cursor: str | None = part.get("cursor")
    return cursor


@dataclass(frozen=True)
class Run:
    """What a run of the tap came to."""

    code: int
    messages: list[Message]
    log: str

    def of_type(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [message["record"] for message in self.of_type("RECORD")]

    @property
    def uuids(self) -> list[str]:
        return [record["uuid"] for record in self.records]

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        state: dict[str, Any] = self.of_type("STATE")[-1]["value"]
        return state

    @property
    def resume(self) -> dict[str, Any] | None:
        """The unfinished sync in the last state."""
        bookmark: dict[str, Any] = self.state["bookmarks"]["customers"]
        return bookmark if bookmark["ranges"] else None

    @property
    def cursor(self) -> str | None:
        """Where the unfinished sync in the last state resumes, if it is one range."""
        return cursor_in(self.state)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if "| ERROR " in line]

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.log.splitlines() if "| WARNING " in line]


def as_written(value: object) -> bytes:
    """Return what a file holds: text as it is, any other value as JSON."""
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    return text.encode() if isinstance(text, str) else text


@dataclass(frozen=True)
class Tap:
    """The tap as a program, with a sandbox as its API and a folder for its files."""

    sandbox: Sandbox
    folder: Path
    first_wait: float = 0
    """Seconds before a request is tried again; not in a `command`."""

    def command(
        self,
        *arguments: str,
        state: object = None,
        catalog: object = None,
        **settings: object,
    ) -> list[str]:
        """Write the files of a run and return its command line."""
        config = {
            "api_key": self.sandbox.api_key,
            "api_url": self.sandbox.url,
            **settings,
        }
        command = [*TAP]
        files = {"config": config, "state": state, "catalog": catalog}
        for name, value in files.items():
            if value is not None:
                path = self.folder / f"{name}.json"
                path.write_bytes(as_written(value))
                command += [f"--{name}", str(path)]
        return [*command, *arguments]

    def run(self, *arguments: str, **options: Any) -> Run:
        """Run the tap to its end; the options are those of `command`."""
        return self.run_plain(*self.command(*arguments, **options)[len(TAP) :])

    def run_plain(self, *arguments: str) -> Run:
        """Run the tap to its end with these arguments and no others."""
        code, log = self._end(arguments)
        return Run(code, parse((self.folder / OUTPUT).read_bytes()), log)

    def output(self, *arguments: str, **options: Any) -> str:
        """Run the tap, which must do well, and return what it printed."""
        code, log = self._end(self.command(*arguments, **options)[len(TAP) :])
        assert code == 0, log
        return (self.folder / OUTPUT).read_text("utf-8")

    def _end(self, arguments: Sequence[str]) -> tuple[int, str]:
        output, log = self.folder / OUTPUT, self.folder / "tap.log"
        code = forks.run(forks.TAP, arguments, output, log, first_wait=self.first_wait)
        return code, log.read_text()
