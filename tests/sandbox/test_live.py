"""`make live` tells an API that is as assumed from one that is not, and no more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from sandbox import API_KEY, Sandbox, faults, generate_customers, stale
from sandbox.live import ASSUMPTIONS, FIELDS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.running import Tap

CUSTOMERS = generate_customers(60)
IN_ORDER = Sandbox(CUSTOMERS).customers
FIRST = IN_ORDER[0]


class Told(NamedTuple):
    code: int
    output: str
    error: str

    def rows(self, verdict: str) -> set[str]:
        """Return the assumptions with this verdict."""
        row = re.compile(r"^\| (.*?) *\| (.*?) *\| .*\|$", re.MULTILINE)
        return {what for said, what in row.findall(self.output) if said == verdict}


def ask(url: str, api_key: str, folder: Path | str) -> Told:
    ended = subprocess.run(
        # As a file, without the sandbox, which takes longest to import.
        [sys.executable, "-P", ROOT / "sandbox/live.py"],
        cwd=folder,
        env={**os.environ, "API_KEY": api_key, "API_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return Told(ended.returncode, ended.stdout, ended.stderr)


def texts(value: Any) -> Iterator[str]:
    """Yield all that can be read in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def shows_nothing_of(sandbox: Sandbox, told: Told) -> None:
    shown = told.output + told.error
    assert sandbox.api_key not in shown
    for what in ASSUMPTIONS:
        shown = shown.replace(what, "")
    customers = sandbox.customers
    own_names = {name for c in customers for name in c["attributes"].get("custom", ())}
    for text in own_names.union(texts(customers)):
        # Small numbers are counts, too, and one text is the name of a field.
        if text in {"", "stripe"} or re.fullmatch(r"\d{1,4}(\.0)?", text):
            continue
        if text in shown:
            assert not re.search(rf"(?<!\w){re.escape(text)}(?!\w)", shown), text


def test_the_sandbox_is_as_assumed_for_as_long_as_its_cursors_stay_good(
    tmp_path: Path,
) -> None:
    kept = tmp_path / ".cache/live.json"
    with Sandbox(CUSTOMERS) as sandbox:

        def call() -> Told:
            told = ask(sandbox.url, sandbox.api_key, tmp_path)
            shows_nothing_of(sandbox, told)
            assert told.error == ""
            return told

        told = call()
        assert told.code == 0
        assert told.rows("cannot tell") == full(["A cursor stays good"])
        assert "one is kept from now on; call again tomorrow" in told.output
        assert len(told.rows("holds")) == len(ASSUMPTIONS) - 1
        assert "Pages read one after another: 5, the whole account." in told.output
        assert all(b.time - a.time > 0.05 for a, b in pairwise(sandbox.requests))
        assert len({seen.connection for seen in sandbox.requests}) == 1
        assert len(sandbox.requests) < 30

        of_yesterday = json.loads(kept.read_text())
        assert sandbox.api_key not in kept.read_text()
        assert not set(texts(of_yesterday)) & set(texts(IN_ORDER))
        of_yesterday["time"] -= 90_000
        kept.write_text(json.dumps(of_yesterday))
        told = call()
        assert told.code == 0
        assert told.rows("holds") == set(ASSUMPTIONS)
        assert "after 25.0 hours: 200, 12 of 12 are there" in told.output
        assert json.loads(kept.read_text()) == of_yesterday

        for reading, says in (
            (stale.refused, "400, 0 of 12"),
            (stale.end, "200, 0 of 12"),
        ):
            sandbox.age_cursors(reading)
            told = call()
            assert told.code == 1
            assert told.rows("BROKEN") == full(["A cursor stays good"])
            assert f"hours: {says} are there" in told.output
            assert json.loads(kept.read_text())["time"] > time.time() - 60


def test_a_large_account_is_not_read_whole(tmp_path: Path) -> None:
    with Sandbox(generate_customers(2_100)) as sandbox:
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
        shows_nothing_of(sandbox, told)
    assert told.code == 0
    assert told.rows("cannot tell") == full(["A cursor stays good"])
    assert "10, the first of the account, and a whole data source." in told.output
    assert len(sandbox.requests) < 50


def edited(change: Callable[[dict[str, Any]], dict[str, Any]]) -> faults.Fault:
    """Change fields of a page."""
    return faults.page(lambda body: body | change(body))


def with_entries(entries: list[Any]) -> faults.Fault:
    return faults.with_values(entries=entries)


Rule = tuple["Callable[[dict[str, str]], Any]", faults.Fault]


def scripted(sandbox: Sandbox, *rules: Rule) -> None:
    """Meet each query with the fault of the first rule that fits it."""
    sandbox.script(
        lambda seen: next((fault for fits, fault in rules if fits(seen.query)), None)
    )


