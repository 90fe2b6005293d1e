"""`make live API_KEY=…`: is ChartMogul's API what the tap and the sandbox take it for?

Asks a real account a few dozen times, reading only, and prints a table of assumptions.
The table is to be pasted into an issue. So it holds counts, status codes, names of
fields and words of this file: never a value that the service sent, nor the key.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Finding: TypeAlias = tuple[bool | None, str]
    """Whether it holds, or None for what cannot be told; what the service did."""

CHARTMOGUL = "https://api.chartmogul.com/v1"
KEPT = Path(".cache/live.json")
"""Where a cursor is kept for the next call, in the folder that this is called in."""

MOST_PER_PAGE = 200
MOST_PAGES = 10  # of one read, some 250 KB each
PAUSE = 0.1  # seconds before a request: ChartMogul lets 40 a second through

OK, BAD_REQUEST, UNAUTHORIZED = 200, 400, 401


class CannotTellError(Exception):
    """This account does not show whether an assumption holds; the message says why."""


def _cannot_tell(why: str) -> NoReturn:
    raise CannotTellError(why)


@dataclass(frozen=True)
class Page:
    """An answer to a request for customers, whatever it was.

    Attributes:
        query: What was asked for.
        status: The HTTP status.
        encoding: How the body was compressed.
        body: The JSON object, an empty one if it was something else.
    """

    query: dict[str, str | int]
    status: int
    encoding: str
    body: dict[str, Any]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The customers, as far as they are any."""
        entries = self.body.get("entries")
        entries = entries if isinstance(entries, list) else []
        return [entry for entry in entries if isinstance(entry, dict)]

    @property
    def uuids(self) -> list[str]:
        """Who they are, in order."""
        return [str(entry.get("uuid")) for entry in self.entries]

    @property
    def cursor(self) -> str | None:
        """The cursor, if it is text."""
        cursor = self.body.get("cursor")
        return cursor if isinstance(cursor, str) else None

    @property
    def has_more(self) -> bool | None:
        """What it says of more pages, None if nothing that can be understood."""
        has_more = self.body.get("has_more")
        return has_more if isinstance(has_more, bool) else None

    def still_holds(self, uuids: Iterable[str], share: float) -> bool:
        """Tell whether so large a share of some customers is on this page."""
        wanted = set(uuids)
        return len(wanted & set(self.uuids)) >= share * len(wanted)


class Service:
    """Asks for customers, one request after another, on one connection.

    Args:
        url: The address of the API.
        api_key: The key to the account.

    Attributes:
        asked: How many requests were answered.
        repeated: The statuses for which requests had to be sent again.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self.asked = 0
        self.repeated: list[int] = []
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
            status_forcelist=(429, 502, 503, 504),
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))

    def ask(self, *, api_key: str | None = None, **query: str | int) -> Page:
        """Ask for a page.

        Args:
            api_key: Another key than the account's.
            query: The parameters.

        Returns:
            What came, after a while if the service wanted to be left alone.
        """
        time.sleep(PAUSE)
        response = self._session.get(
            self._url,
            params=query,
            auth=(api_key or self._api_key, ""),
            timeout=60,
            allow_redirects=False,
        )
        self.asked += 1
        tries = response.raw.retries.history
        self.repeated += [retry.status for retry in tries if retry.status]
        try:
            body = response.json()
        except requests.JSONDecodeError:
            body = None
        return Page(
            query,
            response.status_code,
            response.headers.get("Content-Encoding", "none"),
            body if isinstance(body, dict) else {},
        )

    def follow(self, first: Page) -> list[Page]:
        """Read on from a page, to the end or as far as a check may.

        Args:
            first: The page.

        Returns:
            It, and those behind it.
        """
        pages = [first]
        while pages[-1].has_more and pages[-1].cursor and len(pages) < MOST_PAGES:
            pages.append(self.ask(**first.query, cursor=pages[-1].cursor))
        return pages

    def digest(self, text: str) -> str:
        """Name something so that it says nothing to who has no key."""
        return hmac.digest(self._api_key.encode(), text.encode(), "sha256").hex()[:16]


class Account:
    """What several checks look at, read once.

    Args:
        service: Where to read it.
    """

    def __init__(self, service: Service) -> None:
        self.ask = service.ask
        self.service = service
        self.first = first = service.ask(per_page=MOST_PER_PAGE)
        # An account that fits on one page is read again in five.
        if first.has_more is False and first.entries:
            first = service.ask(per_page=-(-len(first.entries) // 5))
        self.pages = service.follow(first)

    @cached_property
    def a_source(self) -> list[Page]:
        """The pages of a data source that is small, in an account that is not."""
        if self.pages[-1].has_more is False:
            return []
        sources = Counter(str(c.get("data_source_uuid")) for c in self.customers)
        for source, _ in sources.most_common()[:-4:-1]:
            page = self.ask(data_source_uuid=source, per_page=MOST_PER_PAGE)
            total = page.body.get("total_pages")
            if isinstance(total, int) and total <= MOST_PAGES:
                return self.service.follow(page)
        return []

    @cached_property
    def customers(self) -> list[dict[str, Any]]:
        """The customers of the pages that were read first, at least one."""
        customers = [customer for page in self.pages for customer in page.entries]
        return customers or _cannot_tell("no customer was seen")

    @cached_property
    def neighbours(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Each customer that was read, with the next one."""
        source = [customer for page in self.a_source for customer in page.entries]
        return [*pairwise(self.customers), *pairwise(source)]

    @cached_property
    def second(self) -> tuple[str, Page]:
        """A cursor, and the page that it led to."""
        cursor = self.pages[0].cursor
        if cursor is None or len(self.pages) == 1:
            _cannot_tell("no second page was seen")
        return cursor, self.pages[1]

    @cached_property
    def last(self) -> Page:
        """A page with customers that says it is the last."""
        page = (self.a_source or self.pages)[-1]
        if page.has_more is not False:
            # As good as sure to be a page, the only one.
            page = self.ask(external_id=str(self.customers[0].get("external_id")))
        if page.has_more is not False or not page.entries:
            _cannot_tell("no last page was seen")
        return page

    @cached_property
    def of_nobody(self) -> Page:
        """The page of a filter that nobody passes."""
        return self.ask(external_id="nobody-has-this-external-id")


