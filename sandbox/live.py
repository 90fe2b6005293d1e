"""`make live API_KEY=…`: does ChartMogul's API do what tap and sandbox expect?

Asks a real account a few dozen times, only reading, and prints a table of assumptions.
The table is for an issue that anyone may read. So it has counts, status codes, names of
fields and words of this file, but never a value that the service sent, nor the key.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.util import Retry

from tap_chartmogul_customers.records.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_chartmogul_customers.records.columns import Kind

    Finding: TypeAlias = tuple[bool | None, str]
    """Whether it holds, or None for what cannot be told; what the service did."""

_Customer: TypeAlias = dict[str, Any]

CHARTMOGUL = "https://api.chartmogul.com/v1"
KEPT = Path(".cache/live.json")
"""Where a cursor is kept for the next call, in the folder that this is called in."""

MOST_PER_PAGE = 200
MOST_PAGES = 10  # of one read, some 250 KB each
PAUSE = 0.05  # seconds before a request: ChartMogul lets 40 a second through

OK, BAD_CURSOR, WRONG_KEY = 200, 400, 401
REFUSED = {400, 404, 422}


class CannotTellError(Exception):
    """This account does not show whether an assumption holds; the message says why."""


def _cannot_tell(why: str) -> NoReturn:
    raise CannotTellError(why)


class _Page(NamedTuple):
    """An answer to a request for customers, as far as it can be understood."""

    query: dict[str, str | int]
    status: int
    encoding: str
    body: dict[str, Any]
    entries: list[_Customer]
    cursor: str | None
    has_more: bool | None

    @property
    def uuids(self) -> list[str]:
        return [str(entry.get("uuid")) for entry in self.entries]


def _page(query: dict[str, str | int], response: requests.Response) -> _Page:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    body = body if isinstance(body, dict) else {}
    entries, cursor, more = map(body.get, ("entries", "cursor", "has_more"))
    entries = entries if isinstance(entries, list) else []
    return _Page(
        query,
        response.status_code,
        response.headers.get("Content-Encoding", ""),
        body,
        [entry for entry in entries if isinstance(entry, dict)],
        cursor if isinstance(cursor, str) else None,
        more if isinstance(more, bool) else None,
    )


class _Account:
    """Asks for customers, and keeps what several checks look at.

    Args:
        url: The address of the API.
        api_key: The key to the account.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._url = f"{url.rstrip('/')}/customers"
        self._api_key = api_key
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "gzip"
        # The waits add up to a minute: a quota that is used up can take that to refill.
        again = Retry(
            total=6,
            connect=1,
            read=1,
            backoff_factor=1,
            status_forcelist={429, 502, 503, 504},
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))
        self.answered = 0
        self.refused: list[int] = []
        self.first = first = self.ask(per_page=MOST_PER_PAGE)
        # An account that fits on one page is read again in five.
        if first.has_more is False and first.entries:
            first = self.ask(per_page=-(-len(first.entries) // 5))
        self.pages = self._follow(first)

    def ask(self, **query: str | int) -> _Page:
        return self.ask_with(self._api_key, **query)

    def ask_with(self, api_key: str, **query: str | int) -> _Page:
        time.sleep(PAUSE)
        auth = HTTPBasicAuth(api_key.encode(), b"")
        response = self._session.get(
            self._url, params=query, auth=auth, timeout=60, allow_redirects=False
        )
        self.answered += 1
        if tries := response.raw.retries:
            self.refused += [again.status for again in tries.history if again.status]
        return _page(query, response)

    def _follow(self, first: _Page) -> list[_Page]:
        pages = [first]
        while pages[-1].has_more and pages[-1].cursor and len(pages) < MOST_PAGES:
            pages.append(self.ask(**first.query, cursor=pages[-1].cursor))
        return pages

    def digest(self, text: str) -> str:
        """Name something so that the name says nothing without the key."""
        return hmac.digest(self._api_key.encode(), text.encode(), "sha256").hex()[:16]

    @cached_property
    def a_source(self) -> list[_Page]:
        """The pages of a data source that is small, in an account that is not."""
        if not self.pages[-1].has_more:
            return []
        seen = [customer for page in self.pages for customer in page.entries]
        sources = Counter(str(customer.get("data_source_uuid")) for customer in seen)
        for source, _ in sources.most_common()[:-4:-1]:
            page = self.ask(data_source_uuid=source, per_page=MOST_PER_PAGE)
            total = page.body.get("total_pages")
            if isinstance(total, int) and total <= MOST_PAGES:
                return self._follow(page)
        return []

    @cached_property
    def customers(self) -> list[_Customer]:
        """The customers of the account's first pages, at least one."""
        customers = [customer for page in self.pages for customer in page.entries]
        return customers or _cannot_tell("no customer was seen")

    @cached_property
    def neighbours(self) -> list[tuple[_Customer, _Customer]]:
        """Each customer that was read, with the next one."""
        source = [customer for page in self.a_source for customer in page.entries]
        return [*pairwise(self.customers), *pairwise(source)]

    @cached_property
    def second(self) -> tuple[str, _Page]:
        """A cursor, and the page that it led to."""
        cursor = self.pages[0].cursor
        if cursor is None or len(self.pages) == 1 or not self.pages[1].entries:
            _cannot_tell("no second page was seen")
        return cursor, self.pages[1]

    @cached_property
    def last(self) -> _Page:
        """A page with customers that says it is the last."""
        page = (self.a_source or self.pages)[-1]
        if page.has_more is not False:
            # One customer, or few, make a page that is first and last.
            page = self.ask(external_id=str(self.customers[0].get("external_id")))
        if page.has_more is not False or not page.entries:
            _cannot_tell("no last page was seen")
        return page

    @cached_property
    def of_nobody(self) -> _Page:
        """The page of a filter that nobody passes."""
        return self.ask(external_id="nobody-has-this-external-id")


Check: TypeAlias = "Callable[[_Account], Finding]"

ASSUMPTIONS: dict[str, Check] = {}
"""What is assumed, and the check of it, in the order of the table."""


def _assume(what: str) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        ASSUMPTIONS[what] = check
        return check

    return note


def _all_but(wrong: Iterable[str], seen: str) -> Finding:
    """Judge by the names of what is wrong: our words, or names of fields."""
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(wrong))
    return not names, f"not so: {names}" if names else seen


def _of_all(account: _Account, wrong: Iterable[str]) -> Finding:
    """Judge by the names of fields that are wrong in some customer."""
    return _all_but(wrong, f"customers: {len(account.customers)}, all so")


def _of_pairs(wrong: list[bool], what: str) -> Finding:
    """Judge pairs of neighbours by which of them are in the wrong order."""
    if not wrong:
        _cannot_tell(f"no {what} were seen")
    return not any(wrong), f"{what}: {len(wrong)}, the wrong way round: {sum(wrong)}"


def _at_place(status: int, there: Iterable[str], before: list[str]) -> Finding:
    """Judge the place that a cursor leads to by the customers it led to before."""
    still = len(set(before) & set(there))
    # Some may have moved meanwhile; to a reader, half of them are enough.
    return 2 * still >= len(before), f"{status}, {still} of {len(before)} are there"


# Pages.


@_assume("A page has `entries`, `has_more` and, if that is true, a `cursor`")
def _form(account: _Account) -> Finding:
    wrong = []
    pages = account.pages + account.a_source
    for page in pages:
        if page.body.get("entries") != page.entries:
            wrong.append("entries")
        if page.has_more is None:
            wrong.append("has_more")
        if page.has_more and page.cursor is None:
            wrong.append("cursor")
    return _all_but(wrong, f"pages: {len(pages)}, all so")


@_assume("A page asked for with a cursor carries no totals, one without does")
def _totals(account: _Account) -> Finding:
    _, second = account.second
    names = ("current_page", "page", "per_page", "total_pages")
    first = account.first.body
    wrong = [name for name in names if name not in first or name in second.body]
    return _all_but(wrong, "so")


@_assume("A page begins behind the last customer of the page before")
def _no_gap(account: _Account) -> Finding:
    _ = account.second
    read = [uuid for page in account.pages for uuid in page.uuids]
    twice = len(read) - len(set(read))
    # Those of the first page that was asked for are at the beginning in any case.
    missed = len(set(account.first.uuids) - set(read))
    did = f"customers: {len(read)}, twice: {twice}, left out: {missed}"
    return not twice + missed, did


@_assume("`has_more` alone says whether to go on: where it is false, nobody is left")
def _has_more(account: _Account) -> Finding:
    cursor = account.last.cursor or _cannot_tell("the last page has no cursor")
    behind = account.ask(**account.last.query | {"cursor": cursor})
    did = f"{behind.status}, customers behind the last page: {len(behind.entries)}"
    return behind.status == OK and not behind.entries, did


@_assume("The last page carries a cursor")
def _last_cursor(account: _Account) -> Finding:
    return (True, "so") if account.last.cursor else (False, "it has none")


@_assume("An empty result has `has_more: false` and `cursor: null`")
def _empty(account: _Account) -> Finding:
    empty = {"entries": [], "has_more": False, "cursor": None}
    body = account.of_nobody.body
    wrong = [name for name in empty if body.get(name, "absent") != empty[name]]
    return _all_but(wrong, "so")


@_assume("Bodies are compressed with gzip")
def _gzip(account: _Account) -> Finding:
    pages = account.pages
    packed = sum(page.encoding == "gzip" for page in pages)
    return packed == len(pages), f"pages: {len(pages)}, compressed: {packed}"


# Order.


def _since(customer: _Customer) -> datetime | None:
    try:
        since = datetime.fromisoformat(customer["customer-since"])
    except (KeyError, TypeError, ValueError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=UTC)


@_assume("Customers come in the order of `customer-since`")
def _by_since(account: _Account) -> Finding:
    dates = [(_since(a), _since(b)) for a, b in account.neighbours]
    wrong = [a > b for a, b in dates if a and b and a != b]
    return _of_pairs(wrong, "neighbours of two dates")


@_assume("Customers of one `customer-since`, or of none, come in the order of `id`")
def _by_id(account: _Account) -> Finding:
    pairs = [(a, b) for a, b in account.neighbours if _since(a) == _since(b)]
    return _of_pairs([a["id"] >= b["id"] for a, b in pairs], "neighbours of one date")


@_assume("Customers without `customer-since` come last")
def _undated_last(account: _Account) -> Finding:
    dates = [(_since(a), _since(b)) for a, b in account.neighbours]
    wrong = [a is None for a, b in dates if (a is None) != (b is None)]
    return _of_pairs(wrong, "neighbours with and without a date")


# Cursors.


@_assume("A cursor leads to the same place when it is used again")
def _again(account: _Account) -> Finding:
    cursor, before = account.second
    page = account.ask(**account.pages[0].query, cursor=cursor)
    return _at_place(page.status, page.uuids, before.uuids)


@_assume("A cursor stays good for days, and leads to the same place")
def _stays_good(account: _Account) -> Finding:
    cursor, page = account.second
    now = {
        "account": account.digest("account"),
        "time": time.time(),
        "cursor": cursor,
        "place": [account.digest(uuid) for uuid in page.uuids],
    }
    try:
        kept = json.loads(KEPT.read_bytes())
    except (OSError, ValueError):
        kept = None
    finding: Finding = None, "one is kept from now on; call again tomorrow"
    # One of another account says nothing of this one.
    if isinstance(kept, dict) and kept.get("account") == now["account"]:
        page = account.ask(cursor=kept["cursor"], per_page=MOST_PER_PAGE)
        uuids = map(account.digest, page.uuids)
        holds, did = _at_place(page.status, uuids, kept["place"])
        hours = (time.time() - kept["time"]) / 3600
        finding = holds, f"after {hours:.1f} hours: {did}"
    # A good one is kept, to grow older.
    if not finding[0]:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(now), encoding="utf-8")
    return finding


