"""What a run logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandbox import faults

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Tap


def said(log: str) -> list[str]:
    """The level and the message of each line."""
    lines = [line.split("|", 3) for line in log.splitlines()]
    return [f"{level.strip()} {message.strip()}" for _, level, _, message in lines]


@pytest.mark.parametrize("level", [None, ""])
def test_says_where_it_starts_and_how_it_ends_and_no_more(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, level: str | None
) -> None:
    if level is not None:
        monkeypatch.setenv("LOGLEVEL", level)
        monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", level)
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


@pytest.mark.parametrize("argument", ["--discover", "--about"])
def test_what_reads_no_customers_logs_nothing(tap: Tap, argument: str) -> None:
    tap.output(argument)
    assert not (tap.folder / "tap.log").read_text()


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
    ("variable", "value"), [("LOGLEVEL", "loud"), ("SINGER_SDK_LOG_CONFIG", "log.yaml")]
)
def test_a_log_that_cannot_be_set_up_is_said_in_a_line(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.chdir(tap.folder)
    (tap.folder / "log.yaml").write_text("version: 7")
    monkeypatch.setenv(variable, value)
    run = tap.run()
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The log cannot be set up: " in line
