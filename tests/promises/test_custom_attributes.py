"""Custom attributes as columns of their own, beside all that is there without them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults
from tap_chartmogul_customers.records.columns import COLUMNS
from tests.customers import (
    ODD_KEYS,
    change_custom,
    custom_columns,
    discovered,
    with_custom,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import Run, Tap

SAMPLE = {"custom_attributes_sample_size": 50}


@pytest.fixture
def account(
    tap_on: Callable[[Sandbox], Tap],
) -> Iterator[Callable[..., Tap]]:
    """Return the tap on an account whose customers have these custom attributes."""
    running: list[Sandbox] = []

    def start(*custom: dict[str, Any]) -> Tap:
        running.append(Sandbox(with_custom(*custom), rate_limit=None))
        return tap_on(running[-1].__enter__())

    yield start
    for sandbox in running:
        sandbox.__exit__(None, None, None)


def columns(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns of custom attributes of a catalog."""
    return {
        name: schema
        for name, schema in catalog["streams"][0]["schema"]["properties"].items()
        if name.startswith(("custom_", "stripe_"))
    }


def records(run: Run) -> list[dict[str, Any]]:
    """Return the records by ID, each with the columns of the schema in their order."""
    assert run.code == 0, run.log
    names = list(run.messages[0]["schema"]["properties"])
    assert all(list(record) == names for record in run.records)
    return sorted(run.records, key=lambda record: record["id"])


def test_nothing_else_changes_when_they_are_switched_on(
    account: Callable[..., Tap],
) -> None:
    tap = account({"a": 1, "b": {"c": "2023-09-08"}}, {"a": Decimal("4.10")})
    off, on = tap.run(), tap.run(**SAMPLE)
    before, after = (run.messages[0]["schema"]["properties"] for run in (off, on))
    assert list(before) == [column.name for column in COLUMNS]
    assert list(after) == [*before, "custom_a", "custom_b"]
    assert {name: after[name] for name in before} == before
    for old, new in zip(records(off), records(on), strict=True):
        assert {name: new[name] for name in old} == old
        assert new["custom_b"] in {'{"c":"2023-09-08"}', None}


def test_discovery_reads_as_many_customers_as_it_is_told(
    account: Callable[..., Tap],
) -> None:
    tap = account(*({f"key {number}": number} for number in range(9)))
    found = discovered(tap, custom_attributes_sample_size=4, per_page=3)
    assert len(columns(found)) == 4
    assert len(tap.sandbox.requests) == 2


def test_discovery_reads_none_when_it_is_off(tap: Tap, sandbox: Sandbox) -> None:
    assert not columns(discovered(tap, custom_attributes_sample_size=0))
    assert not sandbox.requests


