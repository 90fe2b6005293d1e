"""The command line: from errors to one plain line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Run the tap as its command line says, and end the process.

    The exit code is 0 only after everything that was asked for was done. The process
    ends here, so that neither a request that is still on its way nor a log that nobody
    takes changes that.
    """
    # Until the tap has its own handler: no traceback at an interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = _run()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    for name in ("LOGLEVEL", "TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL"):
        if not os.environ.get(name):
            os.environ.pop(name, None)  # An empty variable is not set.

    import click  # noqa: PLC0415
    from singer_sdk.exceptions import MappingError  # noqa: PLC0415

    from tap_chartmogul_customers.errors import SettingsError  # noqa: PLC0415
    from tap_chartmogul_customers.sdk.output import output_error  # noqa: PLC0415
    from tap_chartmogul_customers.tap import TapChartMogulCustomers  # noqa: PLC0415

    try:
        # The SDK sets the log up with it, before it asks for a logger.
        command = TapChartMogulCustomers.cli
    except Exception as error:  # noqa: BLE001 (whatever a logging configuration raises)
        print(f"The log cannot be set up: {_one_line(error)}", file=sys.stderr)  # noqa: T201
        return 1
    logger = TapChartMogulCustomers.logger
    try:
        try:
            code: int = command(standalone_mode=False) or 0
            sys.stdout.flush()
        except OSError as error:  # What is printed, such as a catalog, is not taken.
            raise output_error(error) from error
    except SettingsError as error:
        problems = error.problems
    except MappingError as error:
        problems = (f"The setting `stream_maps` is wrong: {_one_line(error)}",)
    except click.ClickException as error:
        problems = (error.format_message(),)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:
        logger.debug("Where it happened:", exc_info=True)
        problems = (_one_line(error) or type(error).__name__,)
    else:
        return code
    for problem in problems:
        logger.error("%s", " ".join(problem.split()))
    return 1


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    main()