@_assume("A made-up cursor is refused with 400")
def _bad_cursor(account: _Account) -> Finding:
    page = account.ask(cursor="no-cursor")
    words = [name for name in ("code", "message", "param") if name in page.body]
    return page.status == BAD_CURSOR, f"{page.status}, with {', '.join(words) or '-'}"


# Parameters and the key.


@_assume("A filter with a made-up value finds nobody")
def _bad_filters(account: _Account) -> Finding:
    _ = account.customers
    source = "ds_00000000-0000-4000-8000-000000000000"
    pages = {
        "external_id": account.of_nobody,
        "data_source_uuid": account.ask(data_source_uuid=source),
        "status": account.ask(status="No_Such_Status"),
        "system": account.ask(system="No Such System"),
    }
    wrong = [
        name
        for name, page in pages.items()
        if page.entries or page.status not in {OK, *REFUSED}
    ]
    return _all_but(wrong, ", ".join(f"`{n}`: {p.status}" for n, p in pages.items()))


STATUSES = {
    word.replace(" ", "_"): word
    for word in (
        *("New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead"),
        *("Active", "Past Due", "Cancelled"),
    )
}
"""The values of the filter, and the words that customers have for them."""


@_assume("`status` takes seven values, as `Past_Due`, and finds those customers alone")
def _statuses(account: _Account) -> Finding:
    there = {customer["status"] for customer in account.customers}
    wrong = []
    for value, word in STATUSES.items():
        page = account.ask(status=value, per_page=10)
        words = {customer["status"] for customer in page.entries}
        # Somebody, if such a customer was seen; nobody else.
        if page.status != OK or not there & {word} <= words <= {word}:
            wrong.append(value)
    return _all_but(wrong, f"of these, seen: {len(there & {*STATUSES.values()})}")