def test_discovery_that_reads_needs_good_settings(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run("--discover", api_url="http://example.com", **SAMPLE)
    assert run.code == 1
    assert "api_url" in run.errors[0]
    assert not sandbox.requests


def test_discovery_that_fails_says_so_in_one_line(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({1: faults.status(401)})
    run = tap.run("--discover", **SAMPLE)
    assert run.code == 1
    assert len(run.errors) == 1
    assert "401" in run.errors[0]


@pytest.mark.parametrize("size", [0, 50])
def test_a_catalog_is_used_as_it_is(account: Callable[..., Tap], size: int) -> None:
    tap = account({"key": 1}, {"key": 2})
    kept = discovered(tap)
    tap.sandbox.requests.clear()
    change_custom(tap, {"key": 3, "later": 1})
    run = tap.run(catalog=kept, custom_attributes_sample_size=size)
    assert [custom_columns(record) for record in records(run)] == [{"key": 3}] * 2
    assert len(tap.sandbox.requests) == 1
    schema = kept["streams"][0]["schema"]
    assert run.messages[0]["schema"]["properties"] == schema["properties"]


def test_values_that_do_not_fit_become_null_with_one_warning_and_a_count(
    account: Callable[..., Tap],
) -> None:
    tap = account({"n": 1, "at": "2023-09-08", "b": True, "x": 0.5}, {})
    kept = discovered(tap)
    bad = {"n": "a secret", "x": "a secret", "at": "a secret", "b": 1}
    change_custom(tap, bad)
    run = tap.run(catalog=kept)
    for record in records(run):
        assert custom_columns(record) == dict.fromkeys(bad)
        assert record["attributes"]["custom"] == bad
    columns = ["at", "b", "n", "x"]
    assert len(run.warnings) == 8
    for name, warning, count in zip(
        columns, run.warnings[:4], run.warnings[4:], strict=True
    ):
        assert f"`custom_{name}` becomes null: it does not fit" in warning
        assert f"null in `custom_{name}`: 2" in count
    assert "a secret" not in run.log


def test_any_key_becomes_a_column_that_knows_its_key(
    account: Callable[..., Tap],
) -> None:
    tap = account({key: number for number, key in enumerate(ODD_KEYS)})
    found = discovered(tap)
    assert len({name.casefold() for name in columns(found)}) == len(ODD_KEYS)
    (record,) = records(tap.run(catalog=found))
    described = {
        schema["description"]: record[name] for name, schema in columns(found).items()
    }
    assert described == {
        f"attributes.custom[{json.dumps(key, ensure_ascii=False)}]": number
        for number, key in enumerate(ODD_KEYS)
    }


def test_a_key_that_cannot_be_stored_is_named_as_the_attributes_have_it(
    account: Callable[..., Tap],
) -> None:
    tap = account({"a\0b": 1})
    (record,) = records(run := tap.run(**SAMPLE))
    column = run.messages[0]["schema"]["properties"]["custom_a_b"]
    assert column["description"] == 'attributes.custom["a\ufffdb"]'
    assert record["attributes"]["custom"] == {"a\ufffdb": 1}
    assert custom_columns(record) == {"a_b": 1}


def test_a_name_is_the_same_whatever_other_keys_there_are(
    account: Callable[..., Tap],
) -> None:
    tap = account(dict.fromkeys(ODD_KEYS, 1))
    before = columns(discovered(tap))
    change_custom(tap, {**dict.fromkeys(ODD_KEYS, 1), "utmCampaign": "a"})
    after = columns(discovered(tap))
    assert after.pop("custom_utm_campaign")["type"] == ["null", "string"]
    assert after == before


@pytest.mark.parametrize("depth", [1, 2])
def test_flattening_keeps_the_columns(account: Callable[..., Tap], depth: int) -> None:
    tap = account({"CAC": 213, "list": [1], "empty": {}, "a" * 80: True})
    run = tap.run(
        flattening_enabled=True,
        flattening_max_depth=depth,
        flattening_max_key_length=63,
        **SAMPLE,
    )
    (record,) = records(run)
    (plain,) = records(tap.run(**SAMPLE))
    assert custom_columns(record) == custom_columns(plain)
    properties = run.messages[0]["schema"]["properties"]
    assert properties["custom_cac"]["type"] == ["null", "integer"]
    assert (record["custom_cac"], record["custom_list"]) == (213, "[1]")
    assert record["custom_empty"] == "{}"


@pytest.mark.parametrize(
    ("deselected", "names"),
    [
        (["custom_drop"], {"custom_keep", "attributes"}),
        (["attributes"], {"custom_keep", "custom_drop"}),
        (["attributes", "custom_drop"], {"custom_keep"}),
    ],
)
def test_columns_and_attributes_are_selected_each_for_itself(
    account: Callable[..., Tap], deselected: list[str], names: set[str]
) -> None:
    tap = account({"keep": 1, "drop": 2})
    kept = discovered(tap)
    for entry in kept["streams"][0]["metadata"]:
        column = entry["breadcrumb"][-1:]
        entry["metadata"]["selected"] = column not in [[name] for name in deselected]
    (record,) = records(tap.run(catalog=kept))
    values = {
        "custom_keep": 1,
        "custom_drop": 2,
        "attributes": record.get("attributes"),
    }
    assert {name: record[name] for name in values if name in record} == {
        name: values[name] for name in names
    }
    if "attributes" in names:
        assert record["attributes"]["custom"] == {"keep": 1, "drop": 2}


def test_columns_stay_when_a_catalog_has_no_attributes(
    account: Callable[..., Tap],
) -> None:
    tap = account({"key": 1})
    kept = discovered(tap)
    del kept["streams"][0]["schema"]["properties"]["attributes"]
    (record,) = records(run := tap.run(catalog=kept))
    assert custom_columns(record) == {"key": 1}
    assert not run.warnings


def test_a_type_set_by_hand_decides(account: Callable[..., Tap]) -> None:
    tap = account({"plan": 5, "rare": "2023-09-08", "flag": True})
    kept = discovered(tap, custom_attributes_sample_size=0)
    types: dict[str, dict[str, Any]] = {
        "plan": {"type": ["null", "string"]},
        "rare": {"type": "string", "format": "date-time"},
        "flag": {"type": ["boolean", "string"]},
    }
    kept["streams"][0]["schema"]["properties"] |= {
        f"custom_{key}": {**schema, "description": f'attributes.custom["{key}"]'}
        for key, schema in types.items()
    }
    (record,) = records(tap.run(catalog=kept))
    rare = "2023-09-08T00:00:00+00:00"
    assert custom_columns(record) == {"plan": "5", "rare": rare, "flag": True}


@pytest.mark.parametrize("description", [None, "My plan", 'attributes.custom["a"b"]'])
def test_a_column_whose_key_no_description_names_stays_empty_with_a_warning(
    account: Callable[..., Tap], description: str | None
) -> None:
    tap = account({"plan": 5})
    kept = discovered(tap)
    column = kept["streams"][0]["schema"]["properties"]["custom_plan"]
    column["description"] = description
    run = tap.run(catalog=kept)
    (record,) = records(run)
    assert record["custom_plan"] is None
    (warning,) = run.warnings
    assert "`custom_plan`" in warning
