"""What the README of the example says, typed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from examples.dbt.history.warehouses import PROJECT, DuckDB, Row
from sandbox import Sandbox
from sandbox.life import Life
from tests.postgres import ROOT, Database, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sandbox.store import Customer

TEXT = (PROJECT / "README.md").read_text("utf-8")

EXAMPLES: dict[str, str] = dict(
    re.findall(r"<!-- test: ([\w ]+) -->\n```\w+\n(.*?)```", TEXT, flags=re.DOTALL)
)

# All that a clone has, and `make install` makes; Meltano's own state is each test's.
SHARED = (
    *("Makefile", "pyproject.toml", "requirements", "examples"),
    *("tap_chartmogul_customers", "README.md", "LICENSE"),
    *(".venv", ".venv-meltano"),
    *(".meltano/.ready", ".meltano/extractors", ".meltano/loaders"),
    ".meltano/utilities",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder like this one."""
    (tmp_path / ".meltano").mkdir()
    for name in SHARED:
        (tmp_path / name).symlink_to(ROOT / name)
    # Meltano takes no link for this one, and make would install what is older.
    shutil.copy2(ROOT / "meltano.yml", tmp_path)
    return tmp_path


@pytest.fixture
def account() -> Iterator[Sandbox]:
    with Sandbox(rate_limit=None, api_key="YOUR_API_KEY") as sandbox:
        Life(sandbox, customers=60)
        yield sandbox


@pytest.fixture
def warehouse() -> Iterator[Database]:
    with postgres() as server:
        yield server.copy("readme")


def type_in(
    clone: Path,
    account: Sandbox,
    *names: str,
    changes: Mapping[str, str] = MappingProxyType({}),
    installed: bool = False,
) -> None:
    """Type examples into one shell.

    Args:
        clone: The folder.
        account: What the tap is to read.
        names: The examples.
        changes: Other values for their variables.
        installed: Whether what they install is there.
    """
    script = "".join(EXAMPLES[name] for name in names)
    if installed:
        script = re.sub(r"^\w+ install.*\n", "", script, flags=re.MULTILINE)
    for variable, value in changes.items():
        script, count = re.subn(f"(?<={variable}=).*", value, script)
        assert count == 1
    subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=clone,
        env=os.environ | {"TAP_CHARTMOGUL_CUSTOMERS_API_URL": account.url},
        check=True,
    )


def change(account: Sandbox) -> tuple[Customer, Customer]:
    """Let a customer cancel, and another be deleted."""
    cancelled, deleted, *_ = (
        customer for customer in account.customers if customer["status"] == "Active"
    )
    account.put(cancelled | {"status": "Cancelled", "mrr": 0, "arr": 0})
    account.remove(deleted["uuid"])
    return cancelled, deleted


def mrr(account: Sandbox) -> int:
    return sum(customer["mrr"] for customer in account.customers)


def test_every_example_has_a_test() -> None:
    assert len(re.findall(r"^```\w+$", TEXT, flags=re.MULTILINE)) == len(EXAMPLES)
    assert set(EXAMPLES) == {
        *("install", "settings", "nightly"),
        *("mrr", "movements", "cancelled", "history", "personal"),
        *("duckdb install", "duckdb nightly"),
    }


def test_every_file_that_is_named_is_there() -> None:
    paths = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    assert paths
    assert [path for path in paths if not (PROJECT / path).exists()] == []


def test_two_nights_on_postgresql_and_the_questions_after_them(
    clone: Path, account: Sandbox, warehouse: Database
) -> None:
    with warehouse.on_a_port() as port:
        settings = {
            "TARGET_POSTGRES_PORT": str(port),
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_DATABASE": warehouse.name,
        }
        nightly = ("install", "settings", "nightly")
        type_in(clone, account, *nightly, changes=settings)
        before = mrr(account)
        a_day_passes(warehouse)
        cancelled, deleted = change(account)
        type_in(clone, account, *nightly, changes=settings, installed=True)

    totals = ask(warehouse, "mrr")
    assert [row["mrr"] * 100 for row in totals] == [before, mrr(account)]
    (movement,) = ask(warehouse, "movements")
    assert movement["movement"] == "churn"
    assert movement["changes"] == 2
    assert movement["amount"] * 100 == mrr(account) - before
    (lost,) = ask(warehouse, "cancelled")
    assert lost["uuid"] == cancelled["uuid"]
    assert lost["mrr_before"] * 100 == cancelled["mrr"]
    (version,) = ask(warehouse, "history", uuid=deleted["uuid"])
    assert version["is_deleted_after"]
    assert version["mrr"] * 100 == deleted["mrr"]
    assert version["valid_to"] == read_at(warehouse)


def a_day_passes(warehouse: Database) -> None:
    """Let it be yesterday when the customers were read."""
    warehouse.execute(
        "UPDATE chartmogul.customers_snapshot"
        " SET dbt_valid_from = dbt_valid_from - interval '1 day'"
    )


def read_at(warehouse: Database) -> datetime:
    (row,) = warehouse.execute(
        "SELECT max(_sdc_extracted_at) FROM tap_chartmogul_customers.customers"
    )
    read: datetime = row["max"]
    return read


def ask(warehouse: Database, name: str, uuid: str = "") -> list[Row]:
    today = read_at(warehouse).date()
    query = re.sub("cus_[0-9-]+", uuid, EXAMPLES[name])
    for written, day in ("03-01", today - timedelta(1)), ("03-31", today):
        query = query.replace(f"DATE '2026-{written}'", f"DATE '{day}'")
    return warehouse.execute(query)


def test_two_nights_on_duckdb(clone: Path, account: Sandbox) -> None:
    nightly = ("install", "settings", "duckdb install", "duckdb nightly")
    type_in(clone, account, *nightly)
    cancelled, deleted = change(account)
    type_in(clone, account, *nightly, installed=True)
    history = DuckDB(clone).rows("customer_history")
    ended = {row["uuid"]: row for row in history if not row["is_current"]}
    assert ended.keys() == {cancelled["uuid"], deleted["uuid"]}
    assert ended[deleted["uuid"]]["is_deleted_after"]
    totals = DuckDB(clone).rows("mrr_by_day")
    last = max(row["day"] for row in totals)
    at_last = sum(row["mrr_cents"] for row in totals if row["day"] == last)
    assert at_last == mrr(account)