ASSUMPTIONS: dict[str, Callable[[Account], Finding]] = {}
"""What is assumed, and the check of it, in the order of the table."""


def _assume(
    what: str,
) -> Callable[[Callable[[Account], Finding]], Callable[[Account], Finding]]:
    def note(check: Callable[[Account], Finding]) -> Callable[[Account], Finding]:
        ASSUMPTIONS[what] = check
        return check

    return note


def _all_but(wrong: Iterable[str], seen: str) -> Finding:
    """Judge by the names of what is not so, each ours or a field's."""
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(wrong))
    return not names, f"not so: {names}" if names else seen


def _of_pairs(wrong: list[bool], what: str) -> Finding:
    """Judge pairs of neighbours, each of which is wrong or is not."""
    if not wrong:
        _cannot_tell(f"no {what} were seen")
    return not any(wrong), f"{len(wrong)} {what}, {sum(wrong)} the wrong way round"


# Pages.


@_assume("A page has `entries`, `has_more` and, if that is true, a `cursor`")
def _form(account: Account) -> Finding:
    wrong = []
    pages = account.pages + account.a_source
    for page in pages:
        entries = page.body.get("entries")
        if not isinstance(entries, list) or entries != page.entries:
            wrong.append("entries")
        if page.has_more is None:
            wrong.append("has_more")
        if page.cursor is None and (page.has_more or page.entries):
            wrong.append("cursor")
    return _all_but(wrong, f"{len(pages)} pages, all so")


@_assume("A page asked for with a cursor carries no totals, one without does")
def _totals(account: Account) -> Finding:
    _, second = account.second
    wrong = [
        name
        for name in ("current_page", "page", "per_page", "total_pages")
        if name not in account.first.body or name in second.body
    ]
    return _all_but(wrong, "so")


@_assume("A page begins behind the last customer of the page before")
def _no_gap(account: Account) -> Finding:
    _ = account.second
    read = [uuid for page in account.pages for uuid in page.uuids]
    twice = len(read) - len(set(read))
    # The same as on one large page, if all of that was read.
    missed = len(set(account.first.uuids) - set(read))
    did = f"{len(read)} customers, {twice} twice, {missed} left out"
    return not twice + missed, did


@_assume("`has_more` alone says whether to go on: where it is false, nobody is left")
def _has_more(account: Account) -> Finding:
    cursor = account.last.cursor or _cannot_tell("the last page has no cursor")
    behind = account.ask(**account.last.query | {"cursor": cursor})
    did = f"{behind.status}, {len(behind.entries)} customers behind the last page"
    return behind.status == OK and not behind.entries, did


