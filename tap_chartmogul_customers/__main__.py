"""What the command `tap-chartmogul-customers` runs."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Run the tap as its command line says, and end the process.

    It ends the process here, so that the exit code does not depend on a request that
    is still on its way, or on whether anyone reads the log.
    """
    # Until the tap has its own handler: no traceback at an interrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tap_chartmogul_customers.command_line import run  # noqa: PLC0415

    code = run()
    if sys.stderr:
        with suppress(OSError):
            sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
