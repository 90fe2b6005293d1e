"""Follows a page as its reader would, with nothing but what the page gives.

A block to save as a file begins with `<!-- file: NAME -->`, one to type into a shell
with `<!-- run: NAME -->`, a line for a crontab with `<!-- cron: NAME -->`, one that
shows what a program prints with `<!-- shows: NAME -->`, and one to add to a file that
there is with `<!-- add: NAME -->`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *ROOT.glob("docs/*.md"), ROOT / "examples/airflow/README.md")

CLONE = "tap-chartmogul-customers"

_BLOCK = re.compile(
    r"<!-- (file|run|cron|shows|add): (.+?) -->\n```\w+\n(.*?)```", re.DOTALL
)

# How this machine gets packages is its own affair, not the page's.
_PACKAGES = re.compile(r"(PIP|UV)_\w+|SSL_CERT_\w+|\w+_PROXY", re.IGNORECASE)
_INSTALLS = {
    # What is never imported need not be compiled.
    "PIP_COMPILE": "0",
    "PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser()),
    "UV_CACHE_DIR": str(Path("~/.cache/uv").expanduser()),
}


def blocks(page: Path) -> dict[str, str]:
    """Return the blocks of a page by name."""
    found = _BLOCK.findall(page.read_text("utf-8"))
    texts = {name: text for _, name, text in found}
    assert len(texts) == len(found), f"{page}: two blocks of one name"
    return texts


@dataclass(frozen=True)
class Reader:
    """Someone who follows a page in a shell, from their home folder on.

    Args:
        page: The page.
        home: Their home folder, with nothing in it but the clone that they made.
        fills_in: What the page leaves to them, and what they put there.
    """

    page: Path
    home: Path
    fills_in: Mapping[str, str]

    def on(self, page: str) -> Reader:
        """Return the same reader on another page."""
        return replace(self, page=ROOT / page)

    def text(self, name: str) -> str:
        """Return a block as they have it."""
        text = blocks(self.page)[name]
        for gap, filling in self.fills_in.items():
            text = text.replace(gap, filling)
        return text

    def save(self, *names: str) -> None:
        """Save blocks as files of their names, where the shell stands."""
        for name in names:
            (self.folder / name).write_text(self.text(name), "utf-8")

    def type(self, *names: str, code: int = 0) -> str:
        """Type blocks into the shell, which end with a code; return what they print."""
        ended, output = self._end(*self._typed(*names))
        assert ended == code, output
        return output

    @contextmanager
    def typing(self, name: str) -> Iterator[Path]:
        """Type a block that runs until Ctrl-C; yields the file of what it prints."""
        output = self.home / f".{name}"
        with (
            output.open("w") as stream,
            self._started(*self._typed(name), stream) as it,
        ):
            family = psutil.Process(it.pid)
            try:
                yield output
            finally:
                processes = [family, *family.children(recursive=True)]
                os.killpg(it.pid, signal.SIGINT)
                for survivor in psutil.wait_procs(processes, timeout=60)[1]:
                    survivor.kill()

    def _typed(self, *names: str) -> tuple[list[str], str]:
        script = "\n".join(map(self.text, names))
        resume = "[ ! -e ~/.session ] || . ~/.session"
        keep = '{ export -p; printf "cd %q" "$PWD"; } > ~/.session'
        python = Path(sys.base_prefix) / "bin"
        path = f"{self.home / '.local/bin'}:{python}:/usr/bin:/bin"
        return ["bash", "-ec", f"{resume}\n{script}\n{keep}"], path

    def cron(self, name: str) -> tuple[int, str]:
        """Run a crontab's line as cron would, and return its exit code and output."""
        (line,) = self.text(name).splitlines()
        command = line.split(maxsplit=5)[5]
        return self._end(["/bin/sh", "-c", command], "/usr/bin:/bin")

    @property
    def folder(self) -> Path:
        """Where the shell stands."""
        session = self.home / ".session"
        if not session.exists():
            return self.home
        return Path(session.read_text().rpartition("\ncd ")[2])

    def _end(self, command: list[str], path: str) -> tuple[int, str]:
        with self._started(command, path, subprocess.PIPE) as process:
            output, _ = process.communicate()
        return process.returncode, output

    def _started(
        self, command: list[str], path: str, output: int | IO[str]
    ) -> subprocess.Popen[str]:
        packages = {k: v for k, v in os.environ.items() if _PACKAGES.fullmatch(k)}
        return subprocess.Popen(
            command,
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": path, **_INSTALLS, **packages},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )


def clone(home: Path) -> Path:
    """Clone this repository as it is now, changes included."""
    folder = home / CLONE
    listed = subprocess.run(
        [*_git(ROOT), "ls-files", "-zco", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run([*_git(folder), "init", "--quiet"], check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commit all that is new or changed in a clone."""
    for command in ("add --all", "commit --quiet --message=All"):
        subprocess.run([*_git(folder), *command.split()], check=True)


def changed(folder: Path) -> str:
    """Return the files of a clone that git would take for new or changed."""
    status = [*_git(folder), "status", "--porcelain"]
    return subprocess.run(status, capture_output=True, text=True, check=True).stdout


def _git(folder: Path) -> list[str]:
    author = ("-c", "user.name=reader", "-c", "user.email=reader@example.com")
    return ["git", "-C", str(folder), *author]
