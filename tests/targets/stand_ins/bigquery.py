"""What z3-target-bigquery asks of BigQuery's REST interface with `method: batch_job`.

It keeps the rows of load jobs, refuses a file that does not fit the schema of its
table, and merges by `uuid`. What BigQuery makes of JSON inside is not to be seen here.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.targets.serving import Answer, serve

if TYPE_CHECKING:
    from collections.abc import Callable

MERGE = re.compile(r"MERGE `\w+\.(.+?)` AS target USING `\w+\.(.+?)`")
INT64 = range(-(2**63), 2**63)
TAKES: dict[str, Callable[[Any], object]] = {
    "INTEGER": lambda value: type(value) is int and value in INT64,
    "FLOAT": lambda value: not isinstance(value, str),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "STRING": lambda value: isinstance(value, str),
    "TIMESTAMP": datetime.fromisoformat,
    "JSON": lambda _: True,
}
"""What tells whether a column of a type takes a value."""

tables: dict[str, list[bytes]] = {}
"""The rows of tables, as they came."""
jobs: dict[str, dict[str, Any]] = {}


def answer(method: str, path: str, body: bytes) -> Answer:
    """Do what is asked for, and say what came of it."""
    *_, dataset, kind, name = f"--/{urlsplit(path).path}".split("/")
    table = f"{dataset}.{name}"
    match method, kind, name:
        case "GET", "rows", _:
            return Answer(b"\n".join(tables.get(f"{name}.customers", [])))
        case "GET", "tables", _ if table not in tables:
            return Answer(b"{}", 404)
        case "GET", "datasets" | "tables", _:
            named = {"projectId": "-", "datasetId": "-", "tableId": "-"}
            found = {"datasetReference": named, "tableReference": named}
            return Answer(json.dumps(found).encode())
        case "POST", _, "tables":
            tables[full(json.loads(body)["tableReference"])] = []
            return Answer(body)
        case "POST", _, "jobs":
            job = json.loads(body) | {"status": {"state": "DONE"}, "jobComplete": True}
            name = job["jobReference"]["jobId"]
            jobs[name] = job
            if query := job["configuration"].get("query"):
                merge(query["query"])
        case "PUT", "load", _:
            load(jobs[name], gzip.decompress(body))
    return Answer(json.dumps(jobs[name]).encode(), location=f"/load/{name}")


def full(reference: dict[str, str]) -> str:
    """Return the name of a table with that of its data set."""
    return f"{reference['datasetId']}.{reference['tableId']}"


def load(job: dict[str, Any], file: bytes) -> None:
    """Add a file to a table, if each row fits the schema."""
    options = job["configuration"]["load"]
    takes = {
        field["name"]: TAKES[field["type"].upper()]
        for field in options["schema"]["fields"]
    }
    lines = file.splitlines()
    cells = [cell for line in lines for cell in json.loads(line).items()]
    if all(value is None or takes[name](value) for name, value in cells):
        tables[full(options["destinationTable"])] += lines
    else:
        error = {"reason": "invalid", "message": "a row does not fit the schema"}
        job["status"]["errorResult"] = error


def merge(query: str) -> None:
    """Put the rows of a table in place of those of another, or beside them."""
    ((target, source),) = MERGE.findall(query)
    lines = tables[target] + tables.pop(source)
    tables[target] = [*{json.loads(line)["uuid"]: line for line in lines}.values()]


serve(answer)
