from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_chartmogul_customers.errors import SettingsError
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Run, Tap

BATCHES = {
    "encoding": {"format": "jsonl", "compression": "gzip"},
    "storage": {"root": "file:///nowhere"},
}


WRONG: list[tuple[str, object, str]] = [
    ("api_key", "", "must have at least one character, and no space"),
    ("api_key", ["a-secret-key"], "is not of type 'string'"),
    ("api_key", 987654321, "is not of type 'string'"),
    ("api_key", " a-secret-key", "must have at least one character, and no space"),
    ("api_key", "a-secret-key\n", "must have at least one character, and no space"),
    ("data_source_uuid", "", "should be non-empty"),
    ("external_id", 5, "is not of type 'string'"),
    ("external_id", True, "is not of type 'string'"),
    ("status", "past due", "is not one of ['New_Lead', "),
    ("status", "Lead", "is not one of ['New_Lead', "),
    ("per_page", 0, "is less than "),
    ("per_page", 201, "is greater than the maximum of "),
    ("per_page", "many", "is not of type 'integer'"),
    ("per_page", "", "is not of type 'integer'"),
    ("per_page", True, "is not of type 'integer'"),
    ("per_page", 7.5, "is not of type 'integer'"),
    ("per_page", "nan", "is not of type 'integer'"),
    ("api_url", "", "should be non-empty"),
    ("api_url", "ftp://127.0.0.1", "must be an address alone, such as https://"),
    ("api_url", "http://api.chartmogul.com/v1", "must start with https://"),
    ("api_url", "https://user:word@127.0.0.1/v1", "must be an address alone"),
    ("request_timeout", 0, "is less than "),
    ("request_timeout", "soon", "is not of type 'number'"),
    ("request_timeout", "", "is not of type 'number'"),
    ("request_timeout", True, "is not of type 'number'"),
    ("request_timeout", "NaN", "is not of type 'number'"),
    ("max_retries", -1, "is less than "),
    ("max_retries", "-Infinity", "is not of type 'integer'"),
    ("parallel_requests", 0, "is less than "),
    ("parallel_requests", 21, "is greater than the maximum of "),
    ("resume_max_age_hours", -0.5, "is less than "),
    ("resume_max_age_hours", "nan", "is not of type 'number'"),
    ("emit_activate_version_messages", "maybe", "is not of type 'boolean'"),
    ("emit_activate_version_messages", 1, "is not of type 'boolean'"),
    ("custom_attributes_sample_size", -1, "is less than "),
    ("flattening_max_depth", "deep", "is not of type 'integer'"),
    ("stream_map_config", "a-secret-key", "is not of type 'object'"),
    ("batch_config", {"encoding": {}}, "must hold `encoding` with `format` and "),
    ("batch_config", BATCHES | {"batch_size": 0}, "must hold `encoding` with "),
    ("batch_config", BATCHES | {"batch_size": -1}, "must hold `encoding` with "),
    ("batch_config", BATCHES | {"batch_size": "x"}, "must hold `encoding` with "),
]


def named(name: str, says: str) -> str:
    return f"The setting `{name}` {says}"


def problems_of(**settings: object) -> tuple[str, ...]:
    """Return what the tap finds wrong with settings; nothing if it takes them."""
    config = {"api_key": "key", **settings}
    try:
        TapChartMogulCustomers(config=config, setup_mapper=False)
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_wrong_setting_is_named_and_what_it_must_be(
    name: str, value: object, says: str
) -> None:
    (problem,) = problems_of(**{name: value})
    assert problem.startswith(named(name, says))
    assert "a-secret-key" not in problem
    assert "987654321" not in problem


