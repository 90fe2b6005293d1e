"""What the schema tells targets: a type for each key, which each value keeps to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.helpers._flattening import flatten_schema
from singer_sdk.helpers._typing import conform_record_data_types
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import SelectionMask

from tap_chartmogul_customers.records.columns import CUSTOMER_SCHEMA
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.records.record import RecordReader
from tests.customers import json_values, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("test")

ATTRIBUTES = CUSTOMER_SCHEMA["properties"]["attributes"]["properties"]
TYPED = with_custom_columns(
    CUSTOMER_SCHEMA,
    [{"attributes": {"custom": {"a": 1, "b": ["a"], "c": {"d": 1}, "e": None}}}],
    LOGGER,
)


def parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Return the schema of every key at every depth, with its path."""
    inner = dict(schema.get("properties", {}))
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            inner[word] = schema[word]
    for name, part in inner.items():
        yield f"{path}.{name}", part
        yield from parts(part, f"{path}.{name}")


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_every_key_at_every_depth_has_a_type_and_every_array_items(depth: int) -> None:
    found = dict(parts(flatten_schema(TYPED, depth) if depth else TYPED))
    assert len(found) > len(TYPED["properties"])
    assert found.pop(".uuid")["type"] == ["string"]
    for path, part in found.items():
        assert {*part["type"]} > {"null"}, path
        assert depth or part["type"][0] == "null", path  # The SDK puts it elsewhere.
        assert "array" not in part["type"] or part["items"]["type"], path


def test_every_column_and_documented_key_has_a_description() -> None:
    for path, part in parts(CUSTOMER_SCHEMA):
        described = "items" not in path and "additional" not in path
        assert bool(part.get("description")) == described, path


columns = st.fixed_dictionaries(
    {}, optional=dict.fromkeys([*ATTRIBUTES, "city", "state"], json_values)
)


@given(attributes=columns | json_values, address=columns | json_values)
def test_the_sdks_targets_keep_every_value(attributes: object, address: object) -> None:
    sent = {"uuid": "cus_1", "attributes": attributes, "address": address}
    reader = RecordReader(CUSTOMER_SCHEMA, SelectionMask(), LOGGER)
    record = record_of(reader, sent)
    for level in TypeConformanceLevel:
        assert record == conform_record_data_types(
            "customers", record, CUSTOMER_SCHEMA, level, logging.getLogger("target")
        )
