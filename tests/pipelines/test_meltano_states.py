"""What Meltano makes of the states it keeps: it replaces them, or merges them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.meltano import TAP, meltano, settings
from tests.postgres import Database, row_of

if TYPE_CHECKING:
    from pathlib import Path

PER_PAGE = 5
CUSTOMERS = generate_customers(20 * PER_PAGE, seed=1)
"""Enough for two ranges, once a sync has left boundaries behind."""

REFRESH = "--full-refresh"
MERGE = "--state-strategy=merge"


class Run(NamedTuple):
    """A run of Meltano: its options, and what becomes of it."""

    options: str = ""
    fails: bool = False
    resumes: bool = False


HISTORIES = {
    "refreshed": [Run(fails=True), Run(REFRESH), Run()],
    "refreshed_in_part": [Run(REFRESH, fails=True), Run(resumes=True), Run()],
    "interrupted": [Run(MERGE, fails=True), Run(MERGE, resumes=True), Run(MERGE)],
    "interrupted_later": [
        *(Run(MERGE), Run(MERGE, fails=True), Run(MERGE, resumes=True), Run(MERGE))
    ],
}


@pytest.mark.parametrize("history", HISTORIES)
def test_no_merge_of_states_brings_back_what_is_over(
    project: Path, server: Database, history: str
) -> None:
    warehouse = server.copy(history)
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        variables = {
            **settings(TAP, api_url=sandbox.url, api_key=sandbox.api_key),
            **settings(TAP, per_page=PER_PAGE, emit_activate_version_messages="true"),
            **settings("target-postgres", **warehouse.settings()),
        }
        for number, run in enumerate(HISTORIES[history]):
            if not run.resumes:
                change(sandbox, number)
            begin = len(sandbox.requests)
            refused = range(begin + 8, begin + 30) if run.fails else ()
            sandbox.script(dict.fromkeys(refused, faults.status(401)))
            command = ("run", "--no-install", *run.options.split(), TAP)
            shown = meltano(project, *command, "target-postgres", **variables)
            assert (shown.code != 0) == run.fails, shown.log
            assert ("Resuming the sync" in shown.log) == run.resumes, shown.log
            assert "Starting over" not in shown.log
            if not run.fails:
                rows = {each["uuid"]: row_of(each) for each in sandbox.customers}
                assert warehouse.customers() == rows


def change(sandbox: Sandbox, number: int) -> None:
    """Change every customer, so that each row shows which run has read it.

    One is removed, and one is added.
    """
    gone, *rest = sandbox.customers
    sandbox.remove(gone["uuid"])
    for customer in [*rest, gone | {"uuid": f"cus_new_{number}"}]:
        sandbox.put(customer | {"company": f"of run {number}"})
