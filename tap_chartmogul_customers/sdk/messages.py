"""Records, versions and states in the order they need: private hooks."""

from __future__ import annotations

import abc
import sys
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib.messages import ActivateVersionMessage
from singer_sdk.streams import RESTStream

from tap_chartmogul_customers.output import Output

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib.messages import RecordMessage


class OrderedMessages(RESTStream[str | None]):
    """A stream that writes records, versions and states in the order they need."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    extracted_at: datetime = datetime.now(UTC)
    """When the page came whose records are being written."""

    @cached_property
    def written(self) -> set[str]:
        """The names under which records of this sync were written."""
        return set()

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # The SDK would send ACTIVATE_VERSION before the first record, and the target
        # drop every row that is not there yet: see `activate_version`.
        return False

    def set_version(self, version: int | None) -> None:
        """Set the version that every further RECORD carries.

        Args:
            version: The version; none to leave it out.
        """
        # Private: the SDK offers no hook for a version other than the run's start.
        self._stream_version = version

    def activate_version(self, version: int) -> None:
        """Tell the target that rows of an earlier version are gone.

        Args:
            version: The version of every record of a whole read.
        """
        for stream_map in self.stream_maps:
            name = stream_map.stream_alias
            if name in self.written:
                self._tap.write_message(ActivateVersionMessage(name, version))
            elif not isinstance(stream_map, RemoveRecordTransform):
                # It would take every row of that table.
                self.logger.warning(
                    "No record of `%s` came out of `stream_maps`, and no row of it "
                    "will be deleted: check `__filter__`",
                    name,
                )

    def write_state(self) -> None:
        """Write the state as it is now, unless it was the last one written."""
        self._tap.state_writer.write_state(self.tap_state)

    def flush(self) -> None:
        """Let every record leave, though no STATE that is new may follow it."""
        if isinstance(self._tap.message_writer, Output):
            self._tap.message_writer.flush()

    @abc.abstractmethod
    def read_pages(self) -> Iterator[Sequence[Any]]:
        """Read the customers, a page at a time.

        Yields:
            The customers of a page. When the next are asked for, these were written.
        """

    @property
    def writes_plainly(self) -> bool:
        """Whether every RECORD goes out as it is, with every column."""
        return (
            self._plain is not None
            and not self.get_batch_config(self.config)
            and self.ABORT_AT_RECORD_COUNT is None
        )

    @cached_property
    def _plain(self) -> dict[str, Any] | None:
        """What a RECORD starts with when it goes out as it is; else none."""
        if not (
            isinstance(self._tap.message_writer, Output)
            and all(self.mask.values())
            and len(self.stream_maps) == 1
        ):
            return None
        stream_map: StreamMap = self.stream_maps[0]
        if type(stream_map) is not SameRecordTransform or stream_map.flattening_enabled:
            return None
        return {"type": "RECORD", "stream": stream_map.stream_alias}

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # Private: for every record the SDK makes ten calls and walks its selection, and
        # none of that does anything here.
        if not (write_messages and self.writes_plainly):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        with self.get_record_counter() as counter, self.get_sync_timer():
            for customers in self.read_pages():
                self._write_plainly(customers)
                counter.increment(len(customers))
        self.write_state()

    @override
    def _generate_record_messages(
        self, record: Record
    ) -> Generator[RecordMessage, None, None]:
        # Private: which records the stream maps let through.
        for message in super()._generate_record_messages(record):
            self.written.add(message.stream)
            yield message

    def _write_plainly(self, customers: Sequence[Any]) -> None:
        message = {**(self._plain or {}), "record": None}
        if customers:
            self.written.add(message["stream"])
        if self._stream_version is not None:
            message["version"] = self._stream_version
        message["time_extracted"] = self.extracted_at
        cast("Output", self._tap.message_writer).write(
            [{**message, "record": self.post_process(each)} for each in customers]
        )
