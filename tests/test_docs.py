"""Every example in README runs, and its tables are those of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, generate_customers
from tests.docs import README, ROOT, written
from tests.postgres import Database, postgres
from tests.test_resume import interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Tap

TEXT = README.read_text()

EXAMPLES: dict[str, str] = dict(
    re.findall(r"<!-- test: ([\w.-]+) -->\n```\w+\n(.*?)```", TEXT, flags=re.DOTALL)
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    customers = generate_customers(200, seed=6)
    with Sandbox(customers, api_key="YOUR_API_KEY", rate_limit=None) as sandbox:
        yield sandbox


def settings(name: str) -> dict[str, Any]:
    example: dict[str, Any] = json.loads(EXAMPLES[name])
    return example


def test_the_tables_in_the_readme_are_those_of_the_code() -> None:
    assert written(TEXT) == TEXT, "run `python -m tests.docs`"


def test_every_example_has_a_test() -> None:
    blocks = re.findall(r"(.*)\n+```(\w+)\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(re.findall(r"^```\w+$", TEXT, flags=re.MULTILINE)) == (
        len(EXAMPLES) + 2  # `make demo` and `make test`, and the diagram
    )
    assert blocks
    tested = set(re.findall(r'"([\w.-]+)"', (ROOT / "tests/test_docs.py").read_text()))
    assert set(EXAMPLES) <= tested


def test_every_file_that_is_named_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    paths = re.findall(r"`(tests/\w+\.py)`", TEXT)
    assert links
    assert paths
    for path in links + paths:
        assert (ROOT / path).exists(), path


def test_a_customer_reaches_a_file_by_hand(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    package = "tap_chartmogul_customers"
    shutil.copytree(ROOT / package, tmp_path / package)

    def shell(script: str) -> None:
        subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, check=True)

    shell(EXAMPLES["install"])
    config = settings("config.json") | {"api_url": sandbox.url}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "target.json").write_text(EXAMPLES["target.json"])
    (tmp_path / "output").mkdir()
    shell(EXAMPLES["jsonl"])
    lines = (tmp_path / "output/customers.jsonl").read_text().splitlines()
    assert [json.loads(line)["uuid"] for line in lines] == [
        customer["uuid"] for customer in sandbox.customers
    ]
    shell("tail -1 state.json > resume.json")
    shell(
        EXAMPLES["jsonl"].replace(
            "--config config", "--state resume.json --config config"
        )
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres() as database:
        yield database


def test_meltano_loads_into_postgresql(
    sandbox: Sandbox, server: Database, project: Path
) -> None:
    warehouse = server.copy("readme")
    script = EXAMPLES["meltano"].replace(
        "postgresql://user:password@host:5432/database", warehouse.url
    )
    path = f"{ROOT / '.venv-meltano/bin'}:{os.environ['PATH']}"
    subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=project,
        env={
            **os.environ,
            "PATH": path,
            "TAP_CHARTMOGUL_CUSTOMERS_API_URL": sandbox.url,
        },
        check=True,
    )
    (row,) = warehouse.execute(
        "SELECT count(*) FROM tap_chartmogul_customers.customers"
    )
    assert row["count"] == 200


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
    assert properties["custom_utm_campaign"]["description"] in TEXT
    assert properties["custom_cac"]["type"] == ["integer", "null"]
    assert "stripe_uid" in properties


def test_tells_which_rows_have_gone(tap: Tap) -> None:
    run = tap.run(**settings("deletes"))
    assert len(run.of_type("ACTIVATE_VERSION")) == 1


def test_never_resumes(tap: Tap) -> None:
    unfinished = interrupted(tap, api_key="YOUR_API_KEY")
    run = tap.run(state=unfinished.state, **settings("no-resume"))
    assert len(run.records) == 200
