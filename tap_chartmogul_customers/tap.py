"""The tap: its settings, its stream, and what it makes of a state."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.output import Output
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.records.schema import CUSTOMER_SCHEMA
from tap_chartmogul_customers.sdk.settings import CheckedSettings
from tap_chartmogul_customers.sdk.signals import OrderlyEnd
from tap_chartmogul_customers.settings import SETTINGS
from tap_chartmogul_customers.streams import BOUNDARIES, RESUME, CustomersStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from typing import IO

    from singer_sdk.io_base import GenericSingerWriter


class TapChartMogulCustomers(CheckedSettings, OrderlyEnd):
    """Singer tap for the customers of a ChartMogul account."""

    name = "tap-chartmogul-customers"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class: type[GenericSingerWriter[Any, Any]] = Output

    @override
    def discover_streams(self) -> list[CustomersStream]:
        schema = CUSTOMER_SCHEMA
        size = self.config.get("custom_attributes_sample_size")
        if size and self.input_catalog is None:
            # The API is about to be asked; the SDK checks no settings for discovery.
            self._validate_config()
            sample = CustomersStream(self, schema=schema).sample(int(size))
            schema = with_custom_columns(schema, sample, self.logger)
        return [CustomersStream(self, schema=schema)]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take from a state what earlier syncs of this tap left, and no more.

        Args:
            state: The state that was passed in, of whatever shape.
        """
        bookmarks = state.get("bookmarks", {})
        bookmark = (
            bookmarks.get(CustomersStream.name, {})
            if isinstance(bookmarks, dict)
            else None
        )
        if not isinstance(bookmark, dict):
            self.logger.warning("Starting over: the state is damaged")
        elif kept := {
            name: bookmark[name]
            for name in (RESUME, BOUNDARIES)
            if bookmark.get(name) is not None
        }:
            super().load_state({"bookmarks": {CustomersStream.name: kept}})

    @classmethod
    @override
    def invoke(cls, *, state: IO[str] | None = None, **kwargs: Any) -> None:
        # The SDK ends with a traceback when the state is not a JSON object.
        if state is not None:
            state = io.StringIO(cls._readable(state))
        super().invoke(state=state, **kwargs)

    @classmethod
    def _readable(cls, state: IO[str]) -> str:
        try:
            text = state.read().strip() or "{}"
            if isinstance(json.loads(text), dict):
                return text
        except (ValueError, RecursionError) as error:
            cls.logger.debug("The state cannot be read: %s", error)
        cls.logger.warning("Starting over: the state is not a JSON object")
        return "{}"
