"""The tap: its settings, its stream, and what it makes of a state."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.output import Output
from tap_chartmogul_customers.sdk.settings import CheckedSettings
from tap_chartmogul_customers.sdk.signals import OrderlyEnd
from tap_chartmogul_customers.settings import SETTINGS
from tap_chartmogul_customers.streams import RESUME, CustomersStream

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
        if self.config.get("custom_attributes_sample_size"):
            # Discovery is about to ask the API; the SDK checks no settings for it.
            self._validate_config()
        return [CustomersStream(self)]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take from a state what an unfinished sync of this tap left, and no more.

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
        elif bookmark.get(RESUME) is not None:
            kept = {RESUME: bookmark[RESUME]}
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
