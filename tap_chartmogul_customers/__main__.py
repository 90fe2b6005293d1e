"""The command line: from errors to one plain line and an exit code."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the tap as its command line says.

    Raises:
        SystemExit: Always; 0 only after everything that was asked for was done.
    """
    # Until the tap has its own handler: no traceback at an interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _hold_standard_streams()

    import click  # noqa: PLC0415
    from singer_sdk.exceptions import MappingError  # noqa: PLC0415

    from tap_chartmogul_customers.output import (  # noqa: PLC0415
        OutputError,
        Stopped,
        standard_output,
    )
    from tap_chartmogul_customers.tap import TapChartMogulCustomers  # noqa: PLC0415
    from tap_chartmogul_customers.validation import SettingsError  # noqa: PLC0415

    try:
        # The SDK sets the log up with it, before it asks for a logger.
        command = TapChartMogulCustomers.cli
    except Exception as error:  # noqa: BLE001 (whatever a logging configuration raises)
        sys.exit(f"The log cannot be set up: {_one_line(str(error))}")
    logger = TapChartMogulCustomers.logger
    try:
        with standard_output():
            code = command(standalone_mode=False)
    except Stopped as stopped:
        logger.warning("Stopped by %s", stopped.signal.name)
        raise
    except OutputError as error:
        logger.error("%s", error.message)  # noqa: TRY400
        raise
    except SettingsError as error:
        for problem in error.problems:
            logger.error("%s", _one_line(problem))  # noqa: TRY400
        raise SystemExit(1) from None
    except MappingError as error:
        problem = _one_line(str(error))
        logger.error("The setting `stream_maps` is wrong: %s", problem)  # noqa: TRY400
        raise SystemExit(1) from None
    except click.ClickException as error:
        logger.error("%s", _one_line(error.format_message()))  # noqa: TRY400
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        logger.error("%s", _one_line(str(error)) or type(error).__name__)  # noqa: TRY400
        logger.debug("Where it happened:", exc_info=True)
        raise SystemExit(1) from None
    raise SystemExit(code)


def _hold_standard_streams() -> None:
    """Open those of the standard streams that are closed.

    Else the next file or connection would get the number of one, and be written to.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
