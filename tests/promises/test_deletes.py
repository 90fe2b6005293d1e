from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import Sandbox, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Run, Tap

EMIT = {"emit_activate_version_messages": True, "per_page": 10}


def versions(run: Run) -> set[int]:
    return {message["version"] for message in run.of_type("RECORD")}


def activated(run: Run) -> list[str]:
    return [message["stream"] for message in run.of_type("ACTIVATE_VERSION")]


def test_activates_the_version_once_after_the_last_record(tap: Tap) -> None:
    run = tap.run(**EMIT)
    kinds = [message["type"] for message in run.messages]
    assert kinds[-2:] == ["ACTIVATE_VERSION", "STATE"]
    assert kinds.count("ACTIVATE_VERSION") == 1
    (version,) = versions(run)
    assert run.messages[-2] == {
        "type": "ACTIVATE_VERSION",
        "stream": "customers",
        "version": version,
    }


def test_sends_no_version_unless_asked_to(tap: Tap) -> None:
    run = tap.run()
    assert not run.of_type("ACTIVATE_VERSION")
    assert all("version" not in message for message in run.messages)


def test_activates_nothing_after_a_read_that_found_no_customer(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox() as sandbox:
        run = tap_on(sandbox).run(**EMIT)
    assert run.code == 0
    assert not run.of_type("ACTIVATE_VERSION")
    assert run.resume is None
    assert "No customer was found" in run.warnings[0]


def test_activates_each_stream_of_which_a_stream_map_made_records(tap: Tap) -> None:
    maps = {
        "customers": {"__alias__": "crm"},
        "none": {"__source__": "customers", "__filter__": "status == 'no such'"},
        "all": {"__source__": "customers"},
    }
    run = tap.run(stream_maps=maps, **EMIT)
    assert run.code == 0
    assert activated(run) == ["crm", "all"]
    assert len(versions(run)) == 1
    (warning,) = run.warnings
    assert "No record of `none` came out of `stream_maps`, so none of its" in warning


def test_a_resumed_sync_activates_what_an_earlier_run_of_it_wrote(
    tap: Tap, sandbox: Sandbox
) -> None:
    settings = {"stream_maps": {"customers": {"__alias__": "crm"}}}
    sandbox.script({2: faults.status(401)})
    first = tap.run(**settings, **EMIT)
    assert first.code == 1
    assert len(first.records) == 10
    sandbox.script({})
    for customer in sandbox.customers[10:]:
        sandbox.remove(customer["uuid"])
    second = tap.run(state=first.state, **settings, **EMIT)
    assert not second.records
    assert activated(second) == ["crm"]
    assert not second.warnings


def test_a_resumed_sync_keeps_the_version_and_every_other_one_has_a_higher(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script({4: faults.status(401)})
    failed = tap.run(**EMIT)
    assert failed.records
    assert not failed.of_type("ACTIVATE_VERSION")
    sandbox.script({})
    resumed = tap.run(state=failed.state, **EMIT)
    assert versions(resumed) == versions(failed)
    assert resumed.messages[-2]["version"] in versions(failed)
    # At once, so that some start within the same second.
    runs = [failed, tap.run(state=failed.state, resume_max_age_hours=0, **EMIT)]
    runs += [tap.run(state=runs[-1].state, **EMIT)]
    found = [*map(versions, runs)]
    assert sorted(found, key=max) == found
    assert len(set.union(*found)) == 3
