"""docs/recipes.md does what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import ROOT, blocks
from tests.test_resume import interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Tap

PAGE = ROOT / "docs/recipes.md"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(200, seed=6)
    with Sandbox(customers, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        yield sandbox


def settings(name: str) -> dict[str, Any]:
    example: dict[str, Any] = json.loads(blocks(PAGE)[name])
    return example


def test_filters_by_status_and_system(tap: Tap) -> None:
    run = tap.run(**settings("filters"))
    assert run.code == 0
    assert run.records
    assert {record["status"] for record in run.records} == {"Past Due"}


def test_leaves_out_personal_data(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(**settings("personal"))
    assert run.code == 0
    assert len(run.records) == 200
    assert not any({"name", "owner", "address"} & set(record) for record in run.records)
    written = json.dumps(run.messages, default=str)
    assert all(c["email"] not in written for c in sandbox.customers if c["email"])


def test_makes_columns_of_custom_attributes(tap: Tap) -> None:
    run = tap.run(**settings("custom"))
    assert run.code == 0
    properties = run.messages[0]["schema"]["properties"]
    page = PAGE.read_text("utf-8")
    assert properties["custom_utm_campaign"]["description"] in page
    assert properties["custom_cac"]["type"] == ["integer", "null"]
    assert "stripe_uid" in properties


def test_tells_which_rows_have_gone(tap: Tap) -> None:
    run = tap.run(**settings("deletes"))
    assert len(run.of_type("ACTIVATE_VERSION")) == 1


def test_never_resumes(tap: Tap) -> None:
    unfinished = interrupted(tap, api_key="YOUR_API_KEY")
    run = tap.run(state=unfinished.state, **settings("no-resume"))
    assert len(run.records) == 200
