"""`make live` tells an API that is as assumed from one that is not, and no more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest

from sandbox import Sandbox, faults, generate_customers, live, stale
from sandbox.live import ASSUMPTIONS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.exchange import SeenRequest

CUSTOMERS = generate_customers(60)
IN_ORDER = Sandbox(CUSTOMERS).customers
FIRST = IN_ORDER[0]


class Told(NamedTuple):
    code: int
    output: str
    error: str

    def rows(self, verdict: str) -> dict[str, str]:
        """Return the assumptions with this verdict, each with what the service did."""
        row = re.compile(r"^\| (.*?) *\| (.*?) *\| (.*?) *\|$", re.MULTILINE)
        return {
            what: did for said, what, did in row.findall(self.output) if said == verdict
        }


Ask: TypeAlias = "Callable[[str, str], Told]"


@pytest.fixture
def ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Ask:
    """Ask as the program does, in a folder of its own, without waiting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live, "PAUSE", 0)

    def call(url: str, api_key: str) -> Told:
        monkeypatch.setenv("API_URL", url)
        monkeypatch.setenv("API_KEY", api_key)
        return Told(live.main(), *capsys.readouterr())

    return call


def asked(ask: Ask, sandbox: Sandbox) -> Told:
    """Ask, and check that the answer shows nothing of the account."""
    told = ask(sandbox.url, sandbox.api_key)
    assert told.error == ""
    shown = told.output
    assert sandbox.api_key not in shown
    for what in ASSUMPTIONS:
        shown = shown.replace(what, "")
    for text in set(texts(sandbox.customers)):
        # Small numbers are counts, too.
        if text in NAMES or re.fullmatch(r"\d{0,4}(\.0)?", text):
            continue
        if text in shown:
            assert not re.search(rf"(?<!\w){re.escape(text)}(?!\w)", shown), text
    return told


