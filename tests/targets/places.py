"""Where targets write: files, databases, and what stands in for services."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from functools import cache, partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote
from xml.etree import ElementTree as ET

import requests

from tests.postgres import Database, postgres
from tests.targets.comparison import read_json
from tests.targets.serving import servers, started
from tests.targets.target import Destination, venv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.targets.comparison import Row
    from tests.targets.target import Place, Settings

Read: TypeAlias = "Callable[[Path], list[Row]]"
"""Reads one file."""


def json_lines(path: Path) -> list[Row]:
    """Read a file with an object on each line, which may be compressed."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return [read_json(line) for line in content.splitlines()]


def singer_records(path: Path) -> list[Row]:
    messages = json_lines(path)
    return [each["record"] for each in messages if each["type"] == "RECORD"]


def csv_rows(path: Path) -> list[Row]:
    """Read a file with a head and a row for each customer."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, restkey="beyond the head", strict=True))


def printed(venv: Path, script: str, *arguments: object) -> list[Row]:
    """Run a script in an environment, and return the rows that it prints as JSON."""
    command = [str(venv / "bin/python"), "-c", script, *map(str, arguments)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return [read_json(line) for line in lines.splitlines()]


def files(read: Read, named: Callable[[Path], Settings]) -> Place:
    """Make a place of a folder, whose files are read from the oldest on."""

    def place(folder: Path) -> Destination:
        written = folder / "written"
        written.mkdir()

        def rows() -> list[Row]:
            paths = [path for path in written.rglob("*") if path.is_file()]
            paths.sort(key=lambda path: path.stat().st_mtime_ns)
            return [row for path in paths for row in read(path)]

        return Destination(named(written), rows)

    return place


MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=key/-/us-east-1/s3/-"}
"""What moto takes for a signature."""


@cache
def s3() -> str:
    """Start moto, which stands in for S3."""
    return started(str(venv("moto") / "bin/python"), "-c", MOTO)


def objects(read: Read, named: Callable[[str, str], Settings]) -> Place:
    """Make a place of a bucket on S3, whose objects are read from the oldest on."""

    def place(folder: Path) -> Destination:
        address, bucket = s3(), folder.name
        requests.put(f"{address}/{bucket}", timeout=60).raise_for_status()

        def get(key: str = "") -> bytes:
            where = f"{address}/{bucket}/{quote(key)}"
            return requests.get(where, headers=SIGNED, timeout=60).content

        def rows() -> list[Row]:
            listed = ET.fromstring(get()).findall("{*}Contents")  # noqa: S314
            path, found = folder / "object", []
            for _, key in sorted(
                (each.findtext("{*}LastModified", ""), each.findtext("{*}Key", ""))
                for each in listed
            ):
                path.write_bytes(get(key))
                found += read(path)
            return found

        return Destination(named(address, bucket), rows)

    return place


@cache
def server() -> Database:
    return servers.enter_context(postgres())


def database(named: Callable[[Database], Settings]) -> Place:
    """Make a place of a database, whose time zone is not UTC."""

    def place(folder: Path) -> Destination:
        own = server().copy(folder.name)
        own.execute(f"ALTER DATABASE {own.name} SET timezone TO 'Asia/Kolkata'")
        return Destination(named(own), partial(own.execute, "TABLE public.customers"))

    return place


@cache
def stand_in(name: str) -> str:
    """Start a stand-in for a service, in the environment of its target."""
    folder = servers.enter_context(TemporaryDirectory())
    python, module = venv(name) / "bin/python", f"tests.targets.stand_ins.{name}"
    return started(str(python), "-m", module, folder)


def clickhouse(folder: Path) -> Destination:
    address, database = stand_in("clickhouse"), folder.name

    def run(statement: str, where: str) -> list[Row]:
        parameters = {"database": where}
        said = requests.post(address, params=parameters, data=statement, timeout=60)
        said.raise_for_status()
        return [read_json(line) for line in said.text.splitlines()]

    run(f"CREATE DATABASE {database}", "default")
    # In the order in which they came.
    rows = "SELECT * FROM customers ORDER BY _part, _part_offset FORMAT JSONEachRow"
    return Destination(
        {"sqlalchemy_url": f"clickhouse+http{address[4:]}/{database}"},
        partial(run, rows, database),
    )


ICEBERG_ROWS = """
import json, sys
from pyarrow import parquet
from pyiceberg.catalog.rest import RestCatalog
address, namespace = sys.argv[1:]
table = RestCatalog("lake", uri=address).load_table((namespace, "customers"))
for task in reversed([*table.scan().plan_files()]):  # the newest comes first
    rows = parquet.read_table(task.file.file_path.removeprefix("file://"))
    for row in rows.to_pylist(maps_as_pydicts="strict"):
        print(json.dumps(row, default=str))
"""


def iceberg(folder: Path) -> Destination:
    address, namespace = stand_in("iceberg"), folder.name
    return Destination(
        {"s3tables_uri": address, "namespace": namespace},
        partial(printed, venv("iceberg"), ICEBERG_ROWS, address, namespace),
        # Else the client waits for an address that only Amazon's machines have.
        {"AWS_EC2_METADATA_DISABLED": "true"},
    )


def bigquery(folder: Path) -> Destination:
    """Make a data set of what stands in for BigQuery."""
    key = {
        **dict.fromkeys(("client_id", "client_secret", "refresh_token", "token"), "-"),
        "type": "authorized_user",
        "expiry": "2999-01-01T00:00:00Z",  # so that no other token is asked for
    }
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(key))
    address, dataset = stand_in("bigquery"), folder.name

    def rows() -> list[Row]:
        lines = requests.get(f"{address}/rows/{dataset}", timeout=60).text.splitlines()
        # Its default is one column of JSON for all.
        return [row.get("data", row) for row in map(read_json, lines)]

    return Destination(
        {"project": "project", "dataset": dataset},
        rows,
        {
            "BIGQUERY_EMULATOR_HOST": address,
            "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        },
    )
