"""How one page leads to the next."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.decoder import CustomerDecoder
from tap_chartmogul_customers.api.paging import CursorPaginator
from tap_chartmogul_customers.errors import PagingError
from tests.customers import encode, json_values


def advanced(page: dict[str, Any]) -> CursorPaginator:
    paginator = CursorPaginator()
    answer, _ = CustomerDecoder().decode(encode(page))
    paginator.advance(answer)  # type: ignore[arg-type]
    return paginator


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "entries": st.lists(st.just({"uuid": "a"})) | json_values,
            "has_more": st.booleans() | json_values,
            "cursor": st.text() | json_values,
        },
    )
)
@example({"entries": [], "has_more": True, "cursor": "a"})
@example({"entries": [], "has_more": True, "cursor": ""})
@example({"entries": [], "has_more": False})
def test_a_page_is_taken_only_if_it_says_where_to_go_on(page: dict[str, Any]) -> None:
    entries, more, cursor = map(page.get, ("entries", "has_more", "cursor"))
    has_customers = isinstance(entries, list) and all(
        isinstance(entry, dict) and entry.get("uuid") == "a" for entry in entries
    )
    leads_on = more is True and isinstance(cursor, str) and cursor != ""
    if has_customers and (leads_on or more is False):
        paginator = advanced(page)
        assert paginator.finished is not more
        assert paginator.finished or paginator.current_value == cursor
    else:
        with pytest.raises(PagingError):
            advanced(page)
