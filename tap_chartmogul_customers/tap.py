"""The tap: its settings, its stream, and what it takes from a state."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tap_chartmogul_customers.records.columns import CUSTOMER_SCHEMA
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.sdk.tap import PlainTap
from tap_chartmogul_customers.settings.schema import SETTINGS
from tap_chartmogul_customers.stream import CustomersStream
from tap_chartmogul_customers.sync.bookmark import Bookmark


class TapChartMogulCustomers(PlainTap):
    """Singer tap for the customers of a ChartMogul account."""

    name = "tap-chartmogul-customers"
    config_jsonschema = SETTINGS.to_dict()

    @override
    def discover_streams(self) -> list[CustomersStream]:
        schema = CUSTOMER_SCHEMA
        size = self.config["custom_attributes_sample_size"]
        if size and self.input_catalog is None:
            sample = CustomersStream(self, schema=schema).sample(size)
            schema = with_custom_columns(schema, sample, self.logger)
        return [CustomersStream(self, schema=schema)]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the bookmark of the only stream, and no more.

        Args:
            state: The state that was passed in, of whatever shape.
        """
        bookmarks = state.get("bookmarks") or {}
        name = CustomersStream.name
        bookmark = bookmarks.get(name) if isinstance(bookmarks, dict) else bookmarks
        if isinstance(bookmark, dict):
            kept = {
                k: v for k, v in bookmark.items() if k in Bookmark.__struct_fields__
            }
            super().load_state({"bookmarks": {name: kept}})
        elif bookmark is not None or (state and "bookmarks" not in state):
            self.logger.warning("Starting over: the state is not one of this tap")
