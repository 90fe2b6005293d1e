"""Settings: what is taken, and what is said of those that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.errors import SettingsError
from tap_chartmogul_customers.tap import TapChartMogulCustomers
from tests.customers import json_values

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Tap

SCHEMA: dict[str, Any] = TapChartMogulCustomers.config_jsonschema

BATCHES = {
    "encoding": {"format": "jsonl", "compression": "gzip"},
    "storage": {"root": "file:///nowhere"},
}

IN_THE_CLEAR = [
    "http://api.chartmogul.com/v1",
    "http://127.0.0.1.example.com/v1",
    "http://localhost.example.com",
    "http://0.0.0.0:8787",
]
NO_ADDRESS = [
    "not an address",
    "ftp://127.0.0.1",
    "https:///v1",
    " https://127.0.0.1",
    "https://127.0.0.1/v1?",
    "https://user:word@127.0.0.1/v1",
    "http://127.0.0.1\\@example.com",
    "http://[::1",
    "https://127.0.0.1:99999/",
]

WRONG: list[tuple[str, object, str]] = [
    ("api_key", "", "must have at least one character, and no space"),
    ("api_key", ["a-secret-key"], "is not of type 'string'"),
    ("api_key", "a-secret-key\n", "must have at least one character, and no space"),
    ("api_key", "a-secret-key\udcff", "is not valid Unicode"),
    ("data_source_uuid", "", "should be non-empty"),
    ("status", "past due", "is not one of ['New_Lead', "),
    ("per_page", 0, "is less than "),
    ("per_page", 201, "is greater than the maximum of "),
    ("per_page", "many", "is not of type 'integer'"),
    ("per_page", 7.5, "is not of type 'integer'"),
    ("api_url", "", "should be non-empty"),
    *(("api_url", url, "must start with https://") for url in IN_THE_CLEAR),
    *(("api_url", url, "must be an address alone, such as ") for url in NO_ADDRESS),
    ("request_timeout", 0, "is less than "),
    ("request_timeout", "NaN", "is not of type 'number'"),
    ("max_retries", -1, "is less than "),
    ("parallel_requests", 0, "is less than "),
    ("parallel_requests", 21, "is greater than the maximum of "),
    ("resume_max_age_hours", -0.5, "is less than "),
    ("emit_activate_version_messages", 1, "is not of type 'boolean'"),
    ("custom_attributes_sample_size", -1, "is less than "),
    ("stream_map_config", "a-secret-key", "is not of type 'object'"),
    ("batch_config", {"encoding": {}}, "must hold `encoding` with `format` and "),
    ("batch_config", BATCHES | {"batch_size": "x"}, "must hold `encoding` with "),
    ("stream_maps", 5, "is not of type 'object'"),
    ("stream_maps", {"Customers": {"__else__": None}}, "maps `Customers`, but "),
    ("stream_maps", {"customers": None, "a": {"__source__": "b"}}, "maps `b`, but "),
    ("stream_maps.customers", {"customers": 5}, "is not valid"),
    ("stream_maps.customers.__else__", {"customers": {"__else__": 5}}, "is not "),
    ("stream_maps.customers.__alias__", {"customers": {"__alias__": None}}, "must be "),
    ("stream_maps.customers.__fitler__", {"customers": {"__fitler__": "1"}}, "must be"),
    ("stream_maps.customers.emial", {"customers": {"emial": None}}, "must name a col"),
    ("stream_maps.customers.new", {"customers": {"new": " "}}, "must be an expression"),
    (
        "stream_maps.a",
        {"a": {"__source__": "customers", "__alias__": "b"}},
        "must have `__source__` or `__alias__`, not both",
    ),
]
"""Settings that are wrong: where, the value of the setting, and what is said."""


def problems_of(**settings: object) -> tuple[str, ...]:
    """Return what the tap finds wrong with settings; nothing if it takes them."""
    config = {"api_key": "key", **settings}
    try:
        TapChartMogulCustomers(config=config, setup_mapper=False)
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(("path", "value", "says"), WRONG)
def test_a_wrong_setting_is_named_and_what_it_must_be(
    path: str, value: object, says: str
) -> None:
    (problem,) = problems_of(**{path.partition(".")[0]: value})
    assert problem.startswith(f"The setting `{path}` {says}")
    assert "a-secret-key" not in problem


@given(name=st.sampled_from(sorted(SCHEMA["properties"])), value=json_values)
def test_any_value_is_taken_or_named(name: str, value: object) -> None:
    # Flattening needs a depth, which would be missed by its own name.
    given = {"flattening_max_depth": 1, name: value}
    assert all(f"`{name}" in problem for problem in problems_of(**given))


@pytest.mark.parametrize("arguments", [[], ["--test"], ["--discover"]])
def test_every_setting_that_is_wrong_ends_the_run_in_a_line_that_names_it(
    tap: Tap, sandbox: Sandbox, arguments: list[str]
) -> None:
    wrong = {"per_page": 0, "max_retries": None, "system": "", "no_such\nsetting": None}
    run = tap.run(*arguments, **wrong)
    assert run.code == 1
    assert [line.split(" | ")[-1] for line in run.log.splitlines()] == [
        "`no_such setting` is not a setting of this tap",
        "The setting `system` should be non-empty",
        "The setting `per_page` is less than the minimum of 1",
    ]
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize(
    ("stream_map", "says"),
    [({"new": "1 +"}, "Failed to parse "), ({"uuid": None}, "Removing key ")],
)
def test_a_stream_map_that_the_sdk_refuses_ends_the_run_in_a_line(
    tap: Tap, sandbox: Sandbox, stream_map: object, says: str
) -> None:
    run = tap.run(stream_maps={"customers": stream_map})
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"The setting `stream_maps` is wrong: {says}" in line
    assert not sandbox.requests


@pytest.mark.parametrize("arguments", [[], ["--discover"]])
def test_a_missing_key_ends_the_run_and_is_named(
    tap: Tap, sandbox: Sandbox, arguments: list[str]
) -> None:
    # Discovery needs the key for the sample alone.
    run = tap.run(*arguments, api_key=None, custom_attributes_sample_size=1)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert line.endswith("The setting `api_key` is missing")
    assert not sandbox.requests


def test_a_key_that_only_the_environment_has_is_said_to_be_unread(
    monkeypatch: pytest.MonkeyPatch, tap: Tap
) -> None:
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_API_KEY", "a-secret-key")
    run = tap.run_plain()
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The setting `api_key` is missing, though the environment has it" in line
    assert "--config ENV" in line
    assert "a-secret-key" not in line


def test_flattening_without_a_depth_is_named() -> None:
    (problem,) = problems_of(flattening_enabled=True)
    assert problem == "The setting `flattening_max_depth` is missing"


def test_batches_and_versions_exclude_each_other() -> None:
    (problem,) = problems_of(emit_activate_version_messages=True, batch_config=BATCHES)
    assert "`emit_activate_version_messages` and `batch_config`" in problem


@pytest.mark.parametrize(
    ("name", "near"),
    [("apikey", "api_key"), ("emit_activate", "emit_activate_version_messages")],
)
def test_an_unknown_setting_names_the_nearest_one(name: str, near: str) -> None:
    (problem,) = problems_of(**{name: "x"})
    assert problem == f"`{name}` is not a setting of this tap: did you mean `{near}`?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream_maps", {"cust*": {}}),
        ("stream_maps", {"copy": {"__source__": "customers"}}),
        ("stream_maps", {"__else__": "__NULL__"}),
        ("stream_maps", {"customers": {"email": None, "custom_a": None, "__n": "'a'"}}),
        ("stream_maps", {"customers": {"__filter__": "1", "__key_properties__": None}}),
        ("batch_config", BATCHES | {"batch_size": 1}),
        ("api_url", "https://proxy.example.com:8443/chartmogul/v1/"),
        ("api_url", "HTTP://LOCALHOST/v1"),
        ("api_url", "http://[::1]:8787/v1///"),
    ],
)
def test_a_right_setting_is_taken(name: str, value: object) -> None:
    assert not problems_of(**{name: value})


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("per_page", " 5 ", 5),
        ("per_page", 200.0, 200),
        ("max_retries", "1e1", 10),
        ("request_timeout", "2.5", 2.5),
        ("resume_max_age_hours", "null", 6),
        *(("emit_activate_version_messages", yes, True) for yes in ("TRUE", "on", "1")),
        *(("emit_activate_version_messages", no, False) for no in ("false", "No", "0")),
        ("stream_map_config", '{"salt": "x"}', {"salt": "x"}),
        ("external_id", "12", "12"),
        ("status", "Past Due", "Past_Due"),
        ("system", "null", "null"),
        ("api_url", None, "https://api.chartmogul.com/v1"),
    ],
)
def test_text_and_numbers_are_taken_as_what_they_stand_for(
    name: str, given: object, taken: object
) -> None:
    tap = TapChartMogulCustomers(config={"api_key": "key", name: given})
    assert tap.config[name] == taken
    assert type(tap.config[name]) is type(taken)


def test_settings_are_read_from_the_environment_where_empty_means_not_set(
    monkeypatch: pytest.MonkeyPatch, tap: Tap, sandbox: Sandbox
) -> None:
    settings = {
        "api_key": sandbox.api_key,
        "api_url": sandbox.url,
        "per_page": "50",
        "emit_activate_version_messages": "true",
        "max_retries": "",
        "system": "",
        "batch_config": "",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}", value)
    run = tap.run_plain("--config", "ENV")
    assert run.code == 0
    assert len(set(run.uuids)) == 60
    assert len(run.of_type("ACTIVATE_VERSION")) == 1
    assert sandbox.requests[0].query == {"per_page": "50"}
