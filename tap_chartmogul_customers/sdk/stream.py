"""A stream that hands on whole pages, each with its state: what is patched in the SDK.

What is private in the SDK, and why it is replaced. Each could be an issue of the SDK:

- `_sync_records`: it writes a STATE every so many records, at no place where a sync
  could go on, and makes ten calls a record. Wanted: a hook for pages with their states.
- `_stream_version`: set to the run's start, so that a resumed sync has another version.
  Wanted: a hook for the version.
- `_generate_record_messages`: flattened records lack the columns of a null parent and
  have keys without a column. Wanted: records with the columns of their SCHEMA.
- `emit_activate_version_messages`, public, sends ACTIVATE_VERSION ahead of the records,
  at which a target deletes rows that are yet to come. Wanted: at the end of the sync.
- `get_batches`, public, leaves out selection and stream maps.
"""

from __future__ import annotations

import abc
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.batch import Batcher
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib.messages import ActivateVersionMessage
from singer_sdk.streams import RESTStream
from typing_extensions import override

from tap_chartmogul_customers.errors import SettingsError
from tap_chartmogul_customers.sdk.output import Output

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.messages import RecordMessage


class PagedStream(RESTStream[str | None]):
    """A stream that hands on page after page, and its state after each."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    _has_lost = False

    @abc.abstractmethod
    def read_pages(self) -> Iterator[list[msgspec.Struct]]:
        """Read all records.

        Yields:
            A page of records, whose encoded fields are their columns. When the next is
            asked for, it was emitted.
        """

    @abc.abstractmethod
    def bookmark(self) -> dict[str, Any]:
        """Return what to keep once the page that was read last is emitted."""

    @cached_property
    def emitted(self) -> set[str]:
        """The names under which records of this sync were emitted."""
        return set()

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        return False  # See `activate_version`.

    def set_version(self, version: int | None) -> None:
        """Set the version that every further RECORD carries; none leaves it out."""
        self._stream_version = version

    def activate_version(self, version: int) -> None:
        """Tell the target that rows of an earlier version are gone.

        Args:
            version: The version of every record of a whole read.
        """
        for stream_map in self.stream_maps:
            name = stream_map.stream_alias
            if name in self.emitted:
                self._tap.write_message(ActivateVersionMessage(name, version))
            elif not isinstance(stream_map, RemoveRecordTransform):
                # The target would delete every row of that table.
                self.logger.warning(
                    "No record of `%s` came out of `stream_maps`, so none of its rows "
                    "is deleted: check `__filter__`",
                    name,
                )

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for page in self.read_pages():
            yield from map(_as_object, page)
            self._keep_bookmark()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        most = self.ABORT_AT_RECORD_COUNT  # What `--test` asks for, without a state.
        emitted = 0
        with self.get_record_counter() as counter, self.get_sync_timer():
            for page in self.read_pages():
                emitted += len(page)
                if most is not None and emitted >= most:
                    left = most - emitted + len(page)
                    self._output.write_page(self._messages(page[:left]), None)
                    return
                messages = self._messages(page)
                self._keep_bookmark()
                self._output.write_page(messages, self.tap_state)
                counter.increment(len(page))
        yield from ()

    @property
    def _output(self) -> Output:
        writer = self._tap.message_writer
        assert isinstance(writer, Output)  # noqa: S101 (the tap says so)
        return writer

    def _keep_bookmark(self) -> None:
        bookmark = self.bookmark()
        self.stream_state.clear()
        self.stream_state.update(bookmark)

    def _messages(self, records: list[msgspec.Struct]) -> list[dict[str, Any]]:
        head: dict[str, Any] = {"type": "RECORD", "stream": self.name, "record": None}
        if self._stream_version is not None:
            head["version"] = self._stream_version
        head["time_extracted"] = datetime.now(UTC)
        if not self._is_mapped:
            self.emitted.update([self.name] if records else [])
            return [{**head, "record": record} for record in records]
        return [
            {**head, "stream": message.stream, "record": message.record}
            for record in records
            for message in self._generate_record_messages(_as_object(record))
        ]

    @cached_property
    def _is_mapped(self) -> bool:
        """Whether stream maps or flattening change records."""
        (first, *more) = self.stream_maps
        return (
            bool(more)
            or type(first) is not SameRecordTransform
            or first.flattening_enabled
        )

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        for message in super()._generate_record_messages(record):
            self.emitted.add(message.stream)
            if columns := self._flat_columns.get(message.stream):
                message.record = self._even(message.record, columns)
            yield message

    @cached_property
    def _flat_columns(self) -> dict[str, list[str]]:
        """The columns of each flattened stream, by its name."""
        return {
            stream_map.stream_alias: list(stream_map.transformed_schema["properties"])
            for stream_map in self.stream_maps
            if stream_map.flattening_enabled
        }

    def _even(self, record: Record, columns: list[str]) -> Record:
        """Return a flattened record with the columns of its SCHEMA, and no other.

        A target that goes by position, such as one for CSV, would put values into wrong
        columns.
        """
        others = record.keys() - columns
        lost = sorted(name for name in others if record[name] is not None)
        if lost and not self._has_lost:
            self._has_lost = True
            # Once: an object may have other keys for each customer.
            self.logger.warning(
                "Flattening: values without a column in the schema are left out, such "
                "as %r",
                lost[0],
            )
        return {name: record.get(name) for name in columns}

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        if len(self.stream_maps) > 1:
            msg = "`batch_config` cannot be used with several stream maps of a stream"
            raise SettingsError(msg)
        records = (
            message.record
            # As many as `--test` asks for.
            for record in islice(self.get_records(context), self.ABORT_AT_RECORD_COUNT)
            for message in self._generate_record_messages(record)
        )
        batcher = Batcher(self.tap_name, self.name, batch_config)
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest


def _as_object(record: msgspec.Struct) -> Record:
    as_object: Record = msgspec.to_builtins(record, builtin_types=(Decimal,))
    return as_object
