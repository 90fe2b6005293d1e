"""Files that targets write, in a folder or on S3, and how they are read back."""

from __future__ import annotations

import csv
import gzip
import itertools
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote
from xml.etree import ElementTree as ET

import requests

from tests.targets.comparison import read_json
from tests.targets.serving import running, started_once
from tests.targets.target import Destination, venv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Place, Settings, Venv

BEYOND = "beyond the head"
"""The column of what a row has more than the head of its file."""

Read: TypeAlias = "Callable[[Path], list[Row]]"
"""Reads one file."""


def files(read: Read, named: Callable[[Path], Settings]) -> Place:
    """Make a place of a folder.

    Args:
        read: What reads a file of it; the oldest file comes first.
        named: The settings that say where, from the folder.
    """

    @contextmanager
    def place(folder: Path) -> Iterator[Destination]:
        written = folder / "written"
        written.mkdir()

        def rows() -> list[Row]:
            paths = [path for path in written.rglob("*") if path.is_file()]
            paths.sort(key=lambda path: path.stat().st_mtime_ns)
            return [row for path in paths for row in read(path)]

        yield Destination(named(written), rows)

    return place


_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""

_s3 = started_once(partial(running, venv("moto").program("python"), "-c", _MOTO))

_SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=key/-/us-east-1/s3/-"}
"""What moto takes for a signature."""


def objects(read: Read, named: Callable[[str, str], Settings]) -> Place:
    """Make a place of a bucket on S3, which is moto.

    Args:
        read: What reads an object of it; the oldest comes first.
        named: The settings that say where, from the service's address and the bucket.
    """

    @contextmanager
    def place(folder: Path) -> Iterator[Destination]:
        address, bucket = _s3(), f"target-{next(_numbers)}"
        requests.put(f"{address}/{bucket}", timeout=60).raise_for_status()

        def get(key: str = "") -> bytes:
            where = f"{address}/{bucket}/{quote(key)}"
            found = requests.get(where, headers=_SIGNED, timeout=60)
            found.raise_for_status()
            return found.content

        def rows() -> list[Row]:
            listed = ET.fromstring(get()).findall("{*}Contents")  # noqa: S314
            objects = sorted(
                (each.findtext("{*}LastModified", ""), each.findtext("{*}Key", ""))
                for each in listed
            )
            path, found = folder / "object", []
            for _, key in objects:
                path.write_bytes(get(key))
                found += read(path)
            return found

        yield Destination(named(address, bucket), rows)

    return place


_numbers = itertools.count(1)


def json_lines(path: Path) -> list[Row]:
    """Read a file with an object on each line, which may be compressed."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return [read_json(line) for line in content.splitlines()]


def singer_records(path: Path) -> list[Row]:
    """Read a file of Singer's messages."""
    messages = json_lines(path)
    return [each["record"] for each in messages if each["type"] == "RECORD"]


def csv_rows(path: Path) -> list[Row]:
    """Read a file with a head and a row for each customer."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, restkey=BEYOND, strict=True))


def printed(python: str, script: str, *arguments: str) -> list[Row]:
    """Run a script in an environment, and return the rows that it prints as JSON."""
    command = [python, "-c", script, *arguments]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return [read_json(line) for line in lines.splitlines()]


def printed_by(venv: Venv, script: str) -> Read:
    """Read a file by a script, given the file, in an environment that knows its format.

    Args:
        venv: The environment.
        script: It prints each row of the file as JSON.
    """
    return lambda path: printed(venv.program("python"), script, str(path))
