from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Run, Tap

EMIT = {"emit_activate_version_messages": True, "per_page": 10}


def versions(run: Run) -> set[int]:
    return {message["version"] for message in run.of_type("RECORD")}


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


@pytest.mark.parametrize("settings", [{}, EMIT])
def test_activates_nothing_after_a_read_that_found_no_customer(
    tap_on: Callable[[Sandbox], Tap], settings: dict[str, Any]
) -> None:
    with Sandbox() as sandbox:
        run = tap_on(sandbox).run(**settings)
    assert run.code == 0
    assert not run.of_type("ACTIVATE_VERSION")
    assert "No customer was found" in run.warnings[0]


def test_activates_no_stream_that_a_stream_map_left_without_a_record(tap: Tap) -> None:
    nobody = {"__source__": "customers", "__filter__": "status == 'no such'"}
    all_of_them = {"__source__": "customers"}
    run = tap.run(stream_maps={"some": nobody, "all": all_of_them}, **EMIT)
    assert run.code == 0
    activated = [message["stream"] for message in run.of_type("ACTIVATE_VERSION")]
    assert activated == ["customers", "all"]
    (warning,) = run.warnings
    assert "No record of `some` came out of `stream_maps`, so none of its" in warning


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
    (activated,) = second.of_type("ACTIVATE_VERSION")
    assert activated["stream"] == "crm"
    assert not second.warnings


def test_a_sync_that_fails_activates_nothing(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({4: faults.status(401)})
    run = tap.run(**EMIT)
    assert run.code == 1
    assert run.records
    assert not run.of_type("ACTIVATE_VERSION")


def test_a_resumed_sync_keeps_the_version(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({4: faults.status(401)})
    first = tap.run(**EMIT)
    sandbox.script({})
    second = tap.run(state=first.state, **EMIT)
    assert second.code == 0
    assert versions(first) == versions(second)
    (activated,) = second.of_type("ACTIVATE_VERSION")
    assert {activated["version"]} == versions(first)


def test_every_other_sync_has_a_higher_version(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({4: faults.status(401)})
    runs = [tap.run(**EMIT)]
    sandbox.script({})
    for _ in range(3):
        # At once, so that some start within the same second.
        runs.append(tap.run(state=runs[-1].state, resume_max_age_hours=0, **EMIT))
    found = [version for run in runs for version in versions(run)]
    assert len({*found}) == 4
    assert found == sorted(found)


def test_activates_the_version_under_an_alias(tap: Tap) -> None:
    maps = {"customers": {"__alias__": "crm"}, "copy": {"__source__": "customers"}}
    run = tap.run(stream_maps=maps, **EMIT)
    activated = run.of_type("ACTIVATE_VERSION")
    assert [message["stream"] for message in activated] == ["crm", "copy"]
    assert {message["version"] for message in activated} == versions(run)
    assert len(versions(run)) == 1


def test_activates_nothing_for_a_stream_that_a_map_removes(tap: Tap) -> None:
    run = tap.run(stream_maps={"customers": None}, **EMIT)
    assert run.code == 0
    assert [message["type"] for message in run.messages] == ["STATE"] * 7
