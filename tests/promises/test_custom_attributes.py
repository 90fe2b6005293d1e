"""Custom attributes as columns of their own, beside all that is there without them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.records.columns import COLUMNS
from tests.customers import ODD_KEYS, change_custom, custom_columns, discovered

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Run, Tap

SAMPLE = {"custom_attributes_sample_size": 50}


def columns(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return custom_columns(catalog["streams"][0]["schema"]["properties"])


def records(run: Run) -> list[dict[str, Any]]:
    """Return the records, each with the columns of the schema in their order."""
    assert run.code == 0, run.log
    names = list(run.messages[0]["schema"]["properties"])
    assert all(list(record) == names for record in run.records)
    assert len(run.records) == 60
    return run.records


def test_nothing_else_changes_when_they_are_switched_on(tap: Tap) -> None:
    change_custom(tap, {"a": 4.1, "b": {"c": "2023-09-08"}})
    off, on = tap.run(), tap.run(**SAMPLE)
    before, after = (run.messages[0]["schema"]["properties"] for run in (off, on))
    assert list(before) == [column.name for column in COLUMNS]
    assert list(after)[: len(before)] == list(before)
    assert {"custom_a", "custom_b", "stripe_uid"} < after.keys() - before.keys()
    assert {name: after[name] for name in before} == before
    for old, new in zip(records(off), records(on), strict=True):
        assert {name: new[name] for name in old} == old
        assert new["custom_b"] == '{"c":"2023-09-08"}'
        assert new["stripe_uid"] == old["attributes"].get("stripe", {}).get("uid")


def test_discovery_reads_as_many_customers_as_it_is_told(
    tap: Tap, sandbox: Sandbox
) -> None:
    for number, customer in enumerate(sandbox.customers):
        sandbox.put({**customer, "attributes": {"custom": {f"key {number}": number}}})
    found = discovered(tap, custom_attributes_sample_size=4, per_page=3)
    assert len(columns(found)) == 4
    assert len(sandbox.requests) == 2


def test_a_catalog_is_used_as_it_is(tap: Tap, sandbox: Sandbox) -> None:
    change_custom(tap, {"key": 1})
    kept = discovered(tap)
    sandbox.requests.clear()
    change_custom(tap, {"key": 3, "later": 1})
    run = tap.run(catalog=kept, **SAMPLE)
    assert [custom_columns(record) for record in records(run)] == [{"key": 3}] * 60
    assert len(sandbox.requests) == 1
    schema = kept["streams"][0]["schema"]
    assert run.messages[0]["schema"]["properties"] == schema["properties"]


def test_any_key_becomes_a_column_that_knows_its_key(tap: Tap) -> None:
    keys = [*ODD_KEYS, "\ufffd"]
    # NUL cannot be stored, and is mended wherever it comes.
    change_custom(tap, {key.replace("\ufffd", "\0"): n for n, key in enumerate(keys)})
    found = discovered(tap)
    assert len({name.casefold() for name in columns(found)}) == len(keys)
    values = custom_columns(records(tap.run(catalog=found))[0])
    assert {columns(found)[name]["description"]: values[name] for name in values} == {
        f"attributes.custom[{json.dumps(key, ensure_ascii=False)}]": number
        for number, key in enumerate(keys)
    }


def test_flattening_keeps_the_columns(tap: Tap) -> None:
    change_custom(tap, {"CAC": 213, "list": [1], "empty": {}, "a" * 80: True})
    settings = {"flattening_max_depth": 2, "flattening_max_key_length": 63, **SAMPLE}
    plain = records(tap.run(**SAMPLE))[0]
    flat = records(tap.run(flattening_enabled=True, **settings))[0]
    assert custom_columns(flat) == custom_columns(plain)
    assert (flat["custom_cac"], flat["custom_list"]) == (213, "[1]")
    assert flat["custom_empty"] == "{}"


def test_columns_stay_where_attributes_are_deselected(tap: Tap) -> None:
    change_custom(tap, {"plan": "gold"})
    kept = discovered(tap)
    for entry in kept["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = entry["breadcrumb"][1:] != ["attributes"]
    record = records(tap.run(catalog=kept))[0]
    assert custom_columns(record) == {"plan": "gold"}
    assert "attributes" not in record
