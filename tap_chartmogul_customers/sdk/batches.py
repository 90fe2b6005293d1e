"""Batches that keep to selection and stream maps: private hooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk.batch import Batcher
from singer_sdk.exceptions import ConfigurationError
from singer_sdk.streams import RESTStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context


class MappedBatches(RESTStream[str | None]):
    """A stream whose batches hold what its RECORD messages would."""

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        """Write records to batch files, selected and mapped like any others.

        Args:
            batch_config: The `batch_config` setting.
            context: Not used; the stream has no partitions.

        Yields:
            The encoding and the files of each batch.

        Raises:
            ConfigurationError: More than one stream map takes these records.
        """
        if len(self.stream_maps) > 1:
            msg = "`batch_config` cannot be used with several stream maps of a stream"
            raise ConfigurationError(msg)
        batcher = Batcher(self.tap_name, self.name, batch_config)
        # Private: the SDK's batches leave out selection and stream maps.
        records = (
            message.record
            for record in self._sync_records(context, write_messages=False)
            for message in self._generate_record_messages(record)
        )
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest
