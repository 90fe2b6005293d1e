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
from tap_chartmogul_customers.records.custom_attributes import with_custom_columns
from tap_chartmogul_customers.records.reader import RecordReader
from tap_chartmogul_customers.records.schema import CUSTOMER_SCHEMA
from tap_chartmogul_customers.sync.progress import Progress
from tap_chartmogul_customers.sync.readahead import read_ahead
from tap_chartmogul_customers.sync.resume import (
    Sync,
    account_fingerprint,
    start_sync,
    unfinished_sync,
    why_not_resumed,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context, Record

RESUME = "resume"
"""Where the state holds an unfinished sync."""


class CustomersStream(ChartMogulStream):
    """Every customer of the account."""

    name = "customers"
    path = "/customers"
    primary_keys = ("uuid",)
    _page_number = 0

    @property
    @override
    def replication_method(self) -> str:
        # Whatever a catalog says: the API has no filter by date of change.
        return REPLICATION_FULL_TABLE

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """The customer's schema, with columns of custom attributes if they are set.

        A catalog that was passed in is used as it is: no customer is read for it.
        """
        size = self.config["custom_attributes_sample_size"]
        if not size or self._tap.input_catalog is not None:
            return CUSTOMER_SCHEMA
        customers = chain.from_iterable(page.entries for page in self.pages())
        sample = islice(customers, int(size))
        return with_custom_columns(CUSTOMER_SCHEMA, sample, self.logger)

    @cached_property
    def _reader(self) -> RecordReader:
        return RecordReader(self.effective_schema, self.logger)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Read customers, from where an earlier run stopped if it may.

        The state is written when all records of a page are; ACTIVATE_VERSION after the
        last record of all.

        Args:
            context: Not used; the stream has no partitions.

        Yields:
            Each customer, as the API sends it.

        Raises:
            RequestRefusedError: ChartMogul refused a request.
            NoAnswerError: A request failed too often.
            PagingError: A page does not say where to go on.
        """
        new = self._new_sync()
        old = self._sync_to_resume(new)
        if old is not None:
            self.logger.info(
                "Going on with the sync that started at %s", old.started_at
            )
            try:
                yield from self._read(old)
            except CursorRefusedError as error:
                self._start_over(str(error))
            else:
                return
        yield from self._read(new)

    def _new_sync(self) -> Sync:
        return start_sync(
            filters=self.filters,
            account=account_fingerprint(self.url_base, self.config["api_key"]),
            versioned=bool(self.config["emit_activate_version_messages"]),
        )

    def _sync_to_resume(self, new: Sync) -> Sync | None:
        try:
            old = unfinished_sync(self.stream_state.get(RESUME))
        except ValueError as error:
            self._start_over(f"the state is damaged: {error}")
            return None
        hours = self.config["resume_max_age_hours"]
        if old and (reason := why_not_resumed(old, new, max_age_hours=hours)):
            self._start_over(f"the unfinished sync does not fit: {reason}")
            return None
        return old

    def _start_over(self, reason: str) -> None:
        self.logger.warning("Starting over: %s", reason)
        self.stream_state.pop(RESUME, None)

    def _read(self, sync: Sync) -> Iterator[Record]:
        self.start_cursor = sync.cursor
        progress = Progress(self.logger)
        self.set_version(sync.version)
        with closing(read_ahead(self.pages())) as pages:
            for number, page in enumerate(pages, start=1):
                self._page_number = number
                self.extracted_at = datetime.now(UTC)
                yield from page.entries
                progress.add(page)
                if page.has_more:
                    self._bookmark(sync.at(page.cursor))
        self._finish(sync)
        progress.end(self.retries)
        self._reader.report()

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        try:
            return self._reader.read(row)
        except PagingError as error:
            msg = f"Page {self._page_number}: {error}"
            raise PagingError(msg) from error

    def _bookmark(self, sync: Sync) -> None:
        self.stream_state[RESUME] = sync.to_state()
        if not self.get_batch_config(self.config):
            # With batches the records may not be in a file yet: the SDK writes the
            # state after each.
            self.write_state()

    def _finish(self, sync: Sync) -> None:
        if sync.version is not None:
            # A sync that starts in the same second would have the same version, and
            # its ACTIVATE_VERSION would keep what this one wrote.
            time.sleep(min(1, max(0, sync.version + 1 - time.time())))
            self.activate_version(sync.version)
        self.stream_state.pop(RESUME, None)