@_assume("The last page carries a cursor")
def _last_cursor(account: Account) -> Finding:
    return account.last.cursor is not None, "it is " + (
        "null or absent" if account.last.cursor is None else "text"
    )


@_assume("An empty result has `has_more: false` and `cursor: null`")
def _empty(account: Account) -> Finding:
    empty = {"entries": [], "has_more": False, "cursor": None}
    body = account.of_nobody.body
    wrong = [name for name in empty if body.get(name, "absent") != empty[name]]
    return _all_but(wrong, "so")


@_assume("Bodies are compressed with gzip")
def _gzip(account: Account) -> Finding:
    packed = sum(page.encoding == "gzip" for page in account.pages)
    did = f"{packed} of {len(account.pages)} pages"
    return packed == len(account.pages), did


# Order.


def _since(customer: dict[str, Any]) -> datetime | None:
    try:
        since = datetime.fromisoformat(customer["customer-since"])
    except (KeyError, TypeError, ValueError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=UTC)


@_assume("Customers come in the order of `customer-since`")
def _by_since(account: Account) -> Finding:
    dates = [(_since(a), _since(b)) for a, b in account.neighbours]
    wrong = [a > b for a, b in dates if a and b and a != b]
    return _of_pairs(wrong, "neighbours of two dates")


@_assume("Customers of one `customer-since`, or of none, come in the order of `id`")
def _by_id(account: Account) -> Finding:
    pairs = [(a, b) for a, b in account.neighbours if _since(a) == _since(b)]
    return _of_pairs([a["id"] >= b["id"] for a, b in pairs], "neighbours of one date")


@_assume("Customers without `customer-since` come last")
def _undated_last(account: Account) -> Finding:
    dates = [(_since(a), _since(b)) for a, b in account.neighbours]
    wrong = [a is None for a, b in dates if (a is None) != (b is None)]
    return _of_pairs(wrong, "neighbours with and without a date")


# Cursors.


@_assume("A cursor leads to the same place when it is used again")
def _again(account: Account) -> Finding:
    cursor, before = account.second
    page = account.ask(**account.pages[0].query, cursor=cursor)
    # A few customers may have moved since.
    same = page.still_holds(before.uuids, share=0.9)
    return same, f"{page.status}, {'the same' if same else 'another'} place"


@_assume("A cursor leads to the same place with another `per_page`")
def _other_size(account: Account) -> Finding:
    cursor, before = account.second
    half = max(1, len(before.entries) // 2)
    page = account.ask(cursor=cursor, per_page=half)
    same = page.still_holds(before.uuids[:half], share=0.9)
    return same, f"{page.status}, {'the same' if same else 'another'} place"


@_assume("A cursor stays good for days, and leads to the same place")
def _stays_good(account: Account) -> Finding:
    digest = account.service.digest
    cursor, page = account.second
    try:
        kept = json.loads(KEPT.read_bytes())
    except (OSError, ValueError):
        kept = {}
    finding: Finding = None, "one is kept from now on; call again tomorrow"
    # One that was kept for another account says nothing of this one.
    if kept.get("account") == digest("account"):
        now = account.ask(cursor=kept["cursor"], per_page=MOST_PER_PAGE)
        place = set(kept["place"])
        there = len(place & set(map(digest, now.uuids)))
        hours = (time.time() - kept["time"]) / 3600
        did = f"{now.status}, {there} of {len(place)} customers after {hours:.1f} hours"
        # Some may have moved since; a reader, too, counts on no more than half.
        finding = 2 * there >= len(place), did
    if not finding[0]:
        kept = {
            "account": digest("account"),
            "time": time.time(),
            "cursor": cursor,
            "place": [digest(uuid) for uuid in page.uuids],
        }
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept), encoding="utf-8")
    return finding


@_assume("A made-up cursor is refused with 400")
def _bad_cursor(account: Account) -> Finding:
    page = account.ask(cursor="no-cursor")
    words = [name for name in ("code", "message", "param") if name in page.body]
    return page.status == BAD_REQUEST, f"{page.status}, with {', '.join(words) or '-'}"


# Parameters and the key.


@_assume("A filter with a made-up value finds nobody")
def _bad_filters(account: Account) -> Finding:
    _ = account.customers
    source = "ds_00000000-0000-4000-8000-000000000000"
    pages = {
        "external_id": account.of_nobody,
        "data_source_uuid": account.ask(data_source_uuid=source),
        "status": account.ask(status="No_Such_Status"),
        "system": account.ask(system="No Such System"),
    }
    answered = ", ".join(f"`{name}` {page.status}" for name, page in pages.items())
    wrong = [name for name, page in pages.items() if page.entries]
    return _all_but(wrong, f"none found; {answered}")


