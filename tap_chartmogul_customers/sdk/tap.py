"""A tap whose command line says plainly what is wrong: what is patched in the SDK.

What is private in the SDK, and why it is replaced. Each could be an issue of the SDK:

- `_handle_termination`: it writes while a write may be under way, and exits with 0.
  Wanted: a hook, and 128 + signal as the exit code.
- `_ConfigInput`, which `cb_config` returns: reading a file that is no JSON object ends
  with a traceback. Wanted: an error that names the file.
- Stream maps evaluate expressions with floats where the records have decimals, and an
  error in one does not name it. Wanted: decimals, and `MapExpressionError` for all.
"""

from __future__ import annotations

import io
import logging
import os
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import simplejson
import singer_sdk
from simpleeval import InvalidExpression, ModuleWrapper
from singer_sdk import Tap
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from tap_chartmogul_customers.errors import FileError, SettingsError
from tap_chartmogul_customers.records.columns import STREAM
from tap_chartmogul_customers.sdk.output import Output, write_out
from tap_chartmogul_customers.settings import checks
from tap_chartmogul_customers.settings.files import (
    parse_catalog,
    parse_state,
    read_object,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import IO

    import click
    from singer_sdk.io_base import GenericSingerWriter

_SDK = str(Path(singer_sdk.__file__).parent)

_KEPT = (
    "Beginning sync of '%s' in %s mode",
    "Skipping deselected stream '%s'.",
)
"""What the SDK says at INFO that a user wants to know."""

_SAID_OTHERWISE = (
    "An unhandled error occurred while syncing '%s'",
    "Config validation failed",
)
"""What the SDK says that the tap says better elsewhere."""


class PlainTap(Tap):
    """A tap with checked settings and files, a quiet log, and an orderly end."""

    message_writer_class: type[GenericSingerWriter[Any, Any]] = Output

    @override
    def __init__(
        self,
        *,
        config: Any = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **kwargs: Any,
    ) -> None:
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        environment = checks.from_environment(
            schema["properties"], self.name.upper().replace("-", "_") + "_"
        )
        values = {**(config or {}), **(environment if parse_env_config else {})}
        checks.check(values, schema, complete=validate_config, environment=environment)
        super().__init__(config=values, validate_config=False, **kwargs)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        config: dict[str, Any] = {}
        for path in value:
            if path != "ENV":
                config |= read_object(path, "config")
        return _ConfigInput(config, parse_env="ENV" in value)

    @classmethod
    @override
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if state is not None:
            try:
                state = _as_file(parse_state(_bytes(state)))
            except FileError as error:
                cls.logger.warning("Starting over: the state is damaged: %s", error)
                state = None
        if catalog is not None:
            name = f"The catalog file '{catalog.name}'"
            catalog = _as_file(parse_catalog(_bytes(catalog), name, STREAM, "uuid"))
        super().invoke(state=state, catalog=catalog, **kwargs)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        # The SDK has set the log up just before, as SINGER_SDK_LOG_CONFIG may say.
        for handler in logging.getLogger().handlers:
            handler.addFilter(_is_news)
        return super().get_singer_command()

    @override
    def run_discovery(self) -> str:
        # Printed, an error would be lost in `click`.
        write_out(f"{self.catalog_json_text}\n".encode())
        return self.catalog_json_text

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        writer = getattr(self, "message_writer", None)
        if not isinstance(writer, Output):
            os._exit(128 + signum)
        writer.stop(signum)

    @override
    def setup_mapper(self) -> None:
        try:
            super().setup_mapper()
        except ValueError as error:
            # Two columns have one name. The SDK does not say which setting made it.
            msg = (
                f"{error}. Change `flattening_max_key_length`, `flattening_separator` "
                "or `stream_maps`"
            )
            raise SettingsError(msg) from error
        for stream_map in chain.from_iterable(self.mapper.stream_maps.values()):
            if isinstance(stream_map, CustomStreamMap):
                evaluator = stream_map.expr_evaluator
                evaluator.functions["json"] = ModuleWrapper(simplejson)
                evaluator.operators = {
                    node: _mixing(operator)
                    for node, operator in evaluator.operators.items()
                }
                evaluator.eval = _named(evaluator.eval)


def _bytes(file: IO[str]) -> bytes:
    # As text, it would be read in the encoding of the locale.
    assert isinstance(file, io.TextIOWrapper)  # noqa: S101 (click opened it)
    return bytes(file.buffer.read())


def _as_file(value: dict[str, Any]) -> IO[str]:
    return io.StringIO(serialize_json(value))


def _is_news(record: logging.LogRecord) -> bool:
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return True
    if record.pathname.startswith(_SDK) and record.levelno <= logging.INFO:
        return record.msg in _KEPT
    return record.msg not in _SAID_OTHERWISE


def _named(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Have an error name the expression, and show no value of a customer."""

    def apply(expression: str, **options: Any) -> Any:  # noqa: ANN401 (any value)
        try:
            return evaluate(expression, **options)
        except (InvalidExpression, SyntaxError):
            raise  # The SDK names it.
        except Exception as error:
            msg = f"Failed to evaluate {expression}: {type(error).__name__}"
            raise MapExpressionError(msg) from error

    return apply


def _mixing(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Let an operator take a decimal beside a float, as the float nearest to it."""

    def apply(*values: Any) -> Any:  # noqa: ANN401 (any value of an expression)
        if any(isinstance(value, float) for value in values):
            values = tuple(
                float(value) if isinstance(value, Decimal) else value
                for value in values
            )
        return operator(*values)

    return apply
