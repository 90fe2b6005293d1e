from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.errors import PagingError
from tap_chartmogul_customers.pagination import CursorPaginator, decode_page
from tests.test_records import json_values

if TYPE_CHECKING:
    from tap_chartmogul_customers.pagination import Page, PageResponse


def page(**fields: Any) -> Page:
    return decode_page(json.dumps({"entries": [], **fields}).encode())


def answer(**fields: Any) -> requests.Response:
    response = requests.Response()
    cast("PageResponse", response).page = page(**fields)
    return response


def follow(*pages: dict[str, Any], start: str | None = None) -> list[str | None]:
    """Return the cursors that a paginator asks for, given these pages."""
    paginator = CursorPaginator(start)
    asked = []
    for fields in pages:
        asked.append(paginator.current_value)
        paginator.advance(answer(**fields))
    assert paginator.finished
    return asked


def test_follows_cursors_until_has_more_is_false() -> None:
    more = {"has_more": True}
    asked = follow(
        more | {"cursor": "a"},
        more | {"cursor": "b"},
        {"has_more": False, "cursor": "c"},
    )
    assert asked == [None, "a", "b"]


def test_starts_at_a_cursor() -> None:
    assert follow({"has_more": False}, start="a") == ["a"]


@pytest.mark.parametrize("again", ["a", "b", "c"])
def test_refuses_any_cursor_that_came_before(again: str) -> None:
    paginator = CursorPaginator("a")
    for cursor in ("b", "c"):
        paginator.advance(answer(has_more=True, cursor=cursor))
    with pytest.raises(PagingError, match="page 3: its `cursor` came before"):
        paginator.advance(answer(has_more=True, cursor=again))


def test_continues_after_an_empty_page() -> None:
    response = answer(has_more=True, cursor="a")
    assert CursorPaginator().continue_if_empty(response)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [(3, 3), (1, 1), (0, None), (-1, None), (True, None), (3.0, None), ("3", None)],
)
def test_a_number_of_pages_is_taken_if_it_can_be_one(
    sent: object, taken: int | None
) -> None:
    got = page(has_more=False, total_pages=sent).total_pages
    assert (got, type(got)) == (taken, type(taken))


def test_a_page_is_the_first_unless_it_is_said() -> None:
    body = b'{"entries":[],"has_more":false}'
    assert (decode_page(body).number, decode_page(body, 7).number) == (1, 7)


@pytest.mark.parametrize(("sent", "taken"), [("a", "a"), ("", None), (5, None)])
def test_the_last_page_may_have_any_cursor(sent: object, taken: str | None) -> None:
    assert page(has_more=False, cursor=sent).cursor == taken


def test_numbers_are_exact() -> None:
    (entry,) = decode_page(b'{"entries":[{"a":0.10}],"has_more":false}').entries
    assert str(entry["a"]) == "0.10"
    assert entry["a"] == Decimal("0.1")


@given(
    st.binary() | json_values.map(lambda value: json.dumps(value, default=str).encode())
)
def test_any_body_is_a_page_or_a_named_error(body: bytes) -> None:
    try:
        page = decode_page(body)
    except (ValueError, PagingError):
        return
    assert page.entries is not None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "entries": json_values | st.just([]),
            "has_more": json_values | st.booleans(),
            "cursor": json_values,
            "total_pages": json_values,
        },
    )
)
def test_a_page_is_taken_only_if_it_leads_to_the_next_one(page: dict[str, Any]) -> None:
    try:
        taken = decode_page(json.dumps(page, default=str).encode())
    except PagingError:
        sound = (
            isinstance(page.get("entries"), list)
            and all(isinstance(entry, dict) for entry in page["entries"])
            and isinstance(page.get("has_more"), bool)
            and (
                not page["has_more"]
                or (isinstance(page.get("cursor"), str) and page["cursor"])
            )
        )
        assert not sound
    else:
        assert isinstance(taken.has_more, bool)
        assert not taken.has_more or taken.cursor


@pytest.mark.parametrize(
    "body",
    [
        b'{"entries": 5, "has_mo',
        b"[1,",
        b'{"entries": [5], "has_more": tru',
        b"[" * 9999,
    ],
)
def test_a_body_that_is_cut_is_not_json_whatever_it_begins_with(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        decode_page(body)
