"""The tap with the real target-postgres, a real server, and deletes switched on."""

from __future__ import annotations

import json
import time
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tests.postgres import TARGET, Database, last_state, load, row_of
from tests.running import Tap

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {"per_page": 20, "emit_activate_version_messages": True}


def change(sandbox: Sandbox) -> None:
    """Change, remove and add customers at both ends of the account."""
    first, second, *_, last_but_one, last = sandbox.customers
    for customer in (first, last):
        sandbox.put(customer | {"company": "Renamed 🦄"})
    for customer in (second, last_but_one):
        sandbox.remove(customer["uuid"])
        sandbox.put(customer | {"uuid": f"{customer['uuid']}-new"})


@pytest.mark.parametrize("stopped", ["tap", "target"])
def test_a_load_that_was_stopped_goes_on_from_the_last_state_of_the_target(
    server: Database, tmp_path: Path, stopped: str
) -> None:
    warehouse = server.copy(f"stopped_{stopped}")
    config = tmp_path / "target.json"
    config.write_text(json.dumps(warehouse.settings()))
    with Sandbox(generate_customers(120, seed=1), rate_limit=None) as sandbox:
        tap = Tap(sandbox, tmp_path)
        load(tap, warehouse, **SETTINGS)
        change(sandbox)
        (changed, *_) = sandbox.customers
        rows = {customer["uuid"]: row_of(customer) for customer in sandbox.customers}
        sandbox.requests.clear()
        sandbox.script({4: faults.hang(60)})
        with (
            Popen(tap.command(**SETTINGS), stdout=PIPE) as source,
            Popen([TARGET, "--config", config], stdin=source.stdout, stdout=PIPE) as it,
        ):
            while warehouse.customers()[changed["uuid"]] != row_of(changed):
                time.sleep(0.05)
            if stopped == "tap":
                source.terminate()
            else:
                it.kill()
                source.kill()
            printed, _ = it.communicate(timeout=60)
        # Nobody is deleted before the read has come to its end.
        old = {uuid for uuid in rows if not uuid.endswith("-new")}
        assert warehouse.customers().keys() >= old
        load(tap, warehouse, state=last_state(printed), **SETTINGS)
        assert warehouse.customers() == rows
        assert ("cursor" in sandbox.requests[4].query) == (stopped == "tap")
