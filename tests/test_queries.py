"""The queries in examples/ answer their questions on a table that was loaded."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests.postgres import ROOT, Database, Pipeline, postgres
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = (ROOT / "examples/queries.sql").read_text()

QUERIES = {
    int(number): query
    for number, query in re.findall(
        r"^-- (\d+)\. .*?\n(.*?;)$", TEXT, flags=re.DOTALL | re.MULTILINE
    )
}

CUSTOMERS = generate_customers(1000, seed=7)


def load(database: Database, folder: Path, **settings: object) -> None:
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        command = Tap(sandbox, folder).command(**settings)
        with Pipeline(command, database, folder) as pipeline:
            run = pipeline.end()
    assert (run.tap_code, run.target_code) == (0, 0)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres() as database:
        load(database, tmp_path_factory.mktemp("queries"))
        yield database


def mrr(customers: list[dict[str, Any]]) -> float:
    return float(sum(customer["mrr"] or 0 for customer in customers)) / 100


def test_there_are_ten() -> None:
    assert list(QUERIES) == list(range(1, 11))


@pytest.mark.parametrize("number", QUERIES)
def test_every_query_finds_something(warehouse: Database, number: int) -> None:
    query = QUERIES[number]
    if number == 10:
        # No two generated customers have one address.
        warehouse.execute("UPDATE customers SET email = 'A@b.c' WHERE id % 2 = 0")
    assert warehouse.execute(query)


def test_every_query_finds_as_much_beside_columns_of_custom_attributes(
    warehouse: Database, tmp_path: Path
) -> None:
    table = warehouse.copy("custom_columns")
    load(table, tmp_path)
    before = {number: len(table.execute(query)) for number, query in QUERIES.items()}
    load(table, tmp_path, custom_attributes_sample_size=1000)
    assert table.execute("SELECT 1 FROM customers WHERE custom_cac IS NOT NULL")
    assert {
        number: len(table.execute(query)) for number, query in QUERIES.items()
    } == before


def test_revenue_by_status_is_that_of_the_customers(warehouse: Database) -> None:
    rows = warehouse.execute(QUERIES[1])
    for status, count in Counter(c["status"] for c in CUSTOMERS).items():
        found = [row for row in rows if row["status"] == status]
        assert sum(row["customers"] for row in found) == count
        expected = mrr([c for c in CUSTOMERS if c["status"] == status])
        assert float(sum(row["mrr"] or 0 for row in found)) == pytest.approx(expected)


def test_revenue_by_tag_counts_every_customer_with_the_tag(
    warehouse: Database,
) -> None:
    tags = Counter(
        tag for c in CUSTOMERS for tag in (c["attributes"].get("tags") or [])
    )
    rows = warehouse.execute(QUERIES[8])
    assert {row["tag"]: row["customers"] for row in rows} == tags