def on(**query: str) -> Callable[[dict[str, str]], bool]:
    return lambda asked: query.items() <= asked.items()


def with_cursor(query: dict[str, str]) -> bool:
    """Tell whether it is asked for a page of the account behind its first."""
    return "cursor" in query and query.get("per_page") == "12"


def used_before() -> Callable[[dict[str, str]], bool]:
    asked: list[dict[str, str]] = []

    def is_known(query: dict[str, str]) -> bool:
        asked.append(query)
        return with_cursor(query) and query in asked[:-1]

    return is_known


def by_date(customers: list[Any], *, first: bool) -> list[Any]:
    """Put those with a date first or last, as they are, and the others backwards."""
    dated = [c for c in customers if c["customer-since"]]
    undated = [c for c in customers if not c["customer-since"]][::-1]
    return dated + undated if first else undated + dated


def no_form(sandbox: Sandbox) -> None:
    more = edited(lambda body: {"has_more": str(body["has_more"])})
    sandbox.script({3: faults.without("entries"), 4: more})


def no_way_on(sandbox: Sandbox) -> None:
    sandbox.script({3: faults.with_values(cursor=None)})


def overlap(sandbox: Sandbox) -> None:
    scripted(
        sandbox,
        (
            with_cursor,
            edited(lambda body: {"entries": [*body["entries"], *body["entries"][:1]]}),
        ),
    )


def gaps(sandbox: Sandbox) -> None:
    scripted(
        sandbox,
        (on(per_page="12"), edited(lambda body: {"entries": body["entries"][1:]})),
    )


def an_early_end(sandbox: Sandbox) -> None:
    scripted(sandbox, (with_cursor, faults.with_values(has_more=False)))


def no_order(sandbox: Sandbox) -> None:
    def mixed(body: dict[str, Any]) -> dict[str, Any]:
        entries = by_date(body["entries"], first=True)
        entries[:2] = entries[1::-1]
        return {"entries": entries, "total_pages": 5}

    scripted(
        sandbox,
        (used_before(), faults.status(400)),
        (lambda query: query.get("per_page") == "12", edited(mixed)),
    )


def another_order(sandbox: Sandbox) -> None:
    def mixed(body: dict[str, Any]) -> dict[str, Any]:
        entries = by_date(body["entries"], first=False)
        return {"entries": entries} | ({} if body["has_more"] else {"cursor": None})

    scripted(
        sandbox,
        (used_before(), with_entries(IN_ORDER[:12])),
        (lambda query: "cursor" not in query, faults.without("page")),
        (with_cursor, edited(mixed)),
    )


def answers(sandbox: Sandbox) -> None:
    some = with_entries(IN_ORDER[:5])
    too_many = json.dumps({"entries": [{}] * 201}).encode()
    scripted(
        sandbox,
        (on(cursor="no-cursor"), faults.status(404, message=f"{FIRST} {API_KEY}")),
        (on(external_id="nobody-has-this-external-id"), some),
        (on(data_source_uuid="ds_00000000-0000-4000-8000-000000000000"), some),
        (on(status="No_Such_Status"), some),
        (on(system="No Such System"), faults.status(500)),
        (on(status="Past_Due"), faults.status(400)),
        (on(status="Qualified_Lead"), with_entries([])),
        (on(status="New_Lead"), with_entries(IN_ORDER)),
        (on(per_page="201"), faults.body(too_many)),
        (once(), faults.status(429, retry_after=0)),
    )


def once() -> Callable[[dict[str, str]], bool]:
    """Fit a status that nothing else is said of, the first time."""
    left = [True]
    return lambda query: (
        query.get("status") == "Cancelled" and bool(left and left.pop())
    )


def customers(sandbox: Sandbox) -> None:
    changes: list[dict[str, Any]] = [
        {"new_field": None, "Jane Doe": None, "status": "Frozen"},
        {"name": 5, "mrr": "3000", "arr": None, "owner": None},
        {"uuid": IN_ORDER[2]["uuid"], "external_ids": "34916129"},
        {
            "mrr": Decimal("3000.5"),
            "customer-since": IN_ORDER[3]["customer-since"][:10],
        },
        {"lead_created_at": "2015-11-07T01:20:00Z"},
        {"attributes": {"tags": "engage", "stripe": ["engage"], "hubspot": {}}},
        {"attributes": {"custom": {"key": {}}, "clearbit": []}},
        {"attributes": {"custom": ["engage"]}},
    ]
    for one, change in zip(IN_ORDER, changes, strict=False):
        sandbox.put(one | change)
    less = dict(IN_ORDER[20])
    del less["email"], less["website_url"]
    sandbox.put(less)


