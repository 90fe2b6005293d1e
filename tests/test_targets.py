"""Two quick targets do what `docs/targets.md` says; `make targets` tries all."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.targets.account import Account
from tests.targets.catalogue import TARGETS
from tests.targets.comparison import REPEATED, ROUNDED, losses, needs_reason
from tests.targets.document import PATH, UNEXPLAINED, written
from tests.targets.scenarios import SCENARIOS, WHOLE, Seen, tried

if TYPE_CHECKING:
    from pathlib import Path

PAGE = PATH.read_text("utf-8")
BY_NAME = {target.name: target for target in TARGETS}

SHARE = Decimal("0.1234567890123456789")
CUSTOMER: dict[str, Any] = {
    "uuid": "cus_1",
    "name": "Łódź 💎",
    "email": None,
    "city": "",
    "since": datetime(2024, 1, 1, 12, tzinfo=UTC),
    "mrr": 4100,
    "attributes": {"tags": ["a", "b"], "share": SHARE},
}


def test_quick_targets_do_what_the_page_says(tmp_path: Path) -> None:
    # So many customers have all that shows on the page.
    account = Account(tmp_path, size=250)
    for name in ("jsonl", "singer-check-tap"):
        seen = tried(BY_NAME[name], account)
        assert written(PAGE, BY_NAME[name], seen) == PAGE


def test_what_has_no_reason_is_marked() -> None:
    seen = dict.fromkeys(SCENARIOS, Seen(WHOLE, frozenset({ROUNDED})))
    assert UNEXPLAINED in written(PAGE, BY_NAME["csv"], seen)


def test_the_page_has_every_target_and_explains_what_was_seen() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == [*BY_NAME]
    assert re.findall(r"^\| .*\]\(#(.+)\) \|", PAGE, re.MULTILINE) == [*BY_NAME]
    assert UNEXPLAINED not in PAGE


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Lodz"},
        {"email": "None"},
        {"since": "2024-01-01T17:30:00"},
        {"mrr": ""},
        {"attributes": "{"},
        {"attributes": {"tags": ["b", "a"], "share": SHARE}},
        {"attributes": {"tags": ["a", "b"]}},
        {"attributes": {"tags": ["a", "b"], "share": float(SHARE)}},
    ],
)
def test_a_value_that_was_lost_is_noticed(changes: dict[str, Any]) -> None:
    found = losses([CUSTOMER], [CUSTOMER | changes])
    assert found
    assert any(map(needs_reason, found))


@pytest.mark.parametrize(
    "changes",
    [
        {"since": "2024-01-01 17:30:00+05:30", "_sdc_version": 1},
        {"since": datetime(2024, 1, 1, 12), "mrr": "4100"},  # noqa: DTZ001
        {"email": "", "city": None},
        {"attributes": f'{{"tags": ["a", "b"], "share": {SHARE}}}'},
        {"attributes": repr(CUSTOMER["attributes"])},
    ],
)
def test_another_way_to_write_a_value_is_none_lost(changes: dict[str, Any]) -> None:
    found = losses([CUSTOMER], [CUSTOMER | changes])
    assert found is not None
    assert not any(map(needs_reason, found))


def test_a_customer_or_version_too_few_or_too_many_is_noticed() -> None:
    other = CUSTOMER | {"name": "Changed"}
    for rows in ([], [CUSTOMER, other], [CUSTOMER | {"uuid": "2"}]):
        assert losses([CUSTOMER], rows) is None
    assert losses([CUSTOMER, other], [CUSTOMER]) is None
    assert losses([CUSTOMER], [CUSTOMER] * 2) == {REPEATED}
