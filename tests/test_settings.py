from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tap_chartmogul_customers import settings
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.running import TAP, Run, parse

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox
    from tests.running import Tap


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", ""),
        ("api_key", ["a-secret-key"]),
        ("api_key", 987654321),
        ("data_source_uuid", ""),
        ("external_id", 5),
        ("system", ""),
        ("status", "Past Due"),
        ("per_page", 0),
        ("per_page", 201),
        ("per_page", "many"),
        ("api_url", "ftp://127.0.0.1"),
        ("api_url", "http://api.chartmogul.com/v1"),
        ("api_url", "https://user:word@127.0.0.1/v1"),
        ("api_url", "not an address"),
        ("request_timeout", 0),
        ("request_timeout", "soon"),
        ("max_retries", -1),
        ("parallel_requests", 0),
        ("parallel_requests", 21),
        ("resume_max_age_hours", -0.5),
        ("emit_activate_version_messages", "yes"),
        ("custom_attributes_sample_size", -1),
        ("no_such_setting", 1),
        ("flattening_max_depth", "deep"),
    ],
)
def test_a_wrong_setting_ends_the_run_and_is_named(
    tap: Tap, sandbox: Sandbox, name: str, value: object
) -> None:
    run = tap.run(**{name: value})
    assert run.code == 1
    assert any(name in line for line in run.errors)
    assert "Traceback" not in run.log
    assert "a-secret-key" not in run.log
    assert "987654321" not in run.log
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize("arguments", [[], ["--test"]])
def test_a_missing_key_ends_the_run_and_is_named(
    tmp_path: Path, arguments: list[str]
) -> None:
    config = tmp_path / "config.json"
    config.write_text("{}")
    done = subprocess.run(
        [*TAP, "--config", str(config), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "api_key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_config_that_is_no_json_object_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, text: str
) -> None:
    (tap.folder / "bad.json").write_text(text)
    run = tap.run("--config", str(tap.folder / "bad.json"))
    assert run.code == 1
    assert "Traceback" not in run.log
    assert len(run.errors) == 1
    assert not sandbox.requests


def test_batches_and_versions_exclude_each_other(tap: Tap, sandbox: Sandbox) -> None:
    batch = {"encoding": {"format": "jsonl"}, "storage": {"root": "file:///nowhere"}}
    run = tap.run(emit_activate_version_messages=True, batch_config=batch)
    assert run.code == 1
    assert "`emit_activate_version_messages` and `batch_config`" in run.errors[0]
    assert not sandbox.requests


@pytest.mark.parametrize(
    "url",
    [
        "https://api.chartmogul.com/v1",
        "https://proxy.example.com:8443/chartmogul/v1/",
        "http://localhost:8787/v1",
        "http://127.0.0.1:8787/v1",
        "http://127.8.9.1",
        "http://[::1]:8787/v1",
    ],
)
def test_takes_https_anywhere_and_http_on_a_loopback_host(url: str) -> None:
    assert not list(settings.problems({"api_url": url}))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com/v1",
        "http://localhost.example.com",
        "http://0.0.0.0:8787",
        "http://2130706433",
        "https://",
        "//127.0.0.1",
        "https://127.0.0.1/v1?page=1",
        "https://127.0.0.1/v1#top",
        "http://[::1",
        "https://127.0.0.1:port/",
    ],
)
def test_takes_no_other_address(url: str) -> None:
    (problem,) = settings.problems({"api_url": url})
    assert problem.startswith("`api_url` ")


def run_by_environment(sandbox: Sandbox, **settings: str) -> Run:
    settings |= {"api_key": sandbox.api_key, "api_url": sandbox.url}
    variables = {
        f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}": value
        for name, value in settings.items()
    }
    done = subprocess.run(
        [*TAP, "--config", "ENV"],
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )
    return Run(done.returncode, parse(done.stdout), done.stderr.decode())


def test_reads_settings_from_the_environment(sandbox: Sandbox) -> None:
    run = run_by_environment(
        sandbox,
        per_page="50",
        request_timeout="2.5",
        resume_max_age_hours="1",
        emit_activate_version_messages="true",
    )
    assert run.code == 0
    assert len(run.records) == 60
    assert len(run.of_type("ACTIVATE_VERSION")) == 1
    assert sandbox.requests[0].query["per_page"] == "50"


@pytest.mark.parametrize("name", ["per_page", "request_timeout", "batch_config"])
def test_a_wrong_setting_in_the_environment_is_named(
    sandbox: Sandbox, name: str
) -> None:
    run = run_by_environment(sandbox, **{name: "much"})
    assert run.code == 1
    assert any(name in line for line in run.errors)
    assert "Traceback" not in run.log
    assert not sandbox.requests


def test_every_setting_is_described() -> None:
    about: dict[str, Any] = TapChartMogulCustomers.config_jsonschema
    for name, setting in about["properties"].items():
        assert setting.get("description"), name
        assert setting.get("title"), name
    assert about["properties"]["api_key"]["secret"]
