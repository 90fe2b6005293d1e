"""What the schema tells targets: a type for each key, which each value keeps to."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.helpers._typing import conform_record_data_types
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_chartmogul_customers.records.schema import COLUMNS, CUSTOMER_SCHEMA
from tests.test_records import as_sent, json_values, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Tap

ANYTHING = {"object", "array", "string", "number", "boolean", "null"}
TYPED = {"custom_attributes_sample_size": 100}


def keys(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Return the schema of every key at every depth, with its path."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", inner
        yield from keys(inner, f"{path}{name}.")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from keys(schema["items"], f"{path}[].")


@pytest.mark.parametrize("settings", [{}, TYPED])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_every_key_at_every_depth_has_a_type(
    tap: Tap, settings: dict[str, Any], depth: int
) -> None:
    run = tap.run(flattening_enabled=True, flattening_max_depth=depth, **settings)
    (message,) = run.of_type("SCHEMA")
    found = dict(keys(message["schema"]))
    assert len(found) > len(COLUMNS)
    assert [path for path, schema in found.items() if not schema.get("type")] == []


def test_what_an_account_adds_to_a_customer_may_be_any_json() -> None:
    attributes = CUSTOMER_SCHEMA["properties"]["attributes"]["properties"]
    assert list(attributes) == ["tags", "stripe", "clearbit", "custom"]
    for schema in attributes.values():
        assert set(schema["type"]) == ANYTHING
        # Targets would take a value apart by these, and lose one that is none such.
        assert not {"properties", "items"} & schema.keys()


def test_the_keys_of_an_address_are_text() -> None:
    address = CUSTOMER_SCHEMA["properties"]["address"]["properties"]
    assert list(address) == ["address_zip", "city", "state", "country"]
    assert all(set(each["type"]) == {"string", "null"} for each in address.values())


@given(
    st.dictionaries(st.sampled_from([*"ab", "address_zip", "city"]), json_values)
    | json_values
)
def test_what_is_in_an_address_is_text(address: object) -> None:
    sent = as_sent(address)
    got = read({"address": sent})["address"]
    if not isinstance(sent, dict):
        assert got is None
        return
    assert got.keys() == sent.keys()
    encode = msgspec.json.Encoder(decimal_format="number").encode
    for key, value in sent.items():
        plain = value is None or isinstance(value, str)
        assert got[key] == (value if plain else encode(value).decode())


columns = st.fixed_dictionaries(
    {},
    optional={
        "tags": json_values,
        "stripe": json_values,
        "custom": json_values,
        "city": json_values,
        "state": json_values,
    },
)


@given(attributes=columns | json_values, address=columns | json_values)
def test_any_value_fits_the_schema(attributes: object, address: object) -> None:
    record = read(as_sent({"attributes": attributes, "address": address}))
    encoded = msgspec.json.Encoder(decimal_format="number").encode(record)
    jsonschema.validate(json.loads(encoded), CUSTOMER_SCHEMA)


@given(attributes=columns | json_values, address=columns | json_values)
def test_the_sdks_targets_keep_every_value(attributes: object, address: object) -> None:
    record = read(as_sent({"attributes": attributes, "address": address}))
    for level in TypeConformanceLevel:
        assert record == conform_record_data_types(
            "customers", record, CUSTOMER_SCHEMA, level, logging.getLogger("target")
        )
