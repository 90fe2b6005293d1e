"""The quickest targets do what `docs/targets.md` says; `make targets` tries all."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.targets.account import Account
from tests.targets.catalogue import TARGETS
from tests.targets.comparison import REPEATED, losses, needs_reason
from tests.targets.document import PATH, UNEXPLAINED, Report, parts, written
from tests.targets.places import files, json_lines
from tests.targets.scenarios import DELETES, FIRST, SECOND, STOPS, WHOLE, Seen, Trial
from tests.targets.serving import servers
from tests.targets.stand_ins.bigquery import fits
from tests.targets.target import Target, Venv

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = PATH.read_text("utf-8")
QUICK = {
    *("postgres", "postgres-copy", "jsonl", "csv"),
    *("singer-check-tap", "singer-transformer"),
}

CARELESS = """
import json, os, sys, tempfile, time
from pathlib import Path

folder = Path(json.loads(Path(sys.argv[-1]).read_text())["folder"])
cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home()), "loads")
cache.touch()
rows = Path(tempfile.gettempdir(), "customers.jsonl")
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "RECORD":
        with rows.open("a") as file:
            file.write(json.dumps(message["record"]) + "\\n")
    elif message["type"] == "ACTIVATE_VERSION":
        sys.exit("stopped halfway")
rows.rename(folder / time.strftime("%Y%m%dT%H%M%S"))
"""
"""It appends to whatever it left behind, and names files by the second."""

SHARE = Decimal("0.1234567890123456789")
CUSTOMER: dict[str, Any] = {
    "uuid": "cus_1",
    "name": "Łódź 💎",
    "email": None,
    "city": "",
    "since": datetime(2024, 1, 1, 12, tzinfo=UTC),
    "mrr": 4100,
    "attributes": {
        "tags": ["a", "b"],
        "custom": {"pro": True, "share": SHARE},
    },
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with servers:
        # So many have all that shows on the page.
        yield Account(tmp_path_factory.mktemp("account"), size=250)


@pytest.mark.parametrize(
    "target",
    [target for target in TARGETS if target.name in QUICK],
    ids=lambda target: target.name,
)
def test_a_target_does_what_the_page_says(target: Target, account: Account) -> None:
    report = Report(target, Trial(target, account).run())
    assert parts(PAGE)[target.name] == (report.row(), report.section())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no target should write into."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def careless(account: Account, shared: Path) -> dict[str, Seen]:
    target = Target(
        name="careless",
        package="careless",
        program="careless",
        place=files(json_lines, lambda path: {"folder": str(path)}),
        venv=Venv(Path(sys.prefix), Path()),
        prefix=("python", "-c", CARELESS),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
            patch.setenv(name, str(shared))
        return Trial(target, account).run()


def test_a_scenario_sees_nothing_of_another_one_that_stopped(
    careless: dict[str, Seen], shared: Path
) -> None:
    assert careless[DELETES].outcome == STOPS
    assert careless[FIRST].outcome == WHOLE
    assert REPEATED not in careless[FIRST].losses
    assert list(shared.iterdir()) == []


def test_a_quick_load_takes_no_file_from_the_one_before(
    careless: dict[str, Seen],
) -> None:
    assert careless[SECOND].outcome == "appends"


def test_the_page_has_every_target_and_explains_what_was_seen() -> None:
    assert list(parts(PAGE)) == [target.name for target in TARGETS]
    assert UNEXPLAINED not in PAGE
    assert written(PAGE, []) == PAGE


def with_attributes(**attributes: object) -> dict[str, Any]:
    return {**CUSTOMER, "attributes": {**CUSTOMER["attributes"], **attributes}}


@pytest.mark.parametrize(
    "row",
    [
        CUSTOMER | {"name": "Lodz"},
        CUSTOMER | {"email": "None"},
        CUSTOMER | {"city": "None"},
        CUSTOMER | {"since": "2024-01-01 12:00:00+05:30"},
        CUSTOMER | {"since": "2024-01-01T17:30:00"},
        CUSTOMER | {"since": None},
        CUSTOMER | {"mrr": "4.1e2"},
        CUSTOMER | {"mrr": ""},
        CUSTOMER | {"attributes": None},
        CUSTOMER | {"attributes": "{"},
        CUSTOMER | {"attributes": {}},
        {name: value for name, value in CUSTOMER.items() if name != "attributes"},
        with_attributes(tags=["b", "a"]),
        with_attributes(tags=["a"]),
        with_attributes(custom={"pro": True}),
        with_attributes(custom={"pro": "yes", "share": SHARE}),
        with_attributes(custom={"pro": True, "share": 0.12345678901234568}),
        with_attributes(more=1),
    ],
)
def test_a_value_that_was_lost_is_noticed(row: dict[str, Any]) -> None:
    assert any(map(needs_reason, losses([CUSTOMER], [row]) or set()))


@pytest.mark.parametrize(
    "row",
    [
        CUSTOMER,
        CUSTOMER | {"since": "2024-01-01 17:30:00+05:30", "_sdc_version": 1},
        CUSTOMER | {"since": datetime(2024, 1, 1, 12), "mrr": "4100"},  # noqa: DTZ001
        CUSTOMER | {"email": "", "city": None},
        CUSTOMER
        | {
            "attributes": '{"tags": ["a", "b"], "custom": {"pro": true, "share": '
            "0.1234567890123456789}}"
        },
        CUSTOMER
        | {
            "attributes": "{'tags': ['a', 'b'], 'custom': {'pro': True, 'share': "
            "Decimal('0.1234567890123456789')}}"
        },
    ],
)
def test_another_way_to_write_a_value_is_none_lost(row: dict[str, Any]) -> None:
    found = losses([CUSTOMER], [row])
    assert found is not None
    assert not any(map(needs_reason, found))


OTHER = CUSTOMER | {"name": "Changed"}


@pytest.mark.parametrize("rows", [[], [CUSTOMER, OTHER], [CUSTOMER | {"uuid": "2"}]])
def test_a_customer_or_version_too_few_or_too_many_is_noticed(
    rows: list[dict[str, Any]],
) -> None:
    assert losses([CUSTOMER], rows) is None
    assert losses([CUSTOMER, OTHER], [CUSTOMER]) is None


def test_a_customer_who_is_there_twice_is_noticed() -> None:
    assert losses([CUSTOMER], [CUSTOMER] * 2) == {REPEATED}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INTEGER", 2**63),
        ("INTEGER", "1"),
        ("STRING", 1),
        ("BOOLEAN", 1),
        ("TIMESTAMP", "now"),
        ("RECORD", {"city": 1}),
        ("RECORD", []),
    ],
)
@pytest.mark.parametrize("mode", ["NULLABLE", "REPEATED"])
def test_the_stand_in_for_bigquery_refuses_what_does_not_fit(
    kind: str, value: object, mode: str
) -> None:
    field = {"type": kind, "fields": [{"name": "city", "type": "STRING"}]}
    assert not fits({**field, "mode": mode}, [value] if mode == "REPEATED" else value)
    assert fits(field, None)
