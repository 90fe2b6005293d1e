"""The tap under Meltano, as meltano.yml has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import API_KEY, Sandbox, faults, generate_customers
from tests.customers import as_promised, with_timestamps_read
from tests.meltano import RUN, TAP, meltano, settings
from tests.servers import proxy

if TYPE_CHECKING:
    from pathlib import Path

exact = partial(json.loads, parse_float=Decimal)


def load(project: Path, sandbox: Sandbox, **values: object) -> list[dict[str, Any]]:
    """Let Meltano load the sandbox's customers, and return what this run wrote."""
    file = project / "output/customers.jsonl"
    file.unlink(missing_ok=True)
    values |= {"api_url": sandbox.url, "api_key": sandbox.api_key}
    shown = meltano(project, *RUN, **settings(TAP, **values))
    assert shown.code == 0, shown.log
    return [exact(line) for line in file.read_text("utf-8").splitlines()]


def test_loads_whole_customers_with_settings_of_every_kind(
    project: Path,
) -> None:
    with Sandbox(generate_customers(60, seed=1)) as sandbox:
        loaded = load(
            project,
            sandbox,
            status="Past_Due",
            per_page=7,
            request_timeout=30.5,
            emit_activate_version_messages="true",
            stream_maps='{"customers": {"email": "__NULL__"}}',
        )
        past_due = [c for c in sandbox.customers if c["status"] == "Past Due"]
        assert {r.query["per_page"] for r in sandbox.requests} == {"7"}
    expected = [as_promised(customer) for customer in past_due]
    for customer in expected:
        del customer["email"]
    assert [with_timestamps_read(record) for record in loaded] == expected


def test_keeps_the_columns_of_custom_attributes_and_their_types(project: Path) -> None:
    by_hand = {"type": ["string", "null"], "description": 'attributes.custom["CAC"]'}
    values = {
        "custom_attributes_sample_size": 1000,
        "per_page": 50,
        "_select": '["*.*", "!customers.custom_pro"]',
        "_schema": json.dumps({"customers": {"custom_cac": by_hand}}),
    }
    with Sandbox(generate_customers(50, seed=1)) as sandbox:
        loaded = load(project, sandbox, **values)
        assert len(sandbox.requests) == 2
        # The second time the catalog is there, and nothing is discovered.
        assert load(project, sandbox, **values) == loaded
        assert len(sandbox.requests) == 3
        customers = {customer["uuid"]: customer for customer in sandbox.customers}
    assert {record["uuid"] for record in loaded} == customers.keys()
    for record in loaded:
        sent = customers[record["uuid"]]["attributes"]["custom"]
        assert record["attributes"]["custom"] == sent
        assert record["custom_utm_campaign"] == sent.get("utmCampaign")
        cost = sent.get("CAC")
        assert record["custom_cac"] == (None if cost is None else str(cost))
        assert "custom_pro" not in record


@pytest.mark.usefixtures("direct")
def test_what_env_says_of_proxy_and_certificates_reaches_the_tap(
    project: Path, secure: str, bundle: str
) -> None:
    seen: list[bytes] = []
    with proxy(seen) as address:
        variables = {
            **settings(TAP, api_key=API_KEY, api_url=secure),
            "HTTPS_PROXY": f"http://{address}",
            "REQUESTS_CA_BUNDLE": bundle,
        }
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (project / ".env").write_text("".join(lines))
        shown = meltano(project, "config", "test", TAP)
    assert shown.code == 0, shown.log
    assert seen


@pytest.mark.parametrize(
    ("command", "values", "says"),
    [
        (RUN, {}, "The setting `api_key` is missing"),
        (
            ("config", "test", TAP),
            {"per_page": "0", "api_key": "a-secret-key"},
            "The setting `per_page` is less than the minimum of 1",
        ),
    ],
)
def test_the_last_line_of_the_tap_names_the_setting_that_is_wrong(
    project: Path, command: tuple[str, ...], values: dict[str, str], says: str
) -> None:
    shown = meltano(project, *command, **settings(TAP, **values))
    assert shown.code != 0
    # Meltano shows what the tap logs in its own way, or as it came: as JSON.
    ours = ("] tap-chartmogul-customers ", '"logger_name":"tap-chartmogul-customers')
    lines = [line for line in shown.log.splitlines() if any(x in line for x in ours)]
    assert says in lines[-1]
    assert "a-secret-key" not in shown.output + shown.log
    assert "Traceback" not in shown.log


def demo(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=project,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_leaves_alone_what_is_loaded_by_hand(project: Path) -> None:
    with Sandbox(generate_customers(250, seed=2)) as sandbox:
        by_hand = settings(TAP, api_url=sandbox.url, api_key=sandbox.api_key)
        sandbox.script({2: faults.status(401)})
        assert meltano(project, *RUN, **by_hand).code != 0
        sandbox.script({})
        shown = demo(project, API_KEY=sandbox.api_key, **by_hand)
        assert shown.returncode == 0, shown.stderr
        assert "demo/customers.jsonl holds 250 customers." in shown.stdout
        sandbox.requests.clear()
        load(project, sandbox)
    (resumed,) = sandbox.requests
    assert "cursor" in resumed.query


def test_a_demo_that_fails_shows_no_key_and_keeps_what_was_there(project: Path) -> None:
    before = project / "demo/customers.jsonl"
    before.parent.mkdir()
    before.write_text("of before")
    with Sandbox() as sandbox:
        url = settings(TAP, api_url=sandbox.url)
        shown = demo(project, API_KEY="key-of-nobody", **url)
    assert shown.returncode != 0
    assert "No valid API key provided" in shown.stderr
    assert "key-of-nobody" not in shown.stdout + shown.stderr
    assert before.read_text() == "of before"
    assert list(before.parent.iterdir()) == [before]
