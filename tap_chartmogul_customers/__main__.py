"""What the command `tap-chartmogul-customers` runs."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Run the tap as its command line says, and end the process.

    It ends here, so that neither a request that is still on its way nor a log that
    nobody takes changes the exit code.
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