@pytest.mark.parametrize("value", ["", ["a-secret-key"], 987654321])
def test_a_wrong_setting_ends_the_run_in_one_line_that_names_it(
    tap: Tap, sandbox: Sandbox, value: object
) -> None:
    run = tap.run(api_key=value)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "| ERROR " in line
    assert "The setting `api_key` " in line
    assert "a-secret-key" not in line
    assert "987654321" not in line
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize("arguments", [["--test"], ["--discover"]])
def test_every_command_says_the_same_of_a_wrong_setting(
    tap: Tap, sandbox: Sandbox, arguments: list[str]
) -> None:
    lines = [tap.run(*which, per_page=0).log.splitlines() for which in ([], arguments)]
    assert len(lines[0]) == len(lines[1]) == 1
    assert lines[0][0].split("|")[1:] == lines[1][0].split("|")[1:]
    assert not sandbox.requests


@pytest.mark.parametrize("arguments", [[], ["--discover"]])
def test_an_unknown_setting_ends_the_run_in_one_line_that_names_it(
    tap: Tap, sandbox: Sandbox, arguments: list[str]
) -> None:
    run = tap.run(*arguments, **{"no_such\nsetting": 1})
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "`no_such setting` is not a setting of this tap" in line
    assert not sandbox.requests


def test_every_setting_that_is_wrong_is_named(tap: Tap) -> None:
    run = tap.run(per_page=0, max_retries=None, system="", other=None)
    assert [line.split(" | ")[-1] for line in run.log.splitlines()] == [
        "`other` is not a setting of this tap",
        named("system", "should be non-empty"),
        named("per_page", "is less than the minimum of 1"),
    ]


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (5, "`stream_maps` is not of type 'object'"),
        ({"customers": 5}, "`stream_maps.customers` is not valid"),
        ({"customers": {"__alias__": 5}}, "`stream_maps.customers.__alias__` is not "),
        ({"customers": {"__else__": 5}}, "`stream_maps.customers.__else__` is not "),
        ({"customers": {"new": "1 +"}}, "`stream_maps` is wrong: Failed to parse "),
        ({"customers": {"uuid": None}}, "`stream_maps` is wrong: Removing key "),
        ({"Customers": {"__else__": None}}, "`stream_maps` maps `Customers`, but "),
        ({"customers": None, "a": {"__source__": "b"}}, "`stream_maps` maps `b`, but "),
        ({"customers": {"__alias__": None}}, "`stream_maps.customers.__alias__` must "),
        (
            {"a": {"__source__": "customers", "__alias__": "b", "zip": None}},
            "`stream_maps.a` must have `__source__` or `__alias__`, not both",
        ),
        ({"customers": {"__fitler__": "1"}}, "`stream_maps.customers.__fitler__` must"),
        ({"customers": {"emial": None}}, "`stream_maps.customers.emial` must name a "),
        ({"customers": {"Email": "__NULL__"}}, "`stream_maps.customers.Email` must "),
        ({"customers": {"new": " "}}, "`stream_maps.customers.new` must be an express"),
    ],
)
def test_a_wrong_stream_map_is_named(
    tap: Tap, sandbox: Sandbox, maps: object, says: str
) -> None:
    run = tap.run(stream_maps=maps)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"The setting {says}" in line
    assert not sandbox.requests


@pytest.mark.parametrize(
    "maps",
    [
        {"cust*": {}},
        {"copy": {"__source__": "customers"}},
        {"__else__": "__NULL__"},
        {"customers": {"email": None, "custom_plan": "__NULL__", "__new": "'a'"}},
        {"customers": {"__filter__": "mrr", "__key_properties__": None}},
    ],
)
def test_a_stream_map_of_the_stream_is_taken(maps: object) -> None:
    assert not problems_of(stream_maps=maps)


