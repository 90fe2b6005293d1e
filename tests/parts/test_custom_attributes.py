"""How discovery finds a column for each custom attribute, and its type."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.singerlib import SelectionMask

from tap_chartmogul_customers.records.columns import COLUMNS, CUSTOMER_SCHEMA
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.records.record import RecordReader
from tests.customers import as_sent, record_of

LOGGER = logging.getLogger("test")

TEXT = {"type": ["null", "string"]}
TIME = {**TEXT, "format": "date-time"}
INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
BOOLEAN = {"type": ["null", "boolean"]}


def discovered(*attributes: object) -> dict[str, Any]:
    """Return the schema that discovery makes of customers with these attributes."""
    sample = [{"attributes": as_sent(each)} for each in attributes]
    return with_custom_columns(CUSTOMER_SCHEMA, sample, LOGGER)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None], INTEGER),
        ([2**63 - 1, -(2**63)], INTEGER),
        ([1, 2**63], NUMBER),
        ([1, Decimal("2.0")], NUMBER),
        ([True, False], BOOLEAN),
        (["a", "b"], TEXT),
        (["2023-09-08 00:00:00", "2023-09-08T12:00:00+02:00"], TIME),
        (["2023-09-08", "2023-09-08T12:00:00.5Z", None], TIME),
        (["2023-09-08 00:00:00", ""], TEXT),
        (["2023-09-08 00:00:00", "0000-00-00 00:00:00"], TEXT),
        (["2023-09-08-10"], TEXT),
        (["2023-09-08T25:61:61"], TEXT),
        (["0001-01-01T00:00:00+14:00"], TEXT),
        (["20230908", "2023"], TEXT),
        ([1, "1"], TEXT),
        ([1, True], TEXT),
        (["2023-09-08", 5], TEXT),
        ([None], TEXT),
        ([{"a": 1}], TEXT),
    ],
)
def test_discovery_types_a_column_by_every_value_of_the_sample(
    values: list[Any], expected: dict[str, Any]
) -> None:
    found = discovered(*({"custom": {"key": value}} for value in values))
    description = 'attributes.custom["key"]'
    assert found["properties"] == {
        **CUSTOMER_SCHEMA["properties"],
        "custom_key": {**expected, "description": description},
    }
    reader = RecordReader(found, SelectionMask(), LOGGER)
    for value in values:
        attributes = {"custom": {"key": value}}
        record = record_of(reader, {"uuid": "cus_1", "attributes": attributes})
        assert (record["custom_key"] is None) == (value is None)


@pytest.mark.parametrize(
    "attributes", [None, "none", [], {}, {"custom": None}, {"custom": []}]
)
def test_customers_without_custom_attributes_add_no_column(attributes: object) -> None:
    found = discovered(attributes, {"custom": {"key": 1}})
    assert list(found["properties"])[len(COLUMNS) :] == ["custom_key"]
    assert found["properties"]["custom_key"]["type"] == INTEGER["type"]
