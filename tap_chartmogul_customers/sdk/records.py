"""Records that any target can take, flattened or mapped or not: private hooks."""

from __future__ import annotations

import sys
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk.streams import RESTStream

from tap_chartmogul_customers.api.body import DEPTH
from tap_chartmogul_customers.records.values import as_json, limit_depth

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator

    from singer_sdk.helpers.types import Record
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib.messages import RecordMessage


class EvenRecords(RESTStream[str | None]):
    """A stream whose records have the columns of their schema, also when flattened."""

    _is_cut = False

    @cached_property
    def _left_out(self) -> set[str]:
        return set()

    @cached_property
    def _flat_columns(self) -> dict[str, dict[str, bool]]:
        """The columns of each flattened stream, by its name, and which are of text."""
        return {
            stream_map.stream_alias: _columns(stream_map)
            for stream_map in self.stream_maps
            if stream_map.flattening_enabled
        }

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        # Private: where a parent is null, the SDK leaves out the columns of its keys,
        # and it adds keys that no column has. A target that goes by place, as one that
        # writes CSV does, would put values in the columns of others.
        try:
            messages = [*super()._generate_record_messages(record)]
        except RecursionError:
            # For each level the SDK calls itself, several times deeper than decoding.
            self._limit_depth(record)
            messages = [*super()._generate_record_messages(record)]
        for message in messages:
            if columns := self._flat_columns.get(message.stream):
                message.record = self._even(message.record, columns)
            yield message

    def _even(self, record: Record, columns: dict[str, bool]) -> Record:
        for name in record.keys() - columns.keys() - self._left_out:
            if record[name] is not None:
                self._left_out.add(name)
                self.logger.warning(
                    "Flattened, the schema has no column %r: its values are left out",
                    name,
                )
        return {
            name: as_json(value)
            if isinstance(value := record.get(name), (int, float, Decimal)) and is_text
            else value
            for name, is_text in columns.items()
        }

    def _limit_depth(self, record: Record) -> None:
        if not self._is_cut:
            self._is_cut = True
            self.logger.warning(
                "Customer %r: what is nested a hundred deep becomes text",
                record.get("uuid"),
            )
        limit_depth(record, DEPTH)


def _columns(stream_map: StreamMap) -> dict[str, bool]:
    columns = stream_map.transformed_schema["properties"]
    return {
        name: {*column.get("type", [])} <= {"string", "null"}
        for name, column in columns.items()
    }
