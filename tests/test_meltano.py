"""The tap under the Meltano CLI, as meltano.yml has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import API_KEY, Sandbox, faults, generate_customers
from sandbox.traffic import connections
from tests import forks
from tests.servers import proxy

ROOT = Path(__file__).parents[1]
TAP = "tap-chartmogul-customers"
RUN = ["run", "--no-install", TAP, "target-jsonl"]
TIMESTAMPS = ("customer_since", "lead_created_at", "free_trial_started_at")

# Meltano 4.4 breaks down over a `decimal` from the environment; the tap takes text too.
MELTANO_KINDS = {"number": "string"}


def meltano(project: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    """Run Meltano with settings of the tap in its environment.

    Returns:
        Its exit code, and what it showed.
    """
    variables = {
        f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}": value
        for name, value in settings.items()
    }
    output, log = project / "meltano.out", project / "meltano.log"
    code = forks.run(
        *(forks.MELTANO, arguments, output, log),
        folder=project,
        environment=os.environ | variables,
    )
    return code, output.read_text() + log.read_text()


def load(project: Path, sandbox: Sandbox, **settings: str) -> list[dict[str, Any]]:
    """Let Meltano load the sandbox's customers, and return what it wrote."""
    settings |= {"api_url": sandbox.url, "api_key": sandbox.api_key}
    code, shown = meltano(project, *RUN, **settings)
    assert code == 0, shown
    lines = (project / "output/customers.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def as_promised(customer: dict[str, Any]) -> dict[str, Any]:
    """A customer of the API as its record should be, with timestamps read."""
    record = {name.replace("-", "_"): value for name, value in customer.items()}
    record.setdefault("website_url", None)
    return with_timestamps_read(record)


def with_timestamps_read(record: dict[str, Any]) -> dict[str, Any]:
    return record | {
        name: record[name] and datetime.fromisoformat(record[name])
        for name in TIMESTAMPS
    }


def test_meltano_loads_every_customer_whole(project: Path) -> None:
    with Sandbox(generate_customers(450, seed=1)) as sandbox:
        loaded = load(project, sandbox)
        expected = [as_promised(customer) for customer in sandbox.customers]
    assert [with_timestamps_read(record) for record in loaded] == expected


def test_meltano_hands_on_what_the_next_sync_is_read_in_ranges_by(
    project: Path,
) -> None:
    pages, per_page = 20, 10
    customers = generate_customers(pages * per_page, seed=1)
    with Sandbox(customers, rate_limit=None) as sandbox:
        first = load(project, sandbox, per_page=str(per_page))
        assert connections(sandbox.requests) == 1
        sandbox.requests.clear()
        second = load(project, sandbox, per_page=str(per_page))[len(first) :]
    assert connections(sandbox.requests) == 2
    assert len(sandbox.requests) < pages * 1.2
    everyone = {customer["uuid"] for customer in customers}
    assert {c["uuid"] for c in first} == {c["uuid"] for c in second} == everyone


def test_meltano_takes_settings_of_every_kind_from_the_environment(
    project: Path,
) -> None:
    with Sandbox(generate_customers(100, seed=1)) as sandbox:
        loaded = load(
            project,
            sandbox,
            status="Past_Due",
            per_page="7",
            request_timeout="30.5",
            emit_activate_version_messages="true",
            stream_maps='{"customers": {"email": "__NULL__"}}',
        )
        past_due = [c for c in sandbox.customers if c["status"] == "Past Due"]
        assert {r.query["per_page"] for r in sandbox.requests} == {"7"}
    assert [c["uuid"] for c in loaded] == [c["uuid"] for c in past_due]
    assert not any("email" in customer for customer in loaded)


def test_meltano_keeps_the_columns_of_custom_attributes_and_their_types(
    project: Path,
) -> None:
    by_hand = {"type": ["string", "null"], "description": 'attributes.custom["CAC"]'}
    settings = {
        "custom_attributes_sample_size": "1000",
        "per_page": "50",
        "_select": '["*.*", "!customers.custom_pro"]',
        "_schema": json.dumps({"customers": {"custom_cac": by_hand}}),
    }
    with Sandbox(generate_customers(50, seed=1)) as sandbox:
        loaded = load(project, sandbox, **settings)
        assert len(sandbox.requests) == 2
        # The second time the catalog is there, and nothing is discovered.
        again = load(project, sandbox, **settings)[len(loaded) :]
        assert len(sandbox.requests) == 3
        customers = {customer["uuid"]: customer for customer in sandbox.customers}
    assert again == loaded
    assert len(loaded) == 50
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
            "TAP_CHARTMOGUL_CUSTOMERS_API_KEY": API_KEY,
            "TAP_CHARTMOGUL_CUSTOMERS_API_URL": secure,
            "HTTPS_PROXY": f"http://{address}",
            "REQUESTS_CA_BUNDLE": bundle,
        }
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (project / ".env").write_text("".join(lines))
        code, shown = meltano(project, "config", "test", TAP)
    assert code == 0, shown
    assert seen


