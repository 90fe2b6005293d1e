"""`make demo`: Meltano loads customers into a file, and a table shows what came.

Without an API key they are the sandbox's customers, with one the account's own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from sandbox import Sandbox, generate_customers

if TYPE_CHECKING:
    from collections.abc import Iterable

MELTANO = Path(".venv-meltano/bin/meltano")
OUTPUT = Path("demo/customers.jsonl")
SANDBOX_CUSTOMERS = 1000


class _Customer(msgspec.Struct):
    uuid: str
    status: str | None
    mrr: int | None


def main() -> int:
    """Load the customers, show them, and return Meltano's exit code."""
    OUTPUT.parent.mkdir(exist_ok=True)
    # What was loaded before stays until all is there.
    with TemporaryDirectory(dir=OUTPUT.parent) as folder:
        loaded = Path(folder) / OUTPUT.name
        loaded.touch()  # target-jsonl makes no file of no customers
        exit_code = _load(folder)
        if exit_code == 0:
            loaded.replace(OUTPUT)
            with OUTPUT.open(encoding="utf-8") as lines:
                sys.stdout.write(report(lines))
    return exit_code


def _load(folder: str) -> int:
    # The key travels in the environment alone, which is nobody else's to read.
    api_key = os.environ.get("API_KEY")
    if api_key is not None:
        return _run_meltano("dev", folder, api_key=api_key)
    customers = generate_customers(SANDBOX_CUSTOMERS, seed=1)
    with Sandbox(customers=customers) as sandbox:
        account = {"api_key": sandbox.api_key, "api_url": sandbox.url}
        return _run_meltano("sandbox", folder, **account)


def _run_meltano(environment: str, folder: str, **settings: str) -> int:
    variables = {
        f"TAP_CHARTMOGUL_CUSTOMERS_{name.upper()}": value
        for name, value in settings.items()
    } | {"TARGET_JSONL_DESTINATION_PATH": folder}
    # A state of its own, and none to begin with: a demo that resumed an interrupted one
    # would show half a file.
    options = ["--state-id-suffix=demo", "--full-refresh"]
    pipeline = ["tap-chartmogul-customers", "target-jsonl"]
    with subprocess.Popen(  # noqa: S603 - no part of the command comes from outside
        [MELTANO, f"--environment={environment}", "run", *options, *pipeline],
        env=os.environ | variables,
    ) as meltano:
        # Meltano ends its tap and target on either; Ctrl-C reaches it by itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: meltano.terminate())
        return meltano.wait()


def report(lines: Iterable[str]) -> str:
    """Show one customer in full, and the customers and their MRR by status.

    A customer that was loaded twice counts as it was the second time.
    """
    example = ""
    customers: dict[str, _Customer] = {}
    for line in lines:
        # Not decoded, so that every digit of a number is shown.
        example = example or f"One of them:\n{msgspec.json.format(line, indent=2)}\n\n"
        customer = msgspec.json.decode(line, type=_Customer)
        customers[customer.uuid] = customer
    counts, cents = Counter[str](), Counter[str]()
    for one in customers.values():
        counts[one.status or "(none)"] += 1
        cents[one.status or "(none)"] += one.mrr or 0
    rows = [(name, counts[name], cents[name]) for name in sorted(counts)]
    rows += [("Total", counts.total(), cents.total())]
    return (
        f"\n{OUTPUT} holds {len(customers):,} customers.\n{example}"
        f"{'Status':<18}{'Customers':>10}{'MRR':>16}\n"
        + "".join(f"{n:<18}{count:>10,}{mrr / 100:>16,.2f}\n" for n, count, mrr in rows)
    )


if __name__ == "__main__":
    sys.exit(main())
