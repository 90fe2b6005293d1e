"""The command line: from errors to one plain line and an exit code."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the tap as its command line says.

    Raises:
        SystemExit: Always; 0 only after everything that was asked for was done.
    """
    # Until the tap has its own handler: no traceback at an interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from singer_sdk.exceptions import ConfigValidationError  # noqa: PLC0415

    from tap_chartmogul_customers.output import (  # noqa: PLC0415
        Stopped,
        TargetGoneError,
    )
    from tap_chartmogul_customers.tap import TapChartMogulCustomers  # noqa: PLC0415

    logger = TapChartMogulCustomers.logger
    try:
        TapChartMogulCustomers.cli()
    except Stopped as stopped:
        logger.warning("Stopped by %s", stopped.signal.name)
        raise
    except TargetGoneError:
        logger.error("The target closed the pipe; see what it logged")  # noqa: TRY400
        raise
    except ConfigValidationError as error:
        for line in error.errors:
            logger.error("Config validation error: %s", line)  # noqa: TRY400
        raise SystemExit(1) from None
    except Exception as error:
        logger.error("%s", _one_line(error))  # noqa: TRY400
        logger.debug("Where it happened:", exc_info=True)
        raise SystemExit(1) from None


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


if __name__ == "__main__":
    main()
