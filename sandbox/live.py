"""`make live API_KEY=…`: does ChartMogul's API do what the tap expects?

Asks a real account two or three dozen times, only reading, and prints a table of
assumptions. The table is for an issue that anyone may read. So it has counts, status
codes, names of fields and words of this file, but never a value that the service sent,
nor the key.
"""

from __future__ import annotations

import hmac
import os
import re
import sys
import time
from collections import Counter
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.util import Retry

from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.settings.schema import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_chartmogul_customers.records.columns import Column, Kind

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


class _Body(msgspec.Struct):
    """What the tap looks for on a page."""

    entries: list[_Customer]
    has_more: bool
    cursor: Any = None


class _Page:
    """An answer to a request for customers; if it is no page, one without customers.

    Attributes:
        wrong: Why it is no page, without a value of the answer.
    """

    def __init__(
        self, query: dict[str, str | int], response: requests.Response
    ) -> None:
        self.query = query
        self.status = response.status_code
        self.wrong = ""
        try:
            body = msgspec.json.decode(response.content, type=_Body)
        except msgspec.DecodeError as error:
            body, self.wrong = _Body([], has_more=False), str(error)
        self.entries, self.has_more = body.entries, body.has_more
        self.cursor = body.cursor if isinstance(body.cursor, str) else None
        if self.has_more and self.cursor is None:
            self.wrong = "`has_more` without a `cursor`"
        self.uuids = [str(entry.get("uuid")) for entry in self.entries]


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
        # The waits add up to a minute: a quota that is used up can take that to refill.
        again = Retry(
            total=6,
            connect=1,
            read=1,
            backoff_factor=1,
            status_forcelist={429, 502, 503, 504},
        )
        self._session.mount(self._url, HTTPAdapter(max_retries=again))
        self.first = first = self.ask(per_page=MOST_PER_PAGE)
        # An account that fits on one page is read again in five.
        if first.entries and not first.has_more:
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
        return _Page(query, response)

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
        """The pages of the smallest data source, if the account is not read whole."""
        if not self.pages[-1].has_more or not self.first.entries:
            return []
        sources = Counter(str(c.get("data_source_uuid")) for c in self.customers)
        (*_, (source, _)) = sources.most_common()
        return self._follow(self.ask(data_source_uuid=source, per_page=MOST_PER_PAGE))

    @cached_property
    def customers(self) -> list[_Customer]:
        """The customers of the account's first pages, at least one."""
        customers = [customer for page in self.pages for customer in page.entries]
        return customers or _cannot_tell("no customer was seen")

    @cached_property
    def second(self) -> tuple[str, _Page]:
        """A cursor, and the page that it led to."""
        cursor = self.pages[0].cursor
        if cursor is None or not self.pages[1:] or not self.pages[1].entries:
            _cannot_tell("no second page was seen")
        return cursor, self.pages[1]

    @cached_property
    def last(self) -> _Page:
        """A page with customers that says it is the last."""
        page = (self.a_source or self.pages)[-1]
        if page.has_more:
            # One customer, or few, make a page that is first and last.
            page = self.ask(external_id=str(self.customers[0].get("external_id")))
        if page.has_more or not page.entries:
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
    names = ", ".join(f"`{name}`" for name in sorted(set(wrong)))
    return not names, f"not so: {names}" if names else seen


def _at_place(status: int, there: Iterable[str], before: list[str]) -> Finding:
    """Judge the place that a cursor leads to by the customers it led to before."""
    still = len(set(before) & set(there))
    # Some may have moved meanwhile; to a reader, half of them are enough.
    return 2 * still >= len(before), f"{status}, {still} of {len(before)} are there"


# Pages.


@_assume("A page has `entries`, `has_more` and, if that is true, a `cursor`")
def _form(account: _Account) -> Finding:
    pages = [*account.pages, *account.a_source]
    if account.of_nobody.status == OK:
        pages.append(account.of_nobody)
    wrong = "; ".join({page.wrong for page in pages} - {""})
    return not wrong, wrong or f"pages: {len(pages)}, all so"


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


def _place(customer: _Customer) -> tuple[bool, datetime]:
    since = customer["customer-since"]
    return since is None, datetime.fromisoformat(since or "1970-01-01T00:00:00Z")