@_assume("The other filters find customers that have the value")
def _filters(account: Account) -> Finding:
    customer = account.customers[0]
    wrong = []
    for name, field in (
        ("external_id", "external_ids"),
        ("data_source_uuid", "data_source_uuids"),
        ("system", None),  # a customer can have more systems than it shows
    ):
        value = customer["billing-system-type"] if field is None else customer[name]
        found = account.ask(**{name: value}).entries
        if not found or not all(field is None or value in c[field] for c in found):
            wrong.append(name)
    return _all_but(wrong, "so")


STATUSES = {
    word.replace(" ", "_"): word
    for word in (
        *("New Lead", "Working Lead", "Qualified Lead", "Unqualified Lead"),
        *("Active", "Past Due", "Cancelled"),
    )
}
"""The values of the filter, and the words that records have for them."""


@_assume("`status` takes seven values, as `Past_Due`, and finds those customers alone")
def _statuses(account: Account) -> Finding:
    there = {customer.get("status") for customer in account.customers}
    wrong = []
    found = 0
    for value, word in STATUSES.items():
        page = account.ask(status=value, per_page=10)
        words = {customer.get("status") for customer in page.entries}
        found += bool(words)
        # Somebody, if such a customer was seen; nobody else.
        if page.status != OK or not (there & {word}) <= words <= {word}:
            wrong.append(value)
    return _all_but(wrong, f"{found} of 7 found customers")


@_assume("`per_page` above 200 is refused, or taken for 200")
def _too_large(account: Account) -> Finding:
    page = account.ask(per_page=MOST_PER_PAGE + 1)
    did = f"{page.status}, {len(page.entries)} customers"
    if page.status == OK and not account.first.has_more:
        _cannot_tell(f"{did}; the account is too small")
    return page.status == BAD_REQUEST or len(page.entries) == MOST_PER_PAGE, did


@_assume("A wrong key gets 401 and `No valid API key provided`")
def _wrong_key(account: Account) -> Finding:
    page = account.ask(api_key="no-key")
    said = page.body.get("message") == "No valid API key provided"
    did = f"{page.status}, {'these' if said else 'other'} words"
    return page.status == UNAUTHORIZED and said, did


# Customers.


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _object(value: object) -> bool:
    return isinstance(value, dict)


FIELDS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("id", "mrr", "arr"), _number),
    **dict.fromkeys(("attributes", "address"), _object),
    **dict.fromkeys(("data_source_uuids", "external_ids"), _texts),
    **dict.fromkeys(
        (
            *("uuid", "external_id", "name", "email", "status", "customer-since"),
            *("data_source_uuid", "company", "country", "state", "city", "zip"),
            *("lead_created_at", "free_trial_started_at", "billing-system-url"),
            *("chartmogul-url", "billing-system-type", "currency", "currency-sign"),
            *("owner", "website_url"),
        ),
        _text,
    ),
}
"""The fields of a customer, each with its JSON type."""


@_assume("A customer has these fields: the reference page's")
def _fields(account: Account) -> Finding:
    # The reference page does not have these two, and old answers neither.
    expected = FIELDS.keys() - {"owner", "website_url"}
    wrong = [name for c in account.customers for name in sorted(expected - c.keys())]
    return _all_but(wrong, f"{len(account.customers)} customers, all so")


@_assume("A customer has no others but `owner` and `website_url`")
def _no_others(account: Account) -> Finding:
    groups = {"tags", "stripe", "clearbit", "custom"}
    names = {name for c in account.customers for name in c.keys() - FIELDS.keys()}
    names |= {
        f"attributes.{name}"
        for c in account.customers
        for name in c["attributes"].keys() - groups
    }
    # What looks like no name of a field may be somebody's.
    wrong = [n if re.fullmatch("[a-z_.-]{1,50}", n) else "(odd)" for n in sorted(names)]
    return _all_but(wrong, f"{len(account.customers)} customers, all so")


@_assume("The fields have their types, and all but `id` and `uuid` may be null")
def _types(account: Account) -> Finding:
    wrong = [
        name
        for customer in account.customers
        for name, fits in FIELDS.items()
        if (value := customer.get(name)) is not None or name in {"id", "uuid"}
        if not fits(value)
    ]
    return _all_but(wrong, f"{len(account.customers)} customers, all so")


