"""From errors to one plain line each, and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import click
from singer_sdk.exceptions import MappingError

from tap_chartmogul_customers.errors import SettingsError
from tap_chartmogul_customers.sdk.output import output_error
from tap_chartmogul_customers.tap import TapChartMogulCustomers

if TYPE_CHECKING:
    from collections.abc import Sequence


def run() -> int:
    """Run the tap as its command line says.

    Returns:
        The exit code: 0 only if everything that was asked for was done.
    """
    for name in ("LOGLEVEL", "TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL"):
        if not os.environ.get(name):
            os.environ.pop(name, None)  # An empty variable is not set.
    # Else Python looks for reference cycles among all objects of a page, every few
    # customers. There are none.
    gc.set_threshold(50_000)
    try:
        # The SDK sets the log up with it, before it asks for a logger.
        command = TapChartMogulCustomers.cli
    except Exception as error:  # noqa: BLE001 (whatever a logging configuration raises)
        print(f"The log cannot be set up: {_line(error)}", file=sys.stderr)  # noqa: T201
        return 1
    logger = TapChartMogulCustomers.logger
    try:
        return _end(command)
    except Exception as error:
        logger.debug("Where it happened:", exc_info=True)
        for problem in _problems(error):
            logger.error("%s", problem)  # noqa: TRY400
        return 1


def _end(command: click.Command) -> int:
    try:
        try:
            code = command(standalone_mode=False)
        except SystemExit as end:  # As the SDK ends --about.
            code = end.code
        # `os._exit`, by which the process ends, does not do it.
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is None:  # Standard output refused what `--about` printed.
            raise output_error(error) from error
        raise
    return code if isinstance(code, int) else 0


def _problems(error: Exception) -> Sequence[str]:
    if isinstance(error, SettingsError):
        return [_line(problem) for problem in error.problems]
    if isinstance(error, MappingError):
        return [f"The setting `stream_maps` is wrong: {_line(error)}"]
    if isinstance(error, click.ClickException):
        return [_line(error.format_message())]
    return [_line(error) or type(error).__name__]


def _line(text: object) -> str:
    return " ".join(str(text).split())
