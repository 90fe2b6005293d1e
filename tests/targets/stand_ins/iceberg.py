"""Iceberg's REST interface to the catalog that PyIceberg keeps in SQLite.

The folder for catalog and tables is given.
"""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

from pyiceberg.catalog.sql import SqlCatalog  # type: ignore[import-not-found]
from pyiceberg.exceptions import (  # type: ignore[import-not-found]
    NoSuchTableError,
)
from pyiceberg.schema import Schema  # type: ignore[import-not-found]
from pyiceberg.table import CommitTableRequest  # type: ignore[import-not-found]

from tests.targets.serving import Answer, serve

FOLDER = sys.argv[1]
CATALOG = SqlCatalog(
    "lake", uri=f"sqlite:///{FOLDER}/catalog.db", warehouse=f"file://{FOLDER}"
)


def answer(method: str, path: str, body: bytes) -> Answer:
    """Do what the catalog's client asks for, of what target-s3tables needs."""
    parts = urlsplit(path).path.split("/")
    sent = json.loads(body or "{}")
    match method, parts[-1], parts[-2]:
        case "GET", "config", _:
            return Answer(b'{"defaults": {}, "overrides": {}}')
        case "POST", "namespaces", _:
            CATALOG.create_namespace(tuple(sent["namespace"]))
            return Answer(body)
        case "POST", "tables", namespace:
            table = CATALOG.create_table(
                (namespace, sent["name"]), Schema.model_validate(sent["schema"])
            )
        case _, name, _:
            try:
                table = CATALOG.load_table((parts[-3], name))
            except NoSuchTableError:
                error = {"message": name, "type": "NoSuchTableException", "code": 404}
                return Answer(json.dumps({"error": error}).encode(), 404)
            if method == "POST":
                commit = CommitTableRequest.model_validate_json(body)
                CATALOG.commit_table(table, commit.requirements, commit.updates)
                table = table.refresh()
    metadata = table.metadata.model_dump_json()
    location = json.dumps(table.metadata_location)
    said = f'{{"metadata-location": {location}, "metadata": {metadata}}}'
    return Answer(said.encode())


serve(answer)
