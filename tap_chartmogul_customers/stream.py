"""The stream of customers: what is asked, and what a record is."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_chartmogul_customers.api.client import Client
from tap_chartmogul_customers.api.decoder import CustomerDecoder
from tap_chartmogul_customers.api.paging import CursorPaginator
from tap_chartmogul_customers.progress import Progress
from tap_chartmogul_customers.records.columns import STREAM
from tap_chartmogul_customers.records.record import RecordReader
from tap_chartmogul_customers.sdk.stream import PagedStream
from tap_chartmogul_customers.settings.schema import FILTERS
from tap_chartmogul_customers.sync.bookmark import Account
from tap_chartmogul_customers.sync.sync import Sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    import msgspec
    from singer_sdk.helpers.types import Context, Record

    from tap_chartmogul_customers.api.decoder import LooseCustomer


class CustomersStream(PagedStream):
    """Every customer of the account."""

    name = STREAM
    path = "/customers"
    primary_keys = ("uuid",)

    @property
    @override
    def replication_method(self) -> str:
        # Whatever a catalog says: the API has no filter by date of change.
        return REPLICATION_FULL_TABLE

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @cached_property
    @override
    def authenticator(self) -> BasicAuthenticator:
        return BasicAuthenticator(username=self.config["api_key"], password="")

    @cached_property
    @override
    def user_agent(self) -> str:
        return f"{self.tap_name}/{self._tap.plugin_version}"

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        return {
            "per_page": self.config["per_page"],
            **self._account.filters,
            "cursor": next_page_token,
        }

    @override
    def get_new_paginator(self, start: str | None = None) -> CursorPaginator:
        return CursorPaginator(start)

    @property
    def _account(self) -> Account:
        filters = {each.name: self.config.get(each.name) for each in FILTERS}
        return Account(self.url_base, self.config["api_key"], filters)

    def _client(self, decoder: CustomerDecoder) -> Client:
        return Client(
            lambda cursor: self.prepare_request(None, cursor),
            self.get_new_paginator,
            decoder.decode,
            timeout=self.config["request_timeout"],
            max_retries=self.config["max_retries"],
            api_key=self.config["api_key"],
            logger=self.logger,
        )

    def sample(self, size: int) -> list[Record]:
        """Return the first customers of the account, as the API sends them.

        Args:
            size: How many, at most.

        Returns:
            The customers.

        Raises:
            ReadError: A page cannot be read.
            UnreachableError: ChartMogul cannot be reached.
        """
        pages = self._client(CustomerDecoder()).pages()
        customers = chain.from_iterable(page.customers for page in pages)
        sample = [each for _, each in zip(range(size), customers, strict=False)]
        pages.close()
        return [cast("LooseCustomer", each).fields for each in sample]

    @override
    def read_pages(self) -> Iterator[list[msgspec.Struct]]:
        """Read all customers, from where an earlier run stopped.

        Yields:
            Their records, page by page. The last page is empty.

        Raises:
            ReadError: The account cannot be read.
            UnreachableError: ChartMogul cannot be reached.
        """
        if self.forced_replication_method not in {None, REPLICATION_FULL_TABLE}:
            self.logger.warning(
                "The catalog asks for %s replication, but every run reads every "
                "customer: the API cannot tell who has changed",
                self.forced_replication_method,
            )
        sync = self._sync = Sync(
            self.stream_state,
            self._account,
            versioned=self.config["emit_activate_version_messages"],
            max_age_hours=self.config["resume_max_age_hours"],
            at_once=self.config["parallel_requests"],
            logger=self.logger,
        )
        self.set_version(sync.version)
        self.emitted.update(sync.streams)
        reader = RecordReader(self.effective_schema, self.mask, self.logger)
        client = self._client(reader.decoder)
        progress = Progress(self.logger, sync)

        for portion in sync.read(client.pages):
            yield [reader.read(customer) for customer in portion.customers]
            progress.say()
        progress.end(client.pace.retries)
        reader.report()
        if not sync.customers and not self.emitted:
            # With ACTIVATE_VERSION, the target would delete every row of the table.
            self.logger.warning(
                "No customer was found, so the table keeps its rows: check `api_key` "
                "and the filters"
            )
        elif sync.version is not None:
            self.activate_version(sync.version)
        yield []

    @override
    def bookmark(self) -> dict[str, Any]:
        """Return the bookmark with which the next run resumes, or starts a new sync."""
        self._sync.streams[:] = sorted(self.emitted)
        return self._sync.state()
