"""The clone as a Meltano project, as docs/meltano.md has it, and without an account."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, generate_customers
from tests.pages import README, Reader, blocks, changed, clone, commit
from tests.test_docs_meltano import MORE, filled_in, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def give_the_sandbox_a_port_of_its_own(folder: Path) -> None:
    """Put a free port for the one that it has by default, which others may use."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("sandbox/__main__.py", "meltano.yml"):
        text = (folder / name).read_text("utf-8")
        assert text.count("8787") == 1
        (folder / name).write_text(text.replace("8787", str(port)), "utf-8")
    commit(folder)


@pytest.fixture(scope="module")
def here(
    sandbox: Sandbox, warehouse: Database, tmp_path_factory: pytest.TempPathFactory
) -> Reader:
    """Someone who uses the clone as their project."""
    home = tmp_path_factory.mktemp("clone")
    folder = clone(home)
    give_the_sandbox_a_port_of_its_own(folder)
    here = Reader(MORE, home, filled_in(sandbox, warehouse))
    env = Reader(README, home, here.fills_in).text(".env")
    (folder / ".env").write_text(env, "utf-8")
    here.type("here")
    return here


def test_loads_in_the_clone(
    here: Reader, sandbox: Sandbox, warehouse: Database
) -> None:
    sandbox.requests.clear()
    warehouse.execute("DELETE FROM tap_chartmogul_customers.customers")
    assert here.cron("here-cron") == (0, "")
    assert rows(warehouse) == [{"count": len(sandbox.customers)}]


def test_loads_without_an_account(here: Reader) -> None:
    # As the page has it: with a key, and the API's own address.
    (here.folder / ".env").write_text(blocks(README)[".env"], "utf-8")
    with here.typing("sandbox") as output:
        while not (printed := output.read_text()):
            time.sleep(0.1)
        address, key = printed.splitlines()
        assert key.removeprefix("API key: ") in here.text("from-sandbox")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", address)
        here.type("from-sandbox")
    lines = (here.folder / "output/customers.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 5000


def test_git_sees_nothing_of_what_the_page_made(here: Reader) -> None:
    assert changed(here.folder) == ""


def test_cleaning_takes_nothing_of_the_user(here: Reader) -> None:
    kept = [".env", ".meltano/meltano.db", ".meltano/nightly.log", "output"]
    subprocess.run(["/usr/bin/make", "clean"], cwd=here.folder, check=True)
    assert [name for name in kept if not (here.folder / name).exists()] == []
    assert not list(here.folder.glob(".venv*"))
