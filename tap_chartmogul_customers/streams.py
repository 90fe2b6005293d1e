"""The stream of customers: from pages to records, bookmarks and versions."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_chartmogul_customers.client import ChartMogulStream
from tap_chartmogul_customers.errors import CursorRefusedError, PagingError
from tap_chartmogul_customers.records.reader import RecordReader
from tap_chartmogul_customers.records.schema import COLUMNS
from tap_chartmogul_customers.records.typed import TypedCustomer, decode_typed_page
from tap_chartmogul_customers.sdk.batches import MappedBatches
from tap_chartmogul_customers.sdk.messages import OrderedMessages
from tap_chartmogul_customers.sdk.records import EvenRecords
from tap_chartmogul_customers.stream_maps import STREAM
from tap_chartmogul_customers.sync.progress import Progress
from tap_chartmogul_customers.sync.readers import Fetched, Readers
from tap_chartmogul_customers.sync.resume import (
    account_fingerprint,
    cut_sync,
    last_boundaries,
    start_sync,
    unfinished_sync,
    why_not_resumed,
)
from tap_chartmogul_customers.sync.state import BOUNDARIES, RESUME, since_of

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_chartmogul_customers.pagination import Page
    from tap_chartmogul_customers.sync.ranges import Range
    from tap_chartmogul_customers.sync.state import Sync

_NAMES = [column.name for column in COLUMNS]


class CustomersStream(EvenRecords, OrderedMessages, MappedBatches, ChartMogulStream):
    """Every customer of the account."""

    name = STREAM
    path = "/customers"
    primary_keys = ("uuid",)

    _place = ""
    """Where the customers that are being written come from, for an error."""

    @property
    @override
    def replication_method(self) -> str:
        # Whatever a catalog says: the API has no filter by date of change.
        return REPLICATION_FULL_TABLE

    @cached_property
    def _reader(self) -> RecordReader:
        return RecordReader(self.effective_schema, self.logger)

    def sample(self, size: int) -> list[Record]:
        """Read the first customers of the account.

        Args:
            size: How many at the most.

        Returns:
            The customers, as the API sends them.

        Raises:
            Exception: As `pages`.
        """
        with closing(self.at(None)) as start:
            customers = chain.from_iterable(page.entries for page in start.pages())
            return [*islice(customers, size)]

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        # For the SDK's own loop, where something is done to each record.
        return chain.from_iterable(self.read_pages())

    @override
    def read_pages(self) -> Iterator[Sequence[Any]]:
        """Read all customers, in ranges at once, from where an earlier run stopped.

        The state is written when all records of a page are; ACTIVATE_VERSION after the
        last record of all.

        Yields:
            The customers of a page, as the API sends them.

        Raises:
            RequestRefusedError: ChartMogul refused a request.
            NoAnswerError: A request failed too often.
            PagingError: A page does not say where the next one is.
        """
        if self.writes_plainly and [*self.effective_schema["properties"]] == _NAMES:
            self.decode = decode_typed_page
        sync = self._sync()
        self.set_version(sync.version)
        progress = Progress(self.logger, sync)
        yield from self._read_ranges(sync, progress)
        if sync.looks_again:
            yield from self._look_again(sync)
        self._finish(sync)
        progress.end(self.pace.retries)
        self._reader.report()

    def _sync(self) -> Sync:
        """Return the sync that this run is part of: an unfinished one, or a new one."""
        new = start_sync(
            filters=self.filters,
            account=account_fingerprint(self.url_base, self.config["api_key"]),
            versioned=bool(self.config["emit_activate_version_messages"]),
        )
        boundaries = last_boundaries(self.stream_state.get(BOUNDARIES))
        try:
            old = unfinished_sync(self.stream_state.get(RESUME))
        except ValueError as error:
            self._start_over(f"the state is damaged: {error}")
            old = None
        if old is not None:
            hours = self.config["resume_max_age_hours"]
            reason = why_not_resumed(old, new, max_age_hours=hours)
            if reason is None:
                self.logger.info(
                    "Resuming the sync that started at %s, %d pages in",
                    old.started_at,
                    old.pages,
                )
                self.written.update(old.streams)
                return old
            self._start_over(f"the unfinished sync cannot be resumed: {reason}")
            # Its places are good all the same, those of the sync before it included.
            boundaries = old.boundaries()
        most = self.config["parallel_requests"]
        cut_sync(new, boundaries, most=most)
        if len(new.ranges) > 1:
            self.logger.info("Reading in %d ranges at once", len(new.ranges))
        return new

    def _start_over(self, reason: str) -> None:
        self.logger.warning("Starting over: %s", reason)
        self.stream_state.pop(RESUME, None)

    def _read_ranges(self, sync: Sync, progress: Progress) -> Iterator[Sequence[Any]]:
        parts = [*sync.ranges]
        names = [f"range {n}" for n in range(1, len(parts) + 1)]
        if len(parts) == 1:
            names = [""]
        finished: list[Range] = []
        at_once = int(self.config["parallel_requests"])
        with closing(Readers(parts, names, self.at, at_once=at_once)) as readers:
            for part in parts:
                if not part.done:
                    readers.start(part)
            for event in readers:
                part = event.part
                if isinstance(event, Fetched):
                    where = names[parts.index(part)]
                    sync.see(event.page)
                    yield self._customers(event.page, where)
                    sync.write(part, event.page, event.known, last=event.last)
                    # Its thread keeps the page until it has the next one.
                    event.page.entries.clear()
                    finished += [part] * event.last
                    if not sync.done:
                        self._bookmark(sync)
                    progress.say()
                    continue
                self.logger.warning("Reading from an earlier place: %s", event.error)
                if not event.dropped:
                    part.restart()
                elif (before := sync.drop(part)) not in finished and before.reopen():
                    readers.start(before)

    def _look_again(self, sync: Sync) -> Iterator[Sequence[Any]]:
        """Read once more where customers come to who started to pay meanwhile.

        A customer that moved from behind a reader to before it was missed. This is the
        one place that uses the order in which the service has the customers: by
        `customer-since`, those without one last.
        """
        places = [sync.recent.cursor, None] if sync.recent else [None]
        for place in places:
            with closing(self.at(place, "second look")) as reader:
                try:
                    for page in reader.pages():
                        leads = page.entries and not any(map(since_of, page.entries))
                        yield self._customers(page, "second look")
                        if leads:
                            break
                except CursorRefusedError as error:
                    self.logger.warning("Looking from the start: %s", error)
                else:
                    return

    def _customers(self, page: Page, where: str) -> Sequence[Any]:
        self._place = ", ".join(filter(None, (where, f"page {page.number}")))
        self.extracted_at = datetime.now(UTC)
        return page.entries

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        if type(row) is TypedCustomer:
            return row
        try:
            return self._reader.read(row)
        except PagingError as error:
            msg = f"{self._place}: {error}"
            raise PagingError(msg) from error

    def _bookmark(self, sync: Sync) -> None:
        sync.streams = sorted(self.written)
        self.stream_state[RESUME] = sync.to_state()
        self.stream_state.pop(BOUNDARIES, None)
        if not self.get_batch_config(self.config):
            # With batches the records may not be in a file yet: the SDK writes the
            # state after each.
            self.write_state()

    def _finish(self, sync: Sync) -> None:
        if not sync.customers:
            # With versions, ACTIVATE_VERSION would take every row of the table.
            self.logger.warning(
                "No customer was found, and no row will be deleted: check that "
                "`api_key` and the filters are those of this table"
            )
        elif sync.version is not None:
            # A sync that starts in the same second would have the same version, and
            # its ACTIVATE_VERSION would keep what this one wrote.
            time.sleep(min(1, max(0, sync.version + 1 - time.time())))
            self.activate_version(sync.version)
        self.stream_state.pop(RESUME, None)
        self.stream_state[BOUNDARIES] = sync.boundaries().to_state()
        self.flush()
