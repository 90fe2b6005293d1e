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
from benchmarks.scenarios import QUICK, ROUNDS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.account import Account
    from benchmarks.scenarios import Scenario

logger = logging.getLogger("benchmarks")


def main() -> None:
    """Measure, and write the results down."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not has_airbyte():
        logger.warning("Airbyte's CDK is not installed: going on without it")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        logger.info("Rendering the pages")
        wanted = {key for scenario in SCENARIOS for key in scenario.accounts}
        accounts = {key: stack.enter_context(served(*key)) for key in sorted(wanted)}
        samples = list(_samples(accounts, Path(folder)))
    Measurements(machine.describe(), samples).save()


def _samples(
    accounts: dict[tuple[int, float], Account], folder: Path
) -> Iterator[Sample]:
    logger.info("Warming up")
    list(_runs(QUICK, accounts[QUICK.accounts[0]], folder))
    for number in range(1, ROUNDS + 1):
        for scenario in SCENARIOS:
            logger.info("Round %d of %d: %s", number, ROUNDS, scenario.name)
            for key in scenario.accounts:
                yield from _runs(scenario, accounts[key], folder)


def _runs(scenario: Scenario, account: Account, folder: Path) -> Iterator[Sample]:
    """Run every program once, one soon after the other."""
    for program, command in commands(account, folder).items():
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
            in_flight=account.most_in_flight(),
        )


if __name__ == "__main__":
    main()
