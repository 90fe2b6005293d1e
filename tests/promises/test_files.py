"""The files that the command line names: settings, catalog, state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import faults
from tap_chartmogul_customers.records.columns import CUSTOMER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Sandbox
    from tests.running import Tap


@pytest.mark.parametrize(
    ("option", "data", "says"),
    [
        ("config", b"", "is not JSON: "),
        ("config", b'{"api_key": "a-secret-key"', "is not JSON: "),
        ("config", b"[" * 100_000, "is not JSON: "),
        ("config", b"null", "is not a JSON object"),
        ("config", b'{"system": "B\xfccher"}', "is not UTF-8 (see its byte 14)"),
        ("catalog", b"[1]", "is not a JSON object"),
        ("config", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_json_object_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, option: str, data: bytes | None, says: str
) -> None:
    file = tap.folder / "broken.json"
    if data is not None:
        file.write_bytes(data)
    run = tap.run(f"--{option}", str(file))
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"The {option} file '{file}' {says}" in line
    assert "a-secret-key" not in line
    assert not sandbox.requests
    assert not run.messages


@pytest.mark.parametrize("option", ["catalog", "state"])
def test_a_file_that_is_missing_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, option: str
) -> None:
    run = tap.run(f"--{option}", str(tap.folder / "missing"))
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert option in line
    assert f"{tap.folder / 'missing'}': No such file" in line
    assert not sandbox.requests


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


def test_a_later_config_overrides_an_earlier_one(tap: Tap, sandbox: Sandbox) -> None:
    (tap.folder / "more.json").write_text('{"per_page": 30, "system": null}')
    run = tap.run("--config", f"{tap.folder}/more.json", per_page=10, system="Stripe")
    assert len(run.records) == 60
    assert sandbox.requests[0].query == {"per_page": "30"}


def test_reads_utf_8_whatever_the_locale_is(
    tap: Tap, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    (tap.folder / "umlaut.json").write_bytes('{"system": "Bücher"}'.encode())
    tap.run("--config", str(tap.folder / "umlaut.json"))
    assert sandbox.requests[0].query["system"] == "Bücher"


ENTRY = {"tap_stream_id": "customers", "schema": CUSTOMER_SCHEMA}
DESELECTED = [{"breadcrumb": ["properties", "uuid"], "metadata": {"selected": False}}]


def typed(**types: object) -> dict[str, Any]:
    """Return the part of a catalog that types columns so."""
    return {"schema": {"properties": {n: {"type": t} for n, t in types.items()}}}


@pytest.mark.parametrize(
    ("streams", "says"),
    [
        ([5], "is not a Singer catalog: "),
        ([{"tap_stream_id": "customers"}], "is not a Singer catalog: "),
        ([ENTRY | {"key_properties": 5}], "is not a Singer catalog: "),
        ([], "has no stream with the `tap_stream_id` `customers`"),
        ([ENTRY | {"stream": "a"}], "gives `customers` another name: rename it with "),
        ([ENTRY | {"key_properties": ["a"]}], "lacks the column `a`, which is a key"),
        ([ENTRY | typed(id="integer")], "lacks the column `uuid`, which is a key"),
        ([ENTRY | {"metadata": DESELECTED}], "deselects the column `uuid`, which is a"),
        ([ENTRY | typed(uuid="integer")], "has a wrong type for the column `uuid`, wh"),
        ([ENTRY | typed(uuid="string", **{'a"b': "null"})], "has a column 'a\"b', a n"),
        (
            [ENTRY | typed(uuid="string", name="varchar")],
            "is no JSON schema at `properties.name.type`: 'varchar' is not valid",
        ),
        ([ENTRY | typed(uuid="string", name=[5])], "is no JSON schema at `properties."),
    ],
)
def test_a_catalog_that_no_record_fits_ends_the_run_in_one_line(
    tap: Tap, sandbox: Sandbox, streams: object, says: str
) -> None:
    run = tap.run(catalog={"streams": streams})
    assert run.code == 1
    (line,) = run.log.splitlines()
    assert f"catalog.json' {says}" in line
    assert not sandbox.requests
    assert not run.messages


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
