"""The sandbox as the benchmarks need it: pages ready, requests counted.

It says its URL and key on one line. For each line that comes in, the milliseconds
before a page from then on, it says how many requests came since the last one. It ends
when no more lines can come.
"""

from __future__ import annotations

import signal
import sys

from sandbox import Sandbox, generate_customers


def main(customers: int) -> None:
    """Serve an account until standard input ends.

    Args:
        customers: How many the account has.
    """
    # Who started this says when it ends, also after an interrupt from the keyboard.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    account = generate_customers(customers, seed=1)
    for customer in account:
        # dlt ends with an error at an integer over 64 bits.
        customer["attributes"]["custom"].pop("Ledger Number", None)
    sandbox = Sandbox(account, rate_limit=None)
    sandbox.prerender()
    with sandbox:
        _say(sandbox.url, sandbox.api_key)
        seen = 0
        for line in sys.stdin:
            before, seen = seen, len(sandbox.requests)
            _say(seen - before)
            sandbox.latency = float(line) / 1000


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
