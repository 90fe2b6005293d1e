"""The clone, from its address to loads from the sandbox, and the tap as a tool."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import README, Reader, blocks, changed, clone, commit
from tests.pages.test_meltano import filled_in, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Database

# It makes environments, from packages that are downloaded.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(450, seed=6)
    with Sandbox(customers, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def warehouse(server: Database) -> Database:
    return server.copy("clone")


def give_the_sandbox_a_port_of_its_own(folder: Path) -> int:
    """Put a free port for the one that it has by default, which others may use."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("sandbox/__main__.py", "meltano.yml"):
        text = (folder / name).read_text("utf-8")
        assert text.count("8787") == 1
        (folder / name).write_text(text.replace("8787", str(port)), "utf-8")
    commit(folder)
    return int(port)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("origin"))


def test_the_tap_as_a_tool_of_uv_shows_a_customer_and_loads_all_into_a_file(
    sandbox: Sandbox, origin: Path, tmp_path: Path
) -> None:
    tools = tmp_path / ".local/bin"
    tools.mkdir(parents=True)
    (tools / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    url = f"export TAP_CHARTMOGUL_CUSTOMERS_API_URL={sandbox.url}"
    key = "YOUR_API_KEY\n"
    fills_in = {"ADDRESS": f"file://{origin}", key: f"{key}{url}\n"}
    reader = Reader(README, tmp_path, fills_in)

    shown = reader.type("tool").splitlines()
    (record,) = [line for line in shown if '"type":"RECORD"' in line]
    assert json.loads(record)["record"]["uuid"] == sandbox.customers[0]["uuid"]
    reader.type("file")
    lines = (reader.folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["uuid"] for line in lines} == {
        customer["uuid"] for customer in sandbox.customers
    }


@pytest.fixture(scope="module")
def here(
    sandbox: Sandbox,
    warehouse: Database,
    origin: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Reader:
    """Someone who has cloned it, and uses the clone as their project."""
    home = tmp_path_factory.mktemp("clone")
    port = give_the_sandbox_a_port_of_its_own(origin)
    fills_in = filled_in(sandbox, warehouse) | {
        "ADDRESS": f"file://{origin}",
        "8787": str(port),
    }
    reader = Reader(README, home, fills_in)
    assert "demo/customers.jsonl holds 1,000 customers." in reader.type("clone")
    reader.save(".env")
    here = reader.on("docs/meltano.md")
    here.type("here")
    return here


def test_loads_in_the_clone(
    here: Reader, sandbox: Sandbox, warehouse: Database
) -> None:
    sandbox.requests.clear()
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    assert here.cron("here-cron") == (0, "")
    assert rows(warehouse) == [{"count": len(sandbox.customers)}]


def test_loads_without_an_account(here: Reader, warehouse: Database) -> None:
    readme = here.on("README.md")
    account = (here.folder / ".env").read_text("utf-8")
    of_the_sandbox = dict(
        line.split("=", 1) for line in readme.text("sandbox.env").split()
    )
    kept = [line for line in account.splitlines() if "TAP_" not in line]
    env = "\n".join([*kept, readme.text("sandbox.env")])
    pipe = here.on("docs/pipe.md")
    with here.typing("sandbox") as output:
        while not (printed := output.read_text()):
            time.sleep(0.1)
        address, key = printed.splitlines()
        assert [*of_the_sandbox.values()] == [key.removeprefix("API key: "), address]
        config = {"api_key": key.removeprefix("API key: "), "api_url": address}
        assert json.loads(pipe.text("sandbox.json")) == config

        # With the key of an account in `.env`, and the API's own address.
        (here.folder / ".env").write_text(blocks(README)[".env"], "utf-8")
        here.type("from-sandbox")
        (here.folder / ".env").write_text(env, "utf-8")
        here.type("here")
    lines = (here.folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 5000
    assert rows(warehouse) == [{"count": 5000 + 450}]


def test_git_sees_nothing_of_what_the_page_made(here: Reader) -> None:
    assert changed(here.folder) == ""


def test_cleaning_takes_nothing_of_the_user(here: Reader) -> None:
    kept = [".env", ".meltano/meltano.db", ".meltano/nightly.log", "output"]
    subprocess.run(["/usr/bin/make", "clean"], cwd=here.folder, check=True)
    assert [name for name in kept if not (here.folder / name).exists()] == []
    assert not list(here.folder.glob(".venv*"))