@_assume("`attributes` holds a list of texts, objects, and plain values in `custom`")
def _attributes(account: Account) -> Finding:
    wrong = []
    for customer in account.customers:
        attributes = customer["attributes"]
        if not _texts(attributes.get("tags", [])):
            wrong.append("tags")
        # An empty list stands for an empty object, as PHP has it.
        groups = {n: attributes.get(n) or {} for n in ("stripe", "clearbit", "custom")}
        wrong += [name for name, group in groups.items() if not _object(group)]
        if any(isinstance(value, (dict, list)) for value in groups["custom"].values()):
            wrong.append("custom")
    return _all_but(wrong, f"{len(account.customers)} customers, all so")


@_assume("`mrr` and `arr` are whole cents")
def _money(account: Account) -> Finding:
    wrong = [n for c in account.customers for n in ("mrr", "arr") if (c[n] or 0) % 1]
    return _all_but(wrong, f"{len(account.customers)} customers, all so")


@_assume("A customer's status is one of the seven words, or `Lead`")
def _status_words(account: Account) -> Finding:
    words = {"Lead", *STATUSES.values()}
    others = sum(customer.get("status") not in words for customer in account.customers)
    return not others, f"{len(account.customers)} customers, {others} with another"


@_assume("`customer-since` ends in an offset as `-04:00`, the other times in `.000Z`")
def _times(account: Account) -> Finding:
    day_and_time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    wrong = []
    seen = 0
    for name, end in (
        ("customer-since", r"[+-]\d\d:\d\d"),
        ("lead_created_at", r"\.\d{3}Z"),
        ("free_trial_started_at", r"\.\d{3}Z"),
    ):
        values = [c[name] for c in account.customers if c.get(name) is not None]
        seen += len(values)
        if not all(re.fullmatch(day_and_time + end, value) for value in values):
            wrong.append(name)
    return _all_but(wrong, f"{seen} times, all so") if seen else (None, "none was seen")


# Last, when all others have asked.
@_assume("Fewer than 10 requests a second are let through")
def _limits(account: Account) -> Finding:
    service = account.service
    refused = f"{len(service.repeated)} refused"
    kinds = sorted(set(service.repeated))
    did = f"{service.asked} requests, {refused}" + (f" with {kinds}" if kinds else "")
    return not kinds, did


def _judge(check: Callable[[Account], Finding], account: Account) -> Finding:
    try:
        return check(account)
    except CannotTellError as error:
        return None, str(error)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Another row says what is wrong with it.
        return None, "the answers have another form"


def _seen(account: Account) -> str:
    """Say how much of the account the table rests on."""
    read = sum(len(page.entries) for page in account.pages)
    said = f"Seen: {read} customers on {len(account.pages)} pages, "
    if account.pages[-1].has_more is False:
        return said + "the whole account."
    said += f"of {account.first.body.get('total_pages')} in all"
    return said + (
        ", and the whole of a data source." if account.a_source else "; not the end."
    )


def _table(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(map(str.ljust, row, widths)).rstrip() + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main() -> int:
    """Ask, and print the table.

    Returns:
        The exit code: 1 if an assumption is broken, 2 if nothing could be asked.
    """
    api_key = os.environ.get("API_KEY")
    url = os.environ.get("API_URL") or CHARTMOGUL
    if not api_key:
        return _fail("no key: make live API_KEY=…")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        return _fail("API_URL is to begin with https://, or the key could be read")
    try:
        account = Account(Service(url, api_key))
        if account.first.status != OK:
            return _fail(f"status {account.first.status}; look at the key and API_URL")
        found = {what: _judge(check, account) for what, check in ASSUMPTIONS.items()}
        seen = _seen(account)
    except requests.RequestException as error:
        # Its own words have the address in them, with what was asked for.
        return _fail(f"no answer: {type(error).__name__}; try again later")
    verdicts = {True: "holds", False: "BROKEN", None: "cannot tell"}
    rows = [(verdicts[holds], what, did) for what, (holds, did) in found.items()]
    broken = sum(holds is False for holds, _ in found.values())
    sys.stdout.write(
        f"{seen}\n\n{_table([('', 'Assumption', 'What the service did'), *rows])}\n\n"
        f"{broken} broken. No customer's data is in this table: if one is broken, "
        "please paste it into an issue.\n"
    )
    return 1 if broken else 0


def _fail(why: str) -> int:
    sys.stderr.write(f"live: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