@_assume("`per_page` above 200 is refused, or taken for 200")
def _too_large(account: _Account) -> Finding:
    page = account.ask(per_page=MOST_PER_PAGE + 1)
    count = len(page.entries)
    if page.status == OK and count < MOST_PER_PAGE and not account.first.has_more:
        _cannot_tell("200, but the account has not so many customers")
    did = f"{page.status}, customers: {count}"
    return page.status in REFUSED or count == MOST_PER_PAGE, did


@_assume("A wrong key gets 401 and `No valid API key provided`")
def _wrong_key(account: _Account) -> Finding:
    page = account.ask_with("no-key")
    said = page.body.get("message") == "No valid API key provided"
    did = f"{page.status}, {'these' if said else 'other'} words"
    return page.status == WRONG_KEY and said, did


# Customers.


_TYPES: dict[Kind, tuple[type, ...]] = {
    "text": (str,),
    "timestamp": (str,),
    "integer": (int, float),
    "texts": (list,),
    "object": (dict,),
    "texts by key": (dict,),
}

FIELDS = {column.field: _TYPES[column.kind] for column in COLUMNS}
"""The fields of a customer, and what their JSON is read as."""


@_assume("A customer has all fields of the reference page")
def _fields(account: _Account) -> Finding:
    # It does not have these two, and old answers do not either.
    expected = sorted(FIELDS.keys() - {"owner", "website_url"})
    wrong = [n for customer in account.customers for n in expected if n not in customer]
    return _of_all(account, wrong)


