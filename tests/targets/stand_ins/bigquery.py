"""What z3-target-bigquery asks of BigQuery's REST interface with `method: batch_job`.

It keeps the rows of load jobs, refuses a file that does not fit the schema of its
table, and merges by `uuid`. What BigQuery makes of JSON inside is not to be seen here.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.targets.comparison import Row, read_json
from tests.targets.serving import Answer

PROJECT, DATASET = "project", "dataset"

_MERGE = re.compile(r"MERGE `[^`]*?(\w+)` AS target USING `\w+\.\w+\.([^`]+)`")
_INT64 = range(-(2**63), 2**63)


class BigQuery:
    """A data set; `answer` answers requests."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {}
        self._jobs: dict[str, dict[str, Any]] = {}

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Do what is asked for, and say what came of it."""
        *_, kind, name = urlsplit(path).path.split("/")
        match method, kind, name:
            case "GET", "tables", _ if name not in self.tables:
                return Answer(b"{}", 404)
            case "GET", "datasets" | "tables", _:
                named = {"projectId": PROJECT, "datasetId": DATASET, "tableId": name}
                found = {"datasetReference": named, "tableReference": named}
                return Answer(json.dumps(found).encode())
            case "POST", _, "tables":
                self.tables[json.loads(body)["tableReference"]["tableId"]] = []
                return Answer(body)
            case "POST", _, "jobs":
                job = json.loads(body)
                job_id = job["jobReference"]["jobId"]
                self._jobs[job_id] = job = job | {"status": {"state": "DONE"}}
                if query := job["configuration"].get("query"):
                    self._merge(query["query"])
                return Answer(json.dumps(job).encode(), location=f"/load/{job_id}")
            case "PUT", "load", _:
                self._load(self._jobs[name], gzip.decompress(body))
            case "GET", "queries", _:
                job = self._jobs[name]
                return Answer(json.dumps(job | {"jobComplete": True}).encode())
        return Answer(json.dumps(self._jobs[name]).encode())

    def _load(self, job: dict[str, Any], file: bytes) -> None:
        load = job["configuration"]["load"]
        rows = [*map(read_json, file.splitlines())]
        record = {"type": "RECORD", "fields": load["schema"]["fields"]}
        if all(fits(record, row) for row in rows):
            self.tables[load["destinationTable"]["tableId"]] += rows
        else:
            error = {"reason": "invalid", "message": "a row does not fit the schema"}
            job["status"]["errorResult"] = error

    def _merge(self, query: str) -> None:
        (found,) = _MERGE.findall(query)
        target, source = found
        rows = {row["uuid"]: row for row in self.tables[target]}
        rows |= {row["uuid"]: row for row in self.tables.pop(source)}
        self.tables[target] = [*rows.values()]


def fits(field: dict[str, Any], value: Any) -> bool:  # noqa: PLR0911 (one a type)
    """Tell whether a column, as BigQuery's REST interface has it, takes a value."""
    if field.get("mode") == "REPEATED":
        one = field | {"mode": "NULLABLE"}
        return isinstance(value, list) and all(i and fits(one, i) for i in value)
    if value is None:
        return True
    match field["type"].upper():
        case "RECORD":
            fields = {each["name"]: each for each in field["fields"]}
            return isinstance(value, dict) and all(
                fits(fields[key], value[key]) for key in value.keys() & fields.keys()
            )
        case "INTEGER" | "INT64":
            return type(value) is int and value in _INT64
        case "FLOAT":
            return not isinstance(value, str)
        case "BOOLEAN":
            return isinstance(value, bool)
        case "TIMESTAMP":
            return _is_a_time(value)
        case "STRING":
            return isinstance(value, str)
    return True


def _is_a_time(value: str) -> bool:
    try:
        return bool(datetime.fromisoformat(value))
    except ValueError:
        return False
