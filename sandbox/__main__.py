"""The sandbox as a program: `python -m sandbox --help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from threading import Event

from sandbox import API_KEY, Sandbox, faults, generate_customers


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options = _parser().parse_args()
    sandbox = Sandbox(
        generate_customers(options.customers),
        latency=options.latency,
        rate_limit=options.rate_limit or None,
        port=options.port,
    )
    if options.prerender:
        sandbox.prerender(options.prerender)
    if options.fault_every:
        sandbox.script(faults.one_in(options.fault_every))
    try:
        with sandbox:
            # The key is no secret: it opens nothing but this sandbox.
            print(f"{sandbox.url}\nAPI key: {API_KEY}", flush=True)  # noqa: T201
            stop.wait()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"sandbox: port {options.port}: {reason}; --port takes another")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A stand-in for ChartMogul's List Customers API.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--customers", type=int, default=1000, help="how many to make up")
    add("--port", type=int, default=8787, help="0 for a free one")
    add("--latency", type=float, default=0.05, help="seconds before a page")
    add("--rate-limit", type=int, default=40, help="requests a second; 0 for any")
    add("--prerender", type=int, metavar="PER_PAGE", help="render pages beforehand")
    add("--fault-every", type=int, metavar="N", help="one request in N fails")
    return parser


if __name__ == "__main__":
    main()