SAME = "200, 0 of 12 are there"
# What is broken: how each row that is to say so begins, and what it is to say.
BROKEN: dict[Callable[[Sandbox], None], dict[str, str]] = {
    no_form: {"A page has": "not so: `entries`, `has_more`"},
    no_way_on: {
        "A page has": "not so: `cursor`",
        "A page begins": "customers: 24, twice: 0, left out: 36",
    },
    overlap: {
        "A page begins": "customers: 64, twice: 4, left out: 0",
        "Customers come in": "the wrong way round: 3",
        "Customers without": "2, the wrong way round: 1",
    },
    gaps: {"A page begins": "customers: 55, twice: 0, left out: 5"},
    an_early_end: {
        "A page begins": "customers: 24, twice: 0, left out: 36",
        "`has_more` alone": "200, customers behind the last page: 12",
    },
    no_order: {
        "A page asked for": "not so: `total_pages`",
        "Customers come in": "neighbours of two dates",
        "Customers of one": "neighbours of one date",
        "A cursor leads": "400, 0 of 12 are there",
    },
    another_order: {
        "A page asked for": "not so: `page`",
        "The last page": "it has none",
        "Customers of one": "neighbours of one date",
        "Customers without": "the wrong way round: 1",
        "A cursor leads": "200, 0 of 12 are there",
    },
    answers: {
        "An empty result": "not so: `entries`",
        "A made-up cursor": "404, with code, message, param",
        "A filter with": "`external_id`, `data_source_uuid`, `status`, `system`",
        "`status` takes": "not so: `New_Lead`",
        "`per_page` above": "200, customers: 201",
        "Fewer than 20": "refused: 1 (429)",
    },
    customers: {
        "A customer has all": "not so: `email`",
        "A customer has no": "not so: `(odd)`, `attributes.hubspot`, `new_field`",
        "The fields have": "not so: `external_ids`, `mrr`, `name`",
        "`attributes` has": "not so: `stripe`, `tags`, `custom`",
        "`mrr` and `arr`": "not so: `mrr`",
        "A customer's status": "customers: 60, with another: 1",
        "`customer-since` ends": "not so: `customer-since`, `lead_created_at`",
    },
}


def broken(change: Callable[[Sandbox], None]) -> tuple[Told, Sandbox]:
    with Sandbox(CUSTOMERS) as sandbox, TemporaryDirectory() as folder:
        change(sandbox)
        return ask(sandbox.url, sandbox.api_key, folder), sandbox


@pytest.fixture(scope="module")
def all_broken() -> dict[Any, tuple[Told, Sandbox]]:
    """Ask them all at once, since each waits most of the time."""
    with ThreadPoolExecutor(len(BROKEN)) as pool:
        return dict(zip(BROKEN, pool.map(broken, BROKEN), strict=True))


@pytest.mark.parametrize("change", BROKEN)
def test_what_is_broken_is_told(
    change: Callable[[Sandbox], None],
    all_broken: dict[Any, tuple[Told, Sandbox]],
) -> None:
    told, sandbox = all_broken[change]
    assert (told.code, told.error) == (1, ""), told.output
    assert told.rows("BROKEN") == full(BROKEN[change]), told.output
    for row, says in BROKEN[change].items():
        (line,) = re.findall(
            rf"^\| BROKEN +\| {re.escape(row)}.*", told.output, re.MULTILINE
        )
        assert says in line
    shows_nothing_of(sandbox, told)


def full(begins: Iterable[str]) -> set[str]:
    """Return the assumptions that begin so, one for each."""
    found = [what for what in ASSUMPTIONS for begin in begins if what.startswith(begin)]
    assert len(found) == len(list(begins))
    return set(found)


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (faults.html(), "`entries`, `has_more`"),
        (faults.body(b"[]"), "`entries`, `has_more`"),
        (faults.without("entries"), "`entries`"),
        (faults.with_values(entries={"1": FIRST}), "`entries`"),
        (faults.with_values(entries=[FIRST, 1]), "`entries`"),
    ],
)
def test_what_is_no_page_at_all_is_told(
    tmp_path: Path, fault: faults.Fault, names: str
) -> None:
    with Sandbox(CUSTOMERS) as sandbox:
        sandbox.script(lambda _: fault)
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
    assert (told.code, told.error) == (1, "")
    assert full(["A page has"]) <= told.rows("BROKEN")
    assert f"not so: {names} " in told.output


