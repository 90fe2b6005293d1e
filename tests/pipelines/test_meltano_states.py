"""What Meltano makes of the states it keeps: it replaces them, or merges them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox import Sandbox, faults, generate_customers
from tests.meltano import TAP, meltano, settings

if TYPE_CHECKING:
    from pathlib import Path

PER_PAGE = 5
CUSTOMERS = generate_customers(20 * PER_PAGE, seed=1)
"""Enough for two ranges, once a sync has left boundaries behind."""

REFRESH = "--full-refresh"
MERGE = "--state-strategy=merge"

RESUMES = "Resuming the sync"
FAILS = "401 Unauthorized"
READS = "Read 100 customers on 20 pages in"
READS_IN_RANGES = "Reading in 2 ranges at once"

HISTORY = [
    (MERGE, FAILS),
    (MERGE, RESUMES),
    (REFRESH, FAILS),
    ("", RESUMES),
    (MERGE, FAILS),
    (REFRESH, READS),
    ("", READS_IN_RANGES),
]
"""Runs one after the other: the option of each, and what its log says."""


def test_no_merge_of_states_brings_back_what_is_over(project: Path) -> None:
    companies: dict[str, str] = {}
    with Sandbox(CUSTOMERS, rate_limit=None) as sandbox:
        account = {"api_url": sandbox.url, "api_key": sandbox.api_key}
        variables = settings(TAP, **account, per_page=PER_PAGE)
        for number, (option, says) in enumerate(HISTORY):
            if says != RESUMES:
                # So that each row shows which sync has read it.
                for customer in sandbox.customers:
                    sandbox.put(customer | {"company": f"of sync {number}"})
            begin = len(sandbox.requests)
            refused = range(begin + 8, begin + 30) if says == FAILS else ()
            sandbox.script(dict.fromkeys(refused, faults.status(401)))
            run = ("run", "--no-install", *option.split(), TAP, "target-jsonl")
            shown = meltano(project, *run, **variables)
            assert says in shown.log
            assert (RESUMES in shown.log) == (says == RESUMES)
            loaded = (project / "output/customers.jsonl").read_text("utf-8")
            for row in map(json.loads, loaded.splitlines()):
                companies[row["uuid"]] = row["company"]
            if says != FAILS:
                expected = {each["uuid"]: each["company"] for each in sandbox.customers}
                assert companies == expected