def texts(value: Any) -> Iterator[str]:
    """Yield all that can be read in a JSON value, names included."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


# Of fields, which may be shown; msgspec calls the page `$`.
NAMES = {*FIRST, *FIRST["attributes"], "website_url", "new_field", "$"}


def full(begins: Iterable[str]) -> set[str]:
    """Return the assumptions that begin so, one for each."""
    found = [what for what in ASSUMPTIONS for begin in begins if what.startswith(begin)]
    assert len(found) == len(list(begins))
    return set(found)


def test_the_sandbox_is_as_assumed_for_as_long_as_its_cursors_stay_good(
    ask: Ask, tmp_path: Path
) -> None:
    kept = tmp_path / ".cache/live.json"
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        told = asked(ask, sandbox)
        assert told.code == 0
        assert told.rows("cannot tell").keys() == full(["A cursor stays good"])
        assert "one is kept from now on; call again tomorrow" in told.output
        assert len(told.rows("holds")) == len(ASSUMPTIONS) - 1
        assert "Pages read one after another: 5, the whole account." in told.output
        assert len({seen.connection for seen in sandbox.requests}) == 1
        assert len(sandbox.requests) < 30

        of_yesterday = json.loads(kept.read_text())
        assert sandbox.api_key not in kept.read_text()
        assert not set(texts(of_yesterday)) & set(texts(IN_ORDER))
        of_yesterday["time"] -= 90_000
        kept.write_text(json.dumps(of_yesterday))
        told = asked(ask, sandbox)
        assert told.code == 0
        assert told.rows("holds").keys() == ASSUMPTIONS.keys()
        assert "after 25.0 hours: 200, 12 of 12 are there" in told.output
        assert json.loads(kept.read_text()) == of_yesterday

        for reading, says in (
            (stale.refused, "400, 0 of 12"),
            (stale.end, "200, 0 of 12"),
        ):
            sandbox.age_cursors(reading)
            told = asked(ask, sandbox)
            assert told.code == 1
            assert told.rows("BROKEN").keys() == full(["A cursor stays good"])
            assert f"hours: {says} are there" in told.output
            assert json.loads(kept.read_text())["time"] > time.time() - 60


@pytest.mark.parametrize("lost", [0, 1])
def test_a_cursor_of_another_account_or_a_damaged_file_says_nothing(
    ask: Ask, tmp_path: Path, lost: int
) -> None:
    kept = tmp_path / ".cache/live.json"
    with Sandbox(CUSTOMERS, api_key="of-another", rate_limit=None) as sandbox:
        asked(ask, sandbox)
    of_another = kept.read_text()
    kept.write_text(of_another[lost:])
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        told = asked(ask, sandbox)
    assert told.rows("cannot tell").keys() == full(["A cursor stays good"])
    assert json.loads(kept.read_text())["account"] not in of_another


def test_of_a_large_account_the_beginning_and_a_data_source_are_read(ask: Ask) -> None:
    with Sandbox(generate_customers(2_100), rate_limit=None) as sandbox:
        told = asked(ask, sandbox)
    assert told.code == 0
    assert told.rows("cannot tell").keys() == full(["A cursor stays good"])
    assert "10, the first of the account." in told.output
    assert len(sandbox.requests) < 50


@pytest.mark.parametrize(("count", "untold"), [(0, 9), (1, 4)])
def test_what_a_small_account_does_not_show(ask: Ask, count: int, untold: int) -> None:
    with Sandbox(generate_customers(count), rate_limit=None) as sandbox:
        told = asked(ask, sandbox)
    assert told.code == 0
    assert len(told.rows("cannot tell")) == untold
    assert f"no {'second page' if count else 'customer'} was seen" in told.output


def on(fault: faults.Fault, **query: str) -> faults.Script:
    """Meet requests with these parameters with a fault."""
    return lambda seen: fault if query.items() <= seen.query.items() else None


def again(fault: faults.Fault) -> faults.Script:
    """Meet a cursor that comes a second time with a fault."""
    queries: list[dict[str, str]] = []

    def script(seen: SeenRequest) -> faults.Fault | None:
        queries.append(seen.query)
        return fault if "cursor" in seen.query and seen.query in queries[:-1] else None

    return script


def every(edit: Callable[[list[Any]], list[Any]]) -> faults.Script:
    """Change the customers of each page of the account, when it is read in five."""
    fault = faults.page(lambda body: body | {"entries": edit(body["entries"])})
    return on(fault, per_page="12")


SOME = faults.with_values(entries=IN_ORDER[:5])
FORM, BEHIND, ORDER = "A page has", "A page begins", "Customers come in"
FILTERS, STATUS = "A filter with", "`status` takes"
FIELDS, TYPES = "A customer has", "Fields have"


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ({4: faults.without("entries")}, {FORM: "`entries`", BEHIND: "left out: 36"}),
        (
            {3: faults.with_values(cursor=None)},
            {FORM: "`has_more` without a `cursor`", BEHIND: "left out: 36"},
        ),
        (lambda _: faults.with_values(entries=[FIRST, 1]), {FORM: "$.entries[1]"}),
        (lambda _: faults.html(), {FORM: "malformed", "A made-up cursor": "200"}),
        (
            every(lambda entries: entries[1:] + entries[-1:]),
            {BEHIND: "customers: 60, twice: 5, left out: 5"},
        ),
        (
            {4: faults.with_values(has_more=False)},
            {
                BEHIND: "customers: 36, twice: 0, left out: 24",
                "`has_more` alone": "200, customers behind the last page: 12",
            },
        ),
        (every(lambda entries: entries[::-1]), {ORDER: "wrong: 52"}),
        (again(SOME), {"A cursor leads": "200, 0 of 12 are there"}),
        (
            on(faults.status(404, message=f"{FIRST}"), cursor="no-cursor"),
            {"A made-up cursor": "404"},
        ),
        (
            on(SOME, external_id="nobody-has-this-external-id"),
            {FILTERS: "not so: `external_id`"},
        ),
        (on(SOME, status="New_Lead"), {STATUS: "not so: `New_Lead`"}),
    ],
)
def test_what_is_broken_is_told(
    ask: Ask, script: faults.Script | dict[int, faults.Fault], rows: dict[str, str]
) -> None:
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        sandbox.script(script)
        told = asked(ask, sandbox)
    assert told.code == 1
    says(told, rows)


def says(told: Told, rows: dict[str, str]) -> None:
    """Check that these assumptions are broken, no others, and for that reason."""
    broken = told.rows("BROKEN")
    assert broken.keys() == full(rows)
    for begin, why in rows.items():
        (did,) = (did for what, did in broken.items() if what.startswith(begin))
        assert why in did


# The second one is not in old answers.
WITHOUT_TWO = {k: v for k, v in FIRST.items() if k not in {"email", "website_url"}}


@pytest.mark.parametrize(
    ("customer", "row", "names"),
    [
        (WITHOUT_TWO, FIELDS, "email"),
        (FIRST | {"new_field": 1, "Jane Doe": 1}, FIELDS, "(odd)`, `new_field"),
        (FIRST | {"name": 5}, TYPES, "name"),
        (FIRST | {"mrr": Decimal("3000.5")}, TYPES, "mrr"),
        (FIRST | {"lead_created_at": "2015-11-07"}, TYPES, "lead_created_at"),
        (FIRST | {"attributes": {"tags": [1]}}, TYPES, "tags"),
        (FIRST | {"attributes": {"stripe": [], "custom": 1}}, TYPES, "custom"),
        (FIRST | {"address": {"city": 5}}, TYPES, "city"),
    ],
)
def test_a_customer_of_another_form_is_told(
    ask: Ask, customer: dict[str, Any], row: str, names: str
) -> None:
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        sandbox.put(customer)
        told = asked(ask, sandbox)
    says(told, {row: f"not so: `{names}`"})


def test_a_wrong_key_that_is_let_in_is_told(ask: Ask) -> None:
    with Sandbox(CUSTOMERS, api_key="no-key", rate_limit=None) as sandbox:
        told = asked(ask, sandbox)
    says(told, {"A wrong key": "200"})


def test_an_account_that_cannot_be_asked(ask: Ask) -> None:
    with Sandbox(CUSTOMERS) as sandbox:
        told = [
            ask(url, key)
            for url, key in (
                (sandbox.url, ""),
                (sandbox.url, "a-wrong-key…"),
                (f"{sandbox.url}/elsewhere", sandbox.api_key),
                ("http://example.com/v1", "a-key"),
            )
        ]
    told.append(ask(sandbox.url, "a-key"))
    assert [(one.code, one.output) for one in told] == [(2, "")] * 5
    assert [one.error for one in told] == [
        "live: no API key: make live API_KEY=…\n",
        "live: answer 401: check API_KEY and API_URL\n",
        "live: answer 404: check API_KEY and API_URL\n",
        "live: API_URL must begin with https://, else others can read the key\n",
        "live: no answer (ConnectionError): check API_URL, try again\n",
    ]


def make_live(folder: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/make", "--silent", "--file", ROOT / "Makefile", "live", *variables],
        cwd=folder,
        env={**os.environ, "API_KEY": "of-another-service"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_live_shows_no_key_and_asks_no_faster_than_is_allowed(
    tmp_path: Path,
) -> None:
    for name in (".venv", "pyproject.toml", "requirements", "sandbox"):
        (tmp_path / name).symlink_to(ROOT / name)
    with Sandbox(CUSTOMERS) as sandbox:
        sandbox.script({2: faults.status(429, retry_after=0)})
        made = make_live(
            tmp_path, f"API_KEY={sandbox.api_key}", f"API_URL={sandbox.url}"
        )
    told = Told(made.returncode, made.stdout, made.stderr)
    assert told.code == 0
    assert len(told.rows("holds")) == len(ASSUMPTIONS) - 1
    assert sandbox.api_key not in told.output + told.error
    paces = [b.time - a.time for a, b in pairwise(sandbox.requests)]
    assert sum(pace > live.PAUSE for pace in paces) >= len(paces) - 1


def test_make_live_takes_no_key_from_the_environment() -> None:
    assert "live: no API key" in make_live(ROOT).stderr