def test_meltano_yml_has_the_settings_of_the_tap() -> None:
    about = json.loads(
        subprocess.run(
            [Path(sys.executable).with_name(TAP), "--about", "--format=json"],
            capture_output=True,
            check=True,
        ).stdout
    )
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (extractor,) = project["plugins"]["extractors"]

    assert {
        setting["name"]: in_short(setting) for setting in extractor["settings"]
    } == {
        name: as_meltano_has_it(setting)
        for name, setting in about["settings"]["properties"].items()
    }
    assert extractor["settings_group_validation"] == [about["settings"]["required"]]
    assert sorted(extractor["capabilities"]) == sorted(about["capabilities"])


def in_short(setting: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": setting["label"],
        "kind": setting["kind"],
        "default": setting.get("value"),
        "options": [option["value"] for option in setting.get("options", [])],
        "sensitive": setting.get("sensitive", False),
        "description": setting["description"],
    }


def as_meltano_has_it(setting: dict[str, Any]) -> dict[str, Any]:
    (type_,) = {*setting["type"]} - {"null"}
    kind = "options" if "enum" in setting else MELTANO_KINDS.get(type_, type_)
    return {
        "label": setting["title"],
        "kind": kind,
        "default": setting.get("default"),
        "options": setting.get("enum", []),
        "sensitive": setting.get("secret", False),
        "description": setting["description"],
    }


def demo(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=project,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_demo_shows_what_it_loads_now_and_nothing_of_before(project: Path) -> None:
    before = {"uuid": "of before", "currency": "EUR", "status": "Active", "mrr": 1}
    (project / "demo").mkdir()
    (project / "demo/customers.jsonl").write_text(json.dumps(before) + "\n")
    shown = demo(project)
    assert shown.returncode == 0, shown.stderr
    assert "demo/customers.jsonl holds 1,000 customers." in shown.stdout
    exact = partial(json.loads, parse_float=Decimal)
    with (project / "demo/customers.jsonl").open(encoding="utf-8") as lines:
        first = exact(next(lines))
    example = shown.stdout.partition("One of them:\n")[2]
    assert exact(example.partition("\n}\n")[0] + "}") == first


def test_demo_leaves_alone_what_is_loaded_by_hand(project: Path) -> None:
    customers = generate_customers(600, seed=2)
    with Sandbox(customers) as sandbox:
        sandbox.script({3: faults.status(402)})
        by_hand = {"api_url": sandbox.url, "api_key": sandbox.api_key}
        assert meltano(project, *RUN, **by_hand)[0] != 0
        shown = demo(
            project,
            API_KEY=sandbox.api_key,
            TAP_CHARTMOGUL_CUSTOMERS_API_URL=sandbox.url,
        )
        assert shown.returncode == 0, shown.stderr
        resumed = load(project, sandbox)
    assert "cursor" in sandbox.requests[-1].query
    assert [c["uuid"] for c in resumed] == [c["uuid"] for c in sandbox.customers]


def test_demo_that_fails_shows_no_api_key_and_keeps_what_was_there(
    project: Path,
) -> None:
    before = project / "demo/customers.jsonl"
    before.parent.mkdir()
    before.write_text("of before")
    with Sandbox() as sandbox:
        shown = demo(
            project,
            API_KEY="key-of-nobody",
            TAP_CHARTMOGUL_CUSTOMERS_API_URL=sandbox.url,
        )
    assert shown.returncode != 0
    assert "No valid API key provided" in shown.stderr
    assert "key-of-nobody" not in shown.stdout + shown.stderr
    assert before.read_text() == "of before"
    assert list(before.parent.iterdir()) == [before]


@pytest.mark.parametrize("arguments", [RUN, ["config", "test", TAP]])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"per_page": "0", "api_key": "a-secret-key"},
            "The setting `per_page` must be an integer from 1 to 200",
        ),
        ({}, "The setting `api_key` is missing"),
    ],
)
def test_meltano_shows_which_setting_is_wrong_or_missing(
    project: Path, arguments: list[str], settings: dict[str, str], says: str
) -> None:
    code, shown = meltano(project, *arguments, **settings)
    assert code != 0
    assert says in shown
    assert "a-secret-key" not in shown
    assert "Traceback" not in shown
    assert len(shown) < 4000
    last = [line for line in shown.splitlines() if "The setting" in line][-1]
    assert last.count("The setting") == 1
