"""The tap as a tool of uv, into a file, as README has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import README, Reader, clone

if TYPE_CHECKING:
    from collections.abc import Iterator

# It makes environments, from packages that are downloaded.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(30, seed=6)
    with Sandbox(customers, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        yield sandbox


def test_shows_a_customer_and_loads_all_into_a_file(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    home, origin = tmp_path / "home", clone(tmp_path / "origin")
    tools = home / ".local/bin"
    tools.mkdir(parents=True)
    (tools / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    url = f"export TAP_CHARTMOGUL_CUSTOMERS_API_URL={sandbox.url}"
    key = "YOUR_API_KEY\n"
    fills_in = {"ADDRESS": f"file://{origin}", key: f"{key}{url}\n"}
    reader = Reader(README, home, fills_in)

    shown = reader.type("tool")
    records = [line for line in shown.splitlines() if '"type":"RECORD"' in line]
    assert [json.loads(line)["record"]["uuid"] for line in records] == [
        sandbox.customers[0]["uuid"]
    ]
    reader.type("file")
    lines = (reader.folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["uuid"] for line in lines} == {
        customer["uuid"] for customer in sandbox.customers
    }
