"""`make demo`: Meltano loads customers into a file, and a table shows what came.

Without an API key they are the sandbox's customers, with one the account's own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import simplejson

from sandbox import Sandbox, generate_customers

if TYPE_CHECKING:
    from collections.abc import Iterable

MELTANO = Path(".venv-meltano/bin/meltano")
OUTPUT = Path("demo/customers.jsonl")
SANDBOX_CUSTOMERS = 1000

# Every digit of a number is shown.
_read = partial(simplejson.loads, parse_float=Decimal)


def main() -> int:
    """Load the customers and show them.

    Returns:
        The exit code: Meltano's, so 0 if every customer was loaded.
    """
    OUTPUT.parent.mkdir(exist_ok=True)
    # What was loaded before stays until all is there.
    with TemporaryDirectory(dir=OUTPUT.parent) as folder:
        loaded = Path(folder) / OUTPUT.name
        loaded.touch()  # target-jsonl makes no file of no customers
        exit_code = _load(folder)
        if exit_code == 0:
            loaded.replace(OUTPUT)
            with OUTPUT.open(encoding="utf-8") as lines:
                sys.stdout.write(report(map(_read, lines)))
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


def report(records: Iterable[dict[str, Any]]) -> str:
    """Show one customer in full, and the customers and their MRR by status.

    A customer that was loaded twice counts as it was the second time.
    """
    example: dict[str, Any] | None = None
    customers: dict[str, tuple[str, str, int]] = {}
    for record in records:
        example = example or record
        currency, status = record["currency"] or "", record["status"] or "(none)"
        customers[record["uuid"]] = (currency, status, record["mrr"] or 0)
    lines = ["", f"{OUTPUT} holds {len(customers):,} customers."]
    if example:
        pretty = simplejson.dumps(example, indent=2, ensure_ascii=False)
        lines += ["One of them:", pretty, "", *_table(customers.values())]
    return "\n".join(lines) + "\n"


def _table(customers: Iterable[tuple[str, str, int]]) -> list[str]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    cents: dict[tuple[str, str], int] = defaultdict(int)
    for currency, status, mrr in customers:
        for row in ((currency, status), (currency, "Total")):
            counts[row] += 1
            cents[row] += mrr
    return [f"{'Status':<18}{'Customers':>10}{'MRR':>16}"] + [
        f"{row[1]:<18}{counts[row]:>10,}{cents[row] / 100:>16,.2f} {row[0]}".rstrip()
        for row in sorted(counts, key=lambda row: (row[0], row[1] == "Total", row))
    ]


if __name__ == "__main__":
    sys.exit(main())
