"""`python -m benchmarks.measure`: run every program in every scenario, in turn.

It imports little, since its own memory would count as that of the programs.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.account import served
from benchmarks.programs import commands, has_airbyte
from benchmarks.run import run
from benchmarks.samples import Measurements, Sample
from benchmarks.scenarios import QUICK, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.account import Account
    from benchmarks.scenarios import Scenario

logger = logging.getLogger("benchmarks")


def main() -> None:
    """Measure, and write the results down."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not has_airbyte():
        logger.warning("Airbyte's CDK is not installed: measuring without it")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        logger.info("Rendering the pages")
        sizes = {size for scenario in SCENARIOS for size in scenario.sizes}
        accounts = {size: stack.enter_context(served(size)) for size in sorted(sizes)}
        samples = list(_samples(accounts, Path(folder)))
    Measurements(machine.describe(), samples).save()


def _samples(accounts: dict[int, Account], folder: Path) -> Iterator[Sample]:
    logger.info("Warming up")
    for account in accounts.values():
        commands(account, folder)
    list(_runs(QUICK, accounts[QUICK.small], folder))
    for number in range(1, max(scenario.rounds for scenario in SCENARIOS) + 1):
        for scenario in SCENARIOS:
            if number <= scenario.rounds:
                logger.info("Round %d: %s", number, scenario.name)
                for size in scenario.sizes:
                    yield from _runs(scenario, accounts[size], folder)


def _runs(scenario: Scenario, account: Account, folder: Path) -> Iterator[Sample]:
    """Run every program once, one soon after the other."""
    for program, command in commands(account, folder).items():
        if program not in scenario.programs:
            continue
        account.delay(scenario.latency)
        cost = run(
            command,
            customers=account.customers,
            pause=scenario.pause,
            log=folder / "log",
        )
        yield Sample(
            program,
            scenario.name,
            account.customers,
            **cost._asdict(),
            **account.traffic()._asdict(),
        )


if __name__ == "__main__":
    main()