class Between(BaseHTTPRequestHandler):
    """Passes requests on with other headers."""

    protocol_version = "HTTP/1.1"
    url: str
    more: dict[str, str]

    def do_GET(self) -> None:
        answer = requests.get(
            self.url + self.path, headers=dict(self.headers) | self.more, timeout=10
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def between(sandbox: Sandbox, **more: str) -> Iterator[str]:
    kind = type("Kind", (Between,), {"url": sandbox.url[: -len("/v1")], "more": more})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_any_key_is_let_in(tmp_path: Path) -> None:
    with Sandbox(CUSTOMERS) as sandbox:
        good = b64encode(f"{sandbox.api_key}:".encode()).decode()
        with between(sandbox, Authorization=f"Basic {good}") as url:
            told = ask(url, "any-key", tmp_path)
    # What stands between does not compress.
    assert told.rows("BROKEN") == full({"A wrong key", "Bodies are compressed"})
    assert told.code == 1


@pytest.mark.parametrize("before", ["{", "[]", '{"account": "another"}'])
def test_what_else_is_kept_is_left_alone(tmp_path: Path, before: str) -> None:
    kept = tmp_path / ".cache/live.json"
    kept.parent.mkdir()
    kept.write_text(before)
    with Sandbox(CUSTOMERS) as sandbox:
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
    assert told.rows("cannot tell") == full({"A cursor stays good"})
    assert len(json.loads(kept.read_text())["place"]) == 12


@pytest.mark.parametrize(("count", "untold"), [(0, 18), (1, 7)])
def test_what_a_small_account_does_not_show(
    tmp_path: Path, count: int, untold: int
) -> None:
    with Sandbox(generate_customers(count)) as sandbox:
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
    assert (told.code, told.error) == (0, "")
    assert not told.rows("BROKEN")
    assert len(told.rows("cannot tell")) == untold
    assert f"no {'second page' if count else 'customer'} was seen" in told.output


def test_what_a_large_account_does_not_show(tmp_path: Path) -> None:
    source = {
        "data_source_uuid": FIRST["data_source_uuid"],
        "data_source_uuids": [FIRST["data_source_uuid"]],
    }
    customers = [c | source for c in generate_customers(2_600)]
    customers.sort(key=lambda c: c["customer-since"] is None)
    with Sandbox(customers) as sandbox:
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
        shows_nothing_of(sandbox, told)
    assert told.code == 0
    assert "and no end" in told.output
    assert told.rows("cannot tell") == full(
        {"A cursor stays good", "Customers without"}
    )


def test_an_account_that_cannot_be_asked(tmp_path: Path) -> None:
    with Sandbox(CUSTOMERS) as sandbox:
        told = [
            ask(url, key, tmp_path)
            for url, key in (
                (sandbox.url, ""),
                (sandbox.url, "a-wrong-key…"),
                (f"{sandbox.url}/elsewhere", sandbox.api_key),
                ("http://example.com/v1", "a-key"),
            )
        ]
    told.append(ask(sandbox.url, "a-key", tmp_path))
    assert [(one.code, one.output) for one in told] == [(2, "")] * 5
    assert [one.error for one in told] == [
        "live: no API key: make live API_KEY=…\n",
        "live: answer 401: check API_KEY and API_URL\n",
        "live: answer 404: check API_KEY and API_URL\n",
        "live: API_URL must begin with https://, else others can read the key\n",
        "live: no answer (ConnectionError): check API_URL, try again\n",
    ]


def test_a_cursor_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("")
    with Sandbox(CUSTOMERS) as sandbox:
        told = ask(sandbox.url, sandbox.api_key, tmp_path)
    assert told.code == 2
    assert told.error == "live: cannot keep a cursor in .cache/live.json: File exists\n"


def test_make_live_shows_no_key(tmp_path: Path) -> None:
    for name in (".venv", "pyproject.toml", "requirements", "sandbox"):
        (tmp_path / name).symlink_to(ROOT / name)
    with Sandbox(CUSTOMERS) as sandbox:
        made = subprocess.run(
            [
                *("/usr/bin/make", "--file", ROOT / "Makefile", "live"),
                *(f"API_KEY={sandbox.api_key}", f"API_URL={sandbox.url}"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    told = Told(made.returncode, made.stdout, made.stderr)
    assert len(told.rows("holds")) == len(ASSUMPTIONS) - 1
    shows_nothing_of(sandbox, told)


def test_make_live_takes_no_key_from_the_environment() -> None:
    made = subprocess.run(
        ["/usr/bin/make", "--silent", "live"],
        cwd=ROOT,
        env={**os.environ, "API_KEY": "of-another-service"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "live: no API key" in made.stderr


def test_the_fields_are_those_of_the_tap(tap: Tap) -> None:
    (stream,) = json.loads(tap.output("--discover"))["streams"]
    columns = {name.replace("-", "_") for name in FIELDS}
    assert columns == stream["schema"]["properties"].keys()


def test_each_assumption_is_broken_once() -> None:
    said = {what for rows in BROKEN.values() for what in full(rows)}
    others = full(["Bodies are compressed", "A wrong key", "A cursor stays good"])
    assert said | others == set(ASSUMPTIONS)
