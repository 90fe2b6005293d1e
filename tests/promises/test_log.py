"""What a run logs, in lines and in JSON."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import singer_sdk
import yaml

from sandbox import faults
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox import Sandbox
    from tests.running import Tap


def said(log: str) -> list[str]:
    """The level and the message of each line."""
    lines = [line.split("|", 3) for line in log.splitlines()]
    return [f"{level.strip()} {message.strip()}" for _, level, _, message in lines]


@pytest.fixture
def in_json(tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tap log in JSON, as the SDK's documentation shows it."""
    console = {
        "class": "logging.StreamHandler",
        "formatter": "json",
        "stream": "ext://sys.stderr",
    }
    config = {
        "version": 1,
        "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
        "handlers": {"console": console},
        "root": {"level": "INFO", "handlers": ["console"]},
    }
    (tap.folder / "log.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tap.folder / "log.yaml"))


def entries(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        yield json.loads(line)


def test_says_where_it_starts_and_how_it_ends_and_no_more(tap: Tap) -> None:
    start, end = said(tap.run().log)
    assert start == "INFO Beginning sync of 'customers' in full_table mode"
    assert end.startswith("INFO Read 60 customers on 1 page in ")


def test_says_that_the_stream_is_not_selected(tap: Tap) -> None:
    catalog = json.loads(tap.output("--discover"))
    for entry in catalog["streams"][0]["metadata"]:
        if not entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    run = tap.run(catalog=catalog)
    assert said(run.log) == ["INFO Skipping deselected stream 'customers'."]


@pytest.mark.parametrize("arguments", [["--discover"], ["--about"], ["--version"]])
def test_what_reads_no_customers_logs_nothing(tap: Tap, arguments: list[str]) -> None:
    tap.output(*arguments)
    assert not (tap.folder / "tap.log").read_text()


def test_an_error_is_the_only_line_after_the_start(tap: Tap) -> None:
    run = tap.run(api_key="wrong")
    assert run.code == 1
    _, error = said(run.log)
    assert error.startswith("ERROR GET /v1/customers, page 1: 401 ")


def test_debug_shows_all_that_the_sdk_says(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGLEVEL", "debug")
    sandbox.script({1: faults.status(404)})
    log = tap.run().log
    for text in ("METRIC", "env var", "Meltano SDK v", "An unhandled error occurred"):
        assert text in log
    assert sandbox.api_key not in log


def test_warning_shows_warnings_and_errors_alone(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", "WARNING")
    sandbox.script({1: faults.reset()})
    (warning,) = said(tap.run().log)
    assert warning.startswith("WARNING ")


@pytest.mark.parametrize(
    ("level", "shown"),
    [(logging.DEBUG, False), (logging.INFO, False), (logging.WARNING, True)],
)
def test_of_what_the_sdk_says_warnings_are_shown(
    monkeypatch: pytest.MonkeyPatch, level: int, *, shown: bool
) -> None:
    handler = logging.Handler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    TapChartMogulCustomers.get_singer_command()
    said = logging.LogRecord("sdk", level, singer_sdk.__file__, 1, "Odd", (), None)
    assert bool(handler.filter(said)) is shown


@pytest.mark.usefixtures("in_json")
def test_a_log_in_json_says_the_same(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.script({1: faults.reset(), 2: faults.status(404)})
    logged = [
        f"{entry['level'].upper()} {entry['message']}"
        for entry in entries(tap.run().log)
    ]
    monkeypatch.delenv("SINGER_SDK_LOG_CONFIG")
    sandbox.requests.clear()
    in_lines = said(tap.run().log)
    assert len(logged) == len(in_lines) == 3
    for ours, theirs in zip(logged, in_lines, strict=True):
        assert ours.split(" Try 2 of ")[0] == theirs.split(" Try 2 of ")[0]


@pytest.mark.usefixtures("in_json")
def test_a_wrong_setting_in_json_is_one_short_line(tap: Tap) -> None:
    (line,) = tap.run(per_page=0).log.splitlines()
    assert json.loads(line)["message"].startswith("The setting `per_page` must be ")
    assert len(line) < 400


@pytest.mark.parametrize("text", ["{", "version: 7", "root: [1]"])
def test_a_log_configuration_that_is_none_is_said_in_a_line(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tap.folder / "log.yaml").write_text(text)
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tap.folder / "log.yaml"))
    run = tap.run()
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The log cannot be set up" in line


@pytest.mark.parametrize("name", ["LOGLEVEL", "TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL"])
def test_an_empty_log_level_is_the_usual_one(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "")
    run = tap.run()
    assert run.code == 0
    assert "INFO" in run.log


def test_a_log_level_that_is_none_is_said_in_a_line(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGLEVEL", "loud")
    run = tap.run()
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The log cannot be set up: Unknown level: 'LOUD'" in line
