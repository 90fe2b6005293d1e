"""The tap: its settings, its stream, and what it makes of a state."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog

from tap_chartmogul_customers.files import FileError, parse_object
from tap_chartmogul_customers.output import Output
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.records.schema import CUSTOMER_SCHEMA
from tap_chartmogul_customers.sdk.log import QuietLog
from tap_chartmogul_customers.sdk.settings import CheckedSettings
from tap_chartmogul_customers.sdk.signals import OrderlyEnd
from tap_chartmogul_customers.sdk.stream_maps import DecimalMaps
from tap_chartmogul_customers.settings import SETTINGS
from tap_chartmogul_customers.streams import CustomersStream
from tap_chartmogul_customers.sync.state import BOUNDARIES, RESUME

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from typing import IO

    from singer_sdk.io_base import GenericSingerWriter


class TapChartMogulCustomers(CheckedSettings, DecimalMaps, OrderlyEnd, QuietLog):
    """Singer tap for the customers of a ChartMogul account."""

    name = "tap-chartmogul-customers"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class: type[GenericSingerWriter[Any, Any]] = Output

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
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **kwargs: Any,
    ) -> None:
        # The SDK ends with a traceback when one of them is not a JSON object.
        super().invoke(
            state=None if state is None else cls._state_or_none(state),
            catalog=None if catalog is None else _checked_catalog(catalog),
            **kwargs,
        )

    @classmethod
    def _state_or_none(cls, file: IO[str]) -> IO[str]:
        data = _bytes(file)
        try:
            if data.strip():
                parse_object(data, "the state")
                return io.StringIO(data.decode("utf-8-sig"))
        except FileError as error:
            cls.logger.warning("Starting over: %s", error)
        return io.StringIO("{}")


def _checked_catalog(file: IO[str]) -> IO[str]:
    data = _bytes(file)
    name = f"The catalog file '{file.name}'"
    catalog = parse_object(data, name)
    try:
        entry = Catalog.from_dict(catalog).get_stream(CustomersStream.name)
        if entry:
            # What the SDK takes for granted.
            columns = [*entry.schema.to_dict()["properties"]]
            keys = [*CustomersStream.primary_keys, *(entry.key_properties or ())]
            missing = [key for key in keys if key not in columns]
            renamed = entry.stream or CustomersStream.name
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{name} is not a Singer catalog: {type(error).__name__}: {error}"
        raise FileError(msg) from error
    if entry and missing:
        msg = f"{name} lacks the column `{missing[0]}`, which is a key"
        raise FileError(msg)
    if entry and renamed != CustomersStream.name:
        msg = (
            f"{name} has another name for `{CustomersStream.name}`: rename it by "
            "`stream_maps` and `__alias__` instead"
        )
        raise FileError(msg)
    return io.StringIO(data.decode("utf-8-sig"))


def _bytes(file: IO[str]) -> bytes:
    # As text, it would be read in the encoding that the locale suggests.
    assert isinstance(file, io.TextIOWrapper)  # noqa: S101 (click opened it)
    return bytes(file.buffer.read())
