"""Every private hook of the SDK that the tap overrides or calls, with the reason.

`tests/test_sdk.py` fails when the SDK changes under one of them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Tap
from singer_sdk.batch import Batcher
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigurationError, ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import RESTStream

from tap_chartmogul_customers import settings
from tap_chartmogul_customers.output import Output

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context
    from singer_sdk.mapper import StreamMap


class TapHooks(Tap):
    """A tap with settings checked in full and an end by signal that loses nothing."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 (as in the SDK)
        # Private: an error of the SDK's does not name the setting.
        cls.append_builtin_config(cls.config_jsonschema)
        config: dict[str, Any] = {}
        for name, setting in cls.config_jsonschema["properties"].items():
            schema = {"properties": {name: setting}}
            try:
                config |= parse_environment_config(schema, cls._env_var_prefix)
            except ValueError as error:
                msg = "Config validation failed"
                problem = f"{name!r} in the environment cannot be read: {error}"
                raise ConfigValidationError(msg, errors=[problem]) from error
        return config

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # Private: the SDK has no hook for further checks, shows the value of a wrong
        # setting, even of the key, and leaves numbers of the environment as text.
        settings.numbers_from_text(self._config)
        schema = None
        try:
            errors = super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as error:
            errors, schema = error.errors, error.schema
        if key := self._config.get("api_key"):
            errors = [error.replace(repr(key), "its value") for error in errors]
        errors += settings.problems(self._config)
        if errors and raise_errors:
            msg = "Config validation failed"
            raise ConfigValidationError(msg, errors=errors, schema=schema)
        return errors

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # Private: the SDK writes while a write may be under way, and exits with 0.
        writer = getattr(self, "message_writer", None)
        if isinstance(writer, Output):
            writer.stop(signum)
        else:
            sys.exit(128 + signum)


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg != "An unhandled error occurred while syncing '%s'"


class StreamHooks(RESTStream[str | None]):
    """A stream that writes records, versions and states in the order they need.

    Args:
        tap: The tap that the stream belongs to.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    extracted_at: datetime = datetime.now(UTC)
    """When the page came whose records are being written."""

    @override
    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        # Private text: the SDK announces every error, which is then said in full.
        self.logger.addFilter(_is_news)

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
        # Private: it knows the stream's aliases.
        self._write_activate_version_message(version)

    def write_state(self) -> None:
        """Write the state as it is now, unless it was the last one written."""
        self._tap.state_writer.write_state(self.tap_state)

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
    def _write_record_message(self, record: dict[str, Any]) -> None:
        # Private: for every record the SDK walks its selection, even with nothing
        # deselected, and takes the time: half of the cost of a record.
        if self._plain is None:
            super()._write_record_message(record)
            return
        message = {**self._plain, "record": record}
        if self._stream_version is not None:
            message["version"] = self._stream_version
        message["time_extracted"] = self.extracted_at
        cast("Output", self._tap.message_writer).write(message)
        self.state_manager.is_flushed = False

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
