"""The files that the command line names: settings, catalog, state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Sandbox
    from tests.running import Tap


def typed(**types: object) -> dict[str, Any]:
    """Return the part of a catalog that types columns so; without a type for none."""
    columns = {name: {"type": each} if each else {} for name, each in types.items()}
    return {"schema": {"properties": columns}}


DESELECTED = [{"breadcrumb": ["properties", "uuid"], "metadata": {"selected": False}}]

BROKEN = {
    b"": "is not JSON: ",
    b"{": "is not JSON: ",
    b'{"api_key": "a-secret-key"': "is not JSON: ",
    b"[" * 100_000: "is not JSON: ",
    b'{"per_page": 1%s}' % (b"0" * 5000): "is not JSON: ",
    b"[1]": "is not a JSON object",
    b"null": "is not a JSON object",
    '{"system": "Bücher"}'.encode("latin-1"): "is not UTF-8 (see its byte 14)",
    '{"system": "x"}'.encode("utf-16"): "is not UTF-8 (see its byte 1)",
}
"""Files that hold no JSON object, with what is said of each."""


@pytest.mark.parametrize(("data", "says"), BROKEN.items())
@pytest.mark.parametrize("option", ["--config", "--catalog"])
def test_a_file_that_is_no_json_object_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, option: str, data: bytes, says: str
) -> None:
    file = tap.folder / "broken.json"
    file.write_bytes(data)
    run = tap.run(option, str(file))
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"The {option[2:]} file '{file}' {says}" in line
    assert "a-secret-key" not in line
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_cannot_be_read_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, option: str, kind: str
) -> None:
    (tap.folder / "folder").mkdir()
    run = tap.run(option, str(tap.folder / kind))
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert str(tap.folder / kind) in line
    assert option[2:] in line
    assert {"missing": "No such file", "folder": "s a directory"}[kind] in line
    assert not sandbox.requests


def test_about_says_what_is_wrong_with_a_config_too(tap: Tap) -> None:
    run = tap.run_plain("--config", str(tap.folder / "missing"), "--about")
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "The config file " in line


def test_takes_files_with_a_byte_order_mark(tap: Tap, sandbox: Sandbox) -> None:
    catalog = tap.output("--discover")
    config = json.dumps({"api_key": sandbox.api_key, "api_url": sandbox.url})
    for name, text in {"config": config, "catalog": catalog, "state": "{}"}.items():
        (tap.folder / name).write_text(text, "utf-8-sig")
    run = tap.run_plain(
        *[f"--{name}={tap.folder / name}" for name in ("config", "catalog", "state")]
    )
    assert run.code == 0
    assert len(run.records) == 60
    assert not run.warnings


def test_a_later_config_overrides_an_earlier_one(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tap.folder / "more.json").write_text('{"per_page": 30, "system": null}')
    monkeypatch.chdir(tap.folder)
    run = tap.run("--config", "more.json", per_page=10, system="Stripe")
    assert len(run.records) == 60
    assert sandbox.requests[0].query == {"per_page": "30"}


def test_reads_utf_8_whatever_the_locale_is(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    (tap.folder / "umlaut.json").write_bytes('{"system": "Bücher"}'.encode())
    tap.run("--config", str(tap.folder / "umlaut.json"))
    assert sandbox.requests[0].query["system"] == "Bücher"


@pytest.mark.parametrize(
    "catalog",
    [
        {"streams": 5},
        {"streams": [{}]},
        {"streams": [5]},
        {"streams": [{"tap_stream_id": "customers"}]},
        {"streams": [{"tap_stream_id": "customers", "schema": 5}]},
        {"streams": [{"tap_stream_id": "customers", "metadata": 5}]},
        {"streams": [{"tap_stream_id": "customers", "metadata": [5]}]},
        {"streams": [{"tap_stream_id": "customers", "schema": {"properties": 5}}]},
        {
            "streams": [
                {
                    "tap_stream_id": "customers",
                    "schema": {"properties": {}},
                    "key_properties": 5,
                }
            ]
        },
    ],
)
def test_a_catalog_that_is_none_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, catalog: object
) -> None:
    run = tap.run(catalog=catalog)
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert "catalog.json' is not a Singer catalog: " in line
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"key_properties": ["nope", "no"]}, "lacks the column `nope`, which is a key"),
        ({"schema": {"properties": {}}}, "lacks the column `uuid`, which is a key"),
        ({"stream": "renamed"}, "gives `customers` another name: rename it with "),
        ({"tap_stream_id": "a"}, "has no stream with the `tap_stream_id` `customers`"),
        ({"metadata": DESELECTED}, "deselects the column `uuid`, which is a key"),
        (typed(uuid="integer"), "has a wrong type for the column `uuid`, which is a"),
        (typed(uuid="string", **{'a"b': "string"}), "has a column 'a\"b', a name that"),
        (typed(uuid="string", **{"a\tb": None}), "has a column 'a\\tb', a name that"),
        (typed(uuid=None), "has a wrong type for the column `uuid`, which is a key"),
        (typed(uuid="string", name=5), "has a type for the column `name` that JSON"),
        (typed(uuid="string", name=[5]), "has a type for the column `name` that JSON"),
    ],
)
def test_a_catalog_that_no_record_fits_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, entry: dict[str, object], says: str
) -> None:
    (customers,) = json.loads(tap.output("--discover"))["streams"]
    run = tap.run(catalog={"streams": [customers | entry]})
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"catalog.json' {says}" in line
    assert not sandbox.requests
    assert not run.messages


def test_a_catalog_without_the_stream_ends_the_run_in_one_line(tap: Tap) -> None:
    run = tap.run(catalog={"streams": []})
    assert run.code == 1
    assert "catalog.json' has no stream with the `tap_stream_id`" in run.errors[0]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"singer_state": state},
        lambda state: {"type": "STATE", "value": state},
    ],
)
def test_a_state_is_taken_as_meltano_prints_it_and_as_a_message(
    tap: Tap, sandbox: Sandbox, wrap: Callable[[object], object]
) -> None:
    sandbox.script({3: faults.status(401)})
    first = tap.run(per_page=10)
    assert first.code == 1
    sandbox.script({})
    rest = tap.run(per_page=10, state=wrap(first.state))
    assert rest.code == 0
    assert "Resuming the sync" in rest.log
    assert len(first.uuids + rest.uuids) == 60


@pytest.mark.parametrize("state", [b"", b"{", b"[1]", b'{"a": 1}', b'{"bookmarks": 5}'])
def test_a_state_of_another_shape_costs_no_record(
    tap: Tap, sandbox: Sandbox, state: bytes
) -> None:
    run = tap.run(state=state)
    assert run.code == 0
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert len(run.warnings) == bool(state)
    assert all("Starting over" in warning for warning in run.warnings)
