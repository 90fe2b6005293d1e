"""ClickHouse's HTTP interface to chDB, its engine as a library; the folder is given."""

from __future__ import annotations

import sys
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session  # type: ignore[import-not-found]

from tests.targets.serving import Answer, serve

SESSION = Session(sys.argv[1])
# What it would do soon after, and out of sight, it does before it answers.
SESSION.query("SET mutations_sync = 1")


def answer(_: str, path: str, body: bytes) -> Answer:
    """Run a statement in the database that the query of the address names."""
    (database,) = parse_qs(urlsplit(path).query)["database"]
    try:
        SESSION.query(f"USE {database}")
        rows = SESSION.query(body.decode(), "TabSeparatedWithNamesAndTypes")
        return Answer(rows.bytes())
    except RuntimeError as error:
        return Answer(str(error).encode(), 500)


serve(answer)