@_assume("A customer has no fields beside those but `owner` and `website_url`")
def _no_others(account: _Account) -> Finding:
    groups = {"tags", "stripe", "clearbit", "custom"}
    names = set()
    for customer in account.customers:
        names |= customer.keys() - FIELDS.keys()
        attributes = customer["attributes"] or {}
        names |= {f"attributes.{name}" for name in attributes.keys() - groups}
    # What does not look like the name of a field may be a customer's.
    is_name = re.compile("[a-z_.-]{1,50}").fullmatch
    return _of_all(account, (n if is_name(n) else "(odd)" for n in sorted(names)))


@_assume("The fields have their types; all but `id` and `uuid` may be null")
def _types(account: _Account) -> Finding:
    wrong = [
        name
        for customer in account.customers
        for name in FIELDS.keys() & customer.keys()
        if customer[name] is not None or name in {"id", "uuid"}
        if type(customer[name]) not in FIELDS[name]
    ]
    return _of_all(account, sorted(wrong))


@_assume("`attributes` has a list `tags`, and objects; `custom` has plain values")
def _attributes(account: _Account) -> Finding:
    wrong = []
    for customer in account.customers:
        attributes = customer["attributes"] or {}
        # Some services write an empty object as an empty list.
        groups = {n: attributes.get(n) or {} for n in ("stripe", "clearbit", "custom")}
        wrong += [n for n, group in groups.items() if not isinstance(group, dict)]
        if not isinstance(attributes.get("tags", []), list):
            wrong.append("tags")
        custom = groups["custom"] if isinstance(groups["custom"], dict) else {}
        if any(isinstance(value, (dict, list)) for value in custom.values()):
            wrong.append("custom")
    return _of_all(account, wrong)


