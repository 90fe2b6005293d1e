"""docs/recipes.md does what it says, on a table that last night's run filled."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.pages import ROOT, blocks
from tests.postgres import Database, load
from tests.running import Tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = ROOT / "docs/recipes.md"
SCHEMA = "tap_chartmogul_customers"
CUSTOMERS = generate_customers(300, seed=6)
GONE = CUSTOMERS[0]["uuid"]

# What is so short, or a time, can be anything.
ANYTHING = re.compile(r".{0,3}|\d{4,5}|\d{4}-\d\d-\d\d.\d\d:\d\d:.*")

# Fields whose values may say who a customer is.
PERSONAL = {
    *("external_id", "external_ids", "name", "email", "company", "owner"),
    *("website_url", "state", "city", "zip", "address", "attributes"),
    *("billing-system-url", "chartmogul-url"),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return the account, from which a customer has gone since last night."""
    with Sandbox(CUSTOMERS, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        sandbox.remove(GONE)
        yield sandbox


@pytest.fixture(scope="module")
def last_night(server: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    database = server.copy("last_night")
    folder = tmp_path_factory.mktemp("last_night")
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        run(Tap(sandbox, folder), database)
    return database


@pytest.fixture
def database(last_night: Database, request: pytest.FixtureRequest) -> Database:
    """Return a database as last night's plain run left it."""
    return last_night.copy(request.node.name[:60])


def run(
    tap: Tap,
    database: Database,
    target: Mapping[str, object] | None = None,
    **options: Any,
) -> None:
    settings = {"default_target_schema": SCHEMA, "batch_size_rows": 1000}
    load(tap, database, {**settings, **(target or {})}, **options)


def tonight(tap: Tap, database: Database, name: str, **settings: Any) -> None:
    """Run with the settings of a recipe."""
    run(tap, database, **recipe(name) | settings)


def recipe(name: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(blocks(PAGE)[name])
    return settings


def rows(database: Database, table: str = "customers") -> dict[str, dict[str, Any]]:
    found = database.execute(f"SELECT * FROM {SCHEMA}.{table}")  # noqa: S608 - ours
    return {
        row["uuid"]: {k: v for k, v in row.items() if not k.startswith("_sdc_")}
        for row in found
    }


def test_a_filter_has_a_table_of_its_own(tap: Tap, database: Database) -> None:
    before = rows(database)
    tonight(tap, database, "filters", emit_activate_version_messages=True)
    statuses = {row["status"] for row in rows(database, "past_due_customers").values()}
    assert statuses == {"Past Due"}
    assert rows(database) == before


def test_a_filter_on_the_old_table_takes_the_other_rows_if_it_deletes(
    tap: Tap, database: Database
) -> None:
    before = rows(database)
    tonight(tap, database, "filters", stream_maps={})
    assert rows(database) == before
    deletes = {"emit_activate_version_messages": True}
    tonight(tap, database, "filters", stream_maps={}, **deletes)
    assert {row["status"] for row in rows(database).values()} == {"Past Due"}


def test_no_personal_value_is_in_the_database(tap: Tap, database: Database) -> None:
    personal = {
        value
        for customer in CUSTOMERS
        for value in leaves([customer.get(name) for name in PERSONAL])
        if not ANYTHING.fullmatch(value)
    }
    assert len(personal) > 1000
    assert personal <= values(database)

    maps = recipe("no-personal-data.json")
    run(tap, database, stream_maps=maps, emit_activate_version_messages=True)
    database.execute(blocks(PAGE)["drop"])
    table = rows(database, "customers_without_personal_data")
    assert set(table) == {c["uuid"] for c in CUSTOMERS} - {GONE}
    assert not personal & values(database)


def values(database: Database) -> set[str]:
    """Return every value in every table of the database, as text."""
    tables = database.execute("SELECT relname FROM pg_stat_user_tables")
    found = (rows(database, table["relname"]) for table in tables)
    return {value for table in found for value in leaves(table)}


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield str(value)


def test_json_without_a_value_is_null_of_json(
    tap: Tap, database: Database, sandbox: Sandbox
) -> None:
    without, *_ = sandbox.customers
    sandbox.put(without | {"address": None})
    run(tap, database)
    found = database.execute(blocks(PAGE)["with-address"])
    assert {row["uuid"] for row in found} == {*rows(database)} - {without["uuid"]}
    (nulls,) = database.execute(
        "SELECT count(*) FILTER (WHERE address IS NULL) AS of_sql"
        " FROM tap_chartmogul_customers.customers"
    )
    assert nulls == {"of_sql": 0}


def test_flattening_has_a_table_of_its_own(tap: Tap, database: Database) -> None:
    before = rows(database)
    tonight(tap, database, "flattened")
    assert rows(database) == before
    loaded = {
        uuid: json.loads(row["attributes__custom"], parse_float=Decimal)
        for uuid, row in rows(database, "flat_customers").items()
    }
    assert loaded == {
        customer["uuid"]: customer["attributes"]["custom"]
        for customer in tap.sandbox.customers
    }


def test_flattening_does_not_fit_the_old_table(
    tap: Tap, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    before = rows(database)
    tonight(tap, database, "flattened", stream_maps={}, target_code=1)
    assert "Altering columns is not supported" in capfd.readouterr().err
    assert rows(database) == before


def test_custom_attributes_name_their_key(tap: Tap) -> None:
    properties = tap.run(**recipe("custom")).messages[0]["schema"]["properties"]
    page = PAGE.read_text("utf-8")
    assert properties["custom_utm_campaign"]["description"] in page


def test_hard_deletes_take_who_went_before_they_were_switched_on(
    tap: Tap, database: Database
) -> None:
    run(tap, database, recipe("hard-delete"), **recipe("deletes"))
    assert set(rows(database)) == {c["uuid"] for c in CUSTOMERS} - {GONE}


def test_soft_deletes_mark_the_row(tap: Tap, database: Database) -> None:
    run(tap, database, {"hard_delete": False}, **recipe("deletes"))
    marked = database.execute(
        "SELECT uuid FROM tap_chartmogul_customers.customers "
        "WHERE _sdc_deleted_at IS NOT NULL"
    )
    assert [row["uuid"] for row in marked] == [GONE]


def test_a_run_that_never_resumes_reads_everything(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({4: faults.status(422)})
    unfinished = tap.run(per_page=20).state
    again = tap.run(state=unfinished, **recipe("no-resume"))
    assert len(again.records) == len(sandbox.customers)