# The second look of a sync rests on it.
@_assume("Customers come in the order of `customer-since`, those without it last")
def _order(account: _Account) -> Finding:
    source = [customer for page in account.a_source for customer in page.entries]
    pairs = [*pairwise(map(_place, account.customers)), *pairwise(map(_place, source))]
    wrong = sum(one > other for one, other in pairs)
    last = sum(other[0] > one[0] for one, other in pairs)
    did = f"neighbours: {len(pairs)}, wrong: {wrong}, followed by one without: {last}"
    return (not wrong) if wrong or last else None, did


# Cursors.


@_assume("A cursor leads to the same place when it is used again")
def _again(account: _Account) -> Finding:
    cursor, before = account.second
    page = account.ask(**account.pages[0].query, cursor=cursor)
    return _at_place(page.status, page.uuids, before.uuids)


class _Kept(msgspec.Struct):
    """A cursor, and whom it led to, in words that say nothing without the key."""

    account: str
    time: float
    cursor: str
    place: list[str]


@_assume("A cursor stays good for days, and leads to the same place")
def _stays_good(account: _Account) -> Finding:
    cursor, page = account.second
    place = [account.digest(uuid) for uuid in page.uuids]
    now = _Kept(account.digest("account"), time.time(), cursor, place)
    finding: Finding = None, "one is kept from now on; call again tomorrow"
    try:
        kept = msgspec.json.decode(KEPT.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        kept = None
    # One of another account says nothing of this one.
    if kept and kept.account == now.account:
        page = account.ask(cursor=kept.cursor, per_page=MOST_PER_PAGE)
        uuids = map(account.digest, page.uuids)
        holds, did = _at_place(page.status, uuids, kept.place)
        finding = holds, f"after {(now.time - kept.time) / 3600:.1f} hours: {did}"
    # A good one is kept, to grow older.
    if not finding[0]:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_bytes(msgspec.json.encode(now))
    return finding


@_assume("A made-up cursor is refused with 400")
def _bad_cursor(account: _Account) -> Finding:
    status = account.ask(cursor="no-cursor").status
    return status == BAD_CURSOR, str(status)


# Filters and the key.


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


@_assume("`status` takes seven values, as `Past_Due`, and finds those customers alone")
def _statuses(account: _Account) -> Finding:
    there = {customer["status"] for customer in account.customers}
    wrong = []
    for value in STATUSES:
        word = value.replace("_", " ")
        page = account.ask(status=value, per_page=10)
        words = {customer["status"] for customer in page.entries}
        # Somebody, if such a customer was seen; nobody else.
        if page.status != OK or not there & {word} <= words <= {word}:
            wrong.append(value)
    return _all_but(wrong, "so")


@_assume("A wrong key gets 401")
def _wrong_key(account: _Account) -> Finding:
    status = account.ask_with("no-key").status
    return status == WRONG_KEY, str(status)


# Customers.


@_assume("A customer has the fields of the tap's columns, and no others")
def _fields(account: _Account) -> Finding:
    known = {column.field for column in COLUMNS}
    # The reference page does not have these two, and old answers do not either.
    due = known - {"owner", "website_url"}
    wrong = {
        name
        for customer in account.customers
        for name in (due - customer.keys()) | (customer.keys() - known)
    }
    # What does not look like the name of a field may be a customer's.
    names = (n if re.fullmatch("[a-z_-]{1,50}", n) else "(odd)" for n in wrong)
    return _all_but(names, f"customers: {len(account.customers)}, all so")


def _is_time(value: object) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


_FITS: dict[Kind, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "timestamp": _is_time,
    "integer": lambda value: (
        type(value) is int or (type(value) is float and value.is_integer())
    ),
    "texts": lambda value: (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    ),
    # Some services write an empty object as an empty list.
    "object": lambda value: isinstance(value, dict) or value == [],
    "texts by key": lambda value: isinstance(value, dict),
}


def _misfits(value: dict[str, Any], columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        inside = value.get(column.field)
        if inside is None:
            continue
        if not _FITS[column.kind](inside):
            yield column.field
        elif column.inner:
            yield from _misfits(inside, column.inner)


@_assume("Fields have their columns' types: money is whole, times have an offset")
def _types(account: _Account) -> Finding:
    wrong = [name for one in account.customers for name in _misfits(one, COLUMNS)]
    return _all_but(wrong, f"customers: {len(account.customers)}, all so")


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
    extent = "the first of the account" if pages[-1].has_more else "the whole account"
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
    sys.stdout.write(_report(account, found))
    return 1 if any(holds is False for holds, _ in found.values()) else 0


def _fail(why: str) -> int:
    sys.stderr.write(f"live: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