@_assume("`mrr` and `arr` are whole cents")
def _money(account: _Account) -> Finding:
    money = [(n, c.get(n)) for c in account.customers for n in ("mrr", "arr")]
    wrong = [n for n, v in money if isinstance(v, float) and not v.is_integer()]
    return _of_all(account, wrong)


@_assume("A customer's status is one of the seven words, or `Lead`")
def _status_words(account: _Account) -> Finding:
    known = {"Lead", *STATUSES.values()}
    wrong = [c["status"] not in known for c in account.customers]
    return not any(wrong), f"customers: {len(wrong)}, with another: {sum(wrong)}"


@_assume("`customer-since` ends in an offset as `-04:00`, the other times in `.000Z`")
def _times(account: _Account) -> Finding:
    second = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    forms = {
        "customer-since": re.compile(second + r"[+-]\d\d:\d\d"),
        "lead_created_at": re.compile(second + r"\.\d{3}Z"),
        "free_trial_started_at": re.compile(second + r"\.\d{3}Z"),
    }
    times = [(n, c[n]) for c in account.customers for n in forms if c[n] is not None]
    if not times:
        _cannot_tell("no time was seen")
    wrong = [name for name, text in times if not forms[name].fullmatch(text)]
    return _all_but(wrong, f"times: {len(times)}, all so")


# Last, when all others have asked.
@_assume("Fewer than 20 requests a second are let through")
def _limits(account: _Account) -> Finding:
    did = f"answered: {account.answered}, refused: {len(account.refused)}"
    statuses = ", ".join(map(str, sorted(set(account.refused))))
    return not statuses, f"{did} ({statuses})" if statuses else did


def _judge(check: Check, account: _Account) -> Finding:
    try:
        return check(account)
    except CannotTellError as error:
        return None, str(error)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Another row says which.
        return None, "the answers have another form"


def _report(account: _Account, found: dict[str, Finding]) -> str:
    pages = account.pages
    if pages[-1].has_more is False:
        extent = "the whole account"
    elif account.a_source:
        extent = "the first of the account, and a whole data source"
    else:
        extent = "the first of the account, and no end: no small data source was seen"
    verdicts = {True: "holds", False: "BROKEN", None: "cannot tell"}
    rows: list[tuple[str, ...]] = [
        ("", "assumption", "what the service did"),
        *((verdicts[holds], what, did) for what, (holds, did) in found.items()),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return (
        f"Pages read one after another: {len(pages)}, {extent}.\n\n"
        + "".join(f"| {' | '.join(map(str.ljust, row, widths))} |\n" for row in rows)
        + f"\nBroken: {[holds for holds, _ in found.values()].count(False)}. "
        "This has no customer's data in it. If one is broken, please paste it into an "
        "issue.\n"
    )


def main() -> int:
    """Ask, and print the table.

    Returns:
        The exit code: 1 if an assumption is broken, 2 if the account cannot be asked.
    """
    api_key = os.environ.get("API_KEY")
    url = os.environ.get("API_URL") or CHARTMOGUL
    if not api_key:
        return _fail("no API key: make live API_KEY=…")
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        return _fail("API_URL must begin with https://, else others can read the key")
    try:
        account = _Account(url, api_key)
        if account.first.status != OK:
            return _fail(f"answer {account.first.status}: check API_KEY and API_URL")
        found = {what: _judge(check, account) for what, check in ASSUMPTIONS.items()}
    except requests.RequestException as error:
        # The error's own words would show the request.
        return _fail(f"no answer ({type(error).__name__}): check API_URL, try again")
    except OSError as error:
        return _fail(f"cannot keep a cursor in {KEPT}: {error.strerror}")
    sys.stdout.write(_report(account, found))
    return 1 if any(holds is False for holds, _ in found.values()) else 0


def _fail(why: str) -> int:
    sys.stderr.write(f"live: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