def test_flattening_without_a_depth_is_named(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(flattening_enabled=True)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The setting `flattening_max_depth` is missing" in line
    assert not sandbox.requests


def test_null_means_the_default(tap: Tap, sandbox: Sandbox) -> None:
    about: dict[str, Any] = TapChartMogulCustomers.config_jsonschema
    settings: dict[str, object] = dict.fromkeys(about["properties"])
    for name in ("api_key", "api_url"):
        del settings[name]
    run = tap.run(**settings)
    assert run.code == 0
    assert len(run.records) == 60
    assert not run.of_type("ACTIVATE_VERSION")
    assert sandbox.requests[0].query == {"per_page": "200"}


def test_the_address_is_chartmoguls_when_it_is_null() -> None:
    tap = TapChartMogulCustomers(config={"api_key": "key", "api_url": None})
    assert tap.config["api_url"] == "https://api.chartmogul.com/v1"


def test_a_key_that_is_null_is_missing(tap: Tap) -> None:
    run = tap.run(api_key=None)
    assert run.code == 1
    assert "The setting `api_key` is missing" in run.log.splitlines()[-1]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"per_page": "60"}, {"per_page": 60}),
        ({"per_page": " 5 "}, {"per_page": 5}),
        ({"per_page": 200.0}, {"per_page": 200}),
        ({"max_retries": "1e1"}, {"max_retries": 10}),
        ({"request_timeout": "2.5"}, {"request_timeout": 2.5}),
        ({"resume_max_age_hours": "null"}, {"resume_max_age_hours": 6}),
        (
            {"emit_activate_version_messages": "true"},
            {"emit_activate_version_messages": True},
        ),
        ({"stream_map_config": '{"salt": "x"}'}, {"stream_map_config": {"salt": "x"}}),
        ({"external_id": "12"}, {"external_id": "12"}),
        ({"status": "Past Due"}, {"status": "Past_Due"}),
        ({"system": "null"}, {"system": "null"}),
    ],
)
def test_text_and_numbers_are_taken_as_what_they_stand_for(
    given: dict[str, object], taken: dict[str, object]
) -> None:
    tap = TapChartMogulCustomers(config={"api_key": "key", **given})
    for name, value in taken.items():
        assert tap.config[name] == value
        assert type(tap.config[name]) is type(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    name=st.sampled_from(
        sorted(TapChartMogulCustomers.config_jsonschema["properties"])
    ),
    value=JSON,
)
def test_any_value_is_taken_or_named(name: str, value: object) -> None:
    # Flattening needs a depth, which would be missed by its own name.
    given = {"flattening_max_depth": 1, name: value}
    assert all(f"`{name}" in problem for problem in problems_of(**given))


@pytest.mark.parametrize("arguments", [[], ["--test"]])
def test_a_missing_key_ends_the_run_and_is_named(
    tap: Tap, sandbox: Sandbox, arguments: list[str]
) -> None:
    (tap.folder / "empty.json").write_text("{}")
    run = tap.run_plain("--config", str(tap.folder / "empty.json"), *arguments)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The setting `api_key` is missing" in line
    assert not sandbox.requests


