"""How one page leads to the next, and how a page is decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.api.decoder import CustomerDecoder, LooseCustomer
from tap_chartmogul_customers.api.paging import CursorPaginator
from tap_chartmogul_customers.errors import PagingError

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)  # JSON has neither.
    | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


def advanced(page: dict[str, Any]) -> CursorPaginator:
    paginator = CursorPaginator()
    body = json.dumps({"entries": [], **page}).encode()
    answer, _ = CustomerDecoder().decode(body)
    paginator.advance(answer)  # type: ignore[arg-type]
    return paginator


@given(
    st.fixed_dictionaries(
        {},
        optional={"has_more": json_values | st.booleans(), "cursor": json_values},
    )
)
def test_a_page_is_taken_only_if_it_says_where_to_go_on(page: dict[str, Any]) -> None:
    more, cursor = page.get("has_more"), page.get("cursor")
    if more is False:
        # Whatever cursor it has.
        assert advanced(page).finished
    elif more is True and isinstance(cursor, str) and cursor:
        assert advanced(page).current_value == cursor
    else:
        with pytest.raises(PagingError):
            advanced(page)


@given(
    st.binary()
    | st.fixed_dictionaries({"entries": json_values | st.lists(json_values)}).map(
        lambda page: json.dumps(page).encode()
    )
)
def test_any_body_is_a_page_or_a_named_error(body: bytes) -> None:
    try:
        answer, _ = CustomerDecoder().decode(body)
    except (ValueError, PagingError):
        return
    assert all(isinstance(customer, LooseCustomer) for customer in answer.entries)