def test_a_sample_needs_the_key(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run("--discover", api_key=None, custom_attributes_sample_size=1)
    assert run.code == 1
    assert "The setting `api_key` is missing" in run.log.splitlines()[-1]
    assert not sandbox.requests


@pytest.mark.parametrize("size", [{}, {"batch_size": 1}])
def test_batches_are_taken_with_and_without_a_size(size: dict[str, int]) -> None:
    assert not problems_of(batch_config=BATCHES | size)


def test_batches_and_versions_exclude_each_other(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(emit_activate_version_messages=True, batch_config=BATCHES)
    assert run.code == 1
    assert "`emit_activate_version_messages` and `batch_config`" in run.errors[0]
    assert not sandbox.requests


@pytest.mark.parametrize(
    "url",
    [
        "https://api.chartmogul.com/v1",
        "https://proxy.example.com:8443/chartmogul/v1/",
        "http://localhost:8787/v1",
        "HTTP://LOCALHOST/v1",
        "http://127.0.0.1:8787/v1",
        "http://127.8.9.1",
        "http://[::1]:8787/v1///",
    ],
)
def test_takes_https_anywhere_and_http_on_a_loopback_host(url: str) -> None:
    assert not problems_of(api_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.example.com/v1",
        "http://localhost.example.com",
        "http://evil-localhost",
        "http://loc\N{CYRILLIC SMALL LETTER A}lhost",
        "http://0.0.0.0:8787",
        "http://[::]",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://017700000001",
    ],
)
def test_never_sends_the_key_in_the_clear_to_another_host(url: str) -> None:
    (problem,) = problems_of(api_url=url)
    assert problem.startswith("The setting `api_url` must start with https://")


@pytest.mark.parametrize(
    "url",
    [
        "not an address",
        "https://",
        "https:///v1",
        "https:127.0.0.1",
        "//127.0.0.1",
        " https://127.0.0.1",
        "https://127.0.0.1\n",
        "https://127.0.0.1/v1?page=1",
        "https://127.0.0.1/v1?",
        "https://127.0.0.1/v1#top",
        "https://key@127.0.0.1/v1",
        "http://127.0.0.1\\@example.com",
        "http://[::1",
        "https://127.0.0.1:port/",
        "https://127.0.0.1:99999/",
    ],
)
def test_takes_no_other_address(url: str) -> None:
    (problem,) = problems_of(api_url=url)
    assert problem.startswith("The setting `api_url` must be an address ")


@given(url=st.text())
def test_any_text_for_an_address_is_taken_or_refused(url: str) -> None:
    assert all("`api_url`" in problem for problem in problems_of(api_url=url))


def run_by_environment(
    monkeypatch: pytest.MonkeyPatch, tap: Tap, **settings: str
) -> Run:
    settings = {"api_key": tap.sandbox.api_key, "api_url": tap.sandbox.url, **settings}
    for name, value in settings.items():
        monkeypatch.setenv(f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}", value)
    return tap.run_plain("--config", "ENV")


def test_reads_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tap: Tap, sandbox: Sandbox
) -> None:
    run = run_by_environment(
        monkeypatch,
        tap,
        per_page="50",
        request_timeout="2.5",
        resume_max_age_hours="1",
        emit_activate_version_messages="true",
    )
    assert run.code == 0
    assert len(set(run.uuids)) == 60
    assert len(run.of_type("ACTIVATE_VERSION")) == 1
    assert sandbox.requests[0].query["per_page"] == "50"


@pytest.mark.parametrize(
    "name",
    [
        "per_page",
        "request_timeout",
        "batch_config",
        "emit_activate_version_messages",
        "status",
    ],
)
def test_a_wrong_setting_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, tap: Tap, sandbox: Sandbox, name: str
) -> None:
    run = run_by_environment(monkeypatch, tap, **{name: "much"})
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"The setting `{name}` is not " in line
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        *[("TRUE", True), ("on", True), ("YES", True), ("1", True)],
        *[("False", False), ("off", False), ("No", False), ("0", False)],
    ],
)
def test_takes_the_usual_words_for_true_and_false_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, text: str, *, taken: bool
) -> None:
    name = "emit_activate_version_messages"
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_API_KEY", "key")
    monkeypatch.setenv(f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}", text)
    tap = TapChartMogulCustomers(parse_env_config=True)
    assert tap.config[name] is taken


@pytest.mark.parametrize("text", ["null", ""])
def test_null_and_an_empty_variable_in_the_environment_mean_the_default(
    monkeypatch: pytest.MonkeyPatch, tap: Tap, sandbox: Sandbox, text: str
) -> None:
    run = run_by_environment(monkeypatch, tap, per_page=text, batch_config=text)
    assert run.code == 0
    assert sandbox.requests[0].query == {"per_page": "200"}


def test_every_setting_is_described() -> None:
    about: dict[str, Any] = TapChartMogulCustomers.config_jsonschema
    for name, setting in about["properties"].items():
        assert setting.get("description"), name
        assert setting.get("title"), name
    assert about["properties"]["api_key"]["secret"]


def test_the_schema_of_the_settings_takes_no_unknown_one_either() -> None:
    assert TapChartMogulCustomers.config_jsonschema["additionalProperties"] is False


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


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("per_pag", "per_page"),
        ("apikey", "api_key"),
        ("emit_activate_version", "emit_activate_version_messages"),
    ],
)
def test_an_unknown_setting_names_the_nearest_one(name: str, near: str) -> None:
    (problem,) = problems_of(**{name: "x"})
    assert problem == f"`{name}` is not a setting of this tap: did you mean `{near}`?"
