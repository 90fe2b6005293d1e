from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import faults
from tap_chartmogul_customers.records.columns import COLUMNS, CUSTOMER_SCHEMA
from tests.running import TAP

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Tap


def catalog_without(tap: Tap, *deselected: str) -> dict[str, Any]:
    """Discover a catalog and deselect columns, `a.b` for b inside of a."""
    catalog: dict[str, Any] = json.loads(tap.output("--discover"))
    paths = [
        [part for name in path.split(".") for part in ("properties", name)]
        for path in deselected
    ]
    for entry in catalog["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = entry["breadcrumb"] not in paths
    return catalog


def test_discovers_the_stream_without_a_key() -> None:
    done = subprocess.run([*TAP, "--discover"], capture_output=True, check=True)
    (stream,) = json.loads(done.stdout)["streams"]
    assert stream["tap_stream_id"] == "customers"
    assert stream["key_properties"] == ["uuid"]
    assert stream["replication_method"] == "FULL_TABLE"
    assert list(stream["schema"]["properties"]) == [column.name for column in COLUMNS]


def test_declares_the_schema_before_the_records(tap: Tap) -> None:
    schema = tap.run().messages[0]
    assert schema["type"] == "SCHEMA"
    assert schema["stream"] == "customers"
    assert schema["key_properties"] == ["uuid"]
    assert schema["schema"] == CUSTOMER_SCHEMA


def test_leaves_out_deselected_columns_alone(tap: Tap, sandbox: Sandbox) -> None:
    catalog = catalog_without(tap, "email", "attributes.clearbit", "address.city")
    run = tap.run(catalog=catalog)
    assert run.code == 0
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        assert set(record) == {column.name for column in COLUMNS} - {"email"}
        expected = dict(customer["attributes"])
        expected.pop("clearbit", None)
        assert record["attributes"] == expected
        assert "city" not in (record["address"] or {})
    properties = run.messages[0]["schema"]["properties"]
    assert "email" not in properties
    assert "clearbit" not in properties["attributes"]["properties"]


def test_reads_no_sample_when_a_catalog_deselects_a_column(
    tap: Tap, sandbox: Sandbox
) -> None:
    catalog = catalog_without(tap, "email")
    run = tap.run(catalog=catalog, custom_attributes_sample_size=5)
    assert run.code == 0
    assert len(sandbox.requests) == 1


def test_a_key_cannot_be_deselected(tap: Tap) -> None:
    run = tap.run(catalog=catalog_without(tap, "uuid"))
    assert run.code == 0
    assert len(set(run.uuids)) == 60


def test_a_catalog_cannot_make_the_read_incremental(tap: Tap) -> None:
    catalog = catalog_without(tap)
    catalog["streams"][0]["replication_method"] = "INCREMENTAL"
    run = tap.run(catalog=catalog)
    assert run.code == 0
    assert len(run.records) == 60
    (warning,) = run.warnings
    assert "asks for INCREMENTAL replication, but every run reads every" in warning


@pytest.mark.parametrize("column", ["owner", "zip"])
def test_a_column_that_a_catalog_does_not_know_is_left_out(
    tap: Tap, column: str
) -> None:
    catalog = catalog_without(tap)
    entry = catalog["streams"][0]
    del entry["schema"]["properties"][column]
    entry["metadata"] = [m for m in entry["metadata"] if column not in m["breadcrumb"]]
    run = tap.run(catalog=catalog)
    assert run.code == 0
    assert all(column not in record for record in run.records)
    assert not run.warnings


def test_tests_the_connection_with_one_record(tap: Tap) -> None:
    run = tap.run("--test", emit_activate_version_messages=True, per_page=1)
    assert run.code == 0
    assert [message["type"] for message in run.messages] == ["SCHEMA", "RECORD"]


def test_a_connection_test_with_a_wrong_key_fails_in_one_line(
    tap: Tap,
) -> None:
    run = tap.run("--test", api_key="wrong")
    assert run.code == 1
    assert "401" in run.errors[-1]
    assert "Traceback" not in run.log


def test_tells_about_itself(tap: Tap) -> None:
    about = json.loads(tap.output("--about", "--format=json"))
    assert about["name"] == "tap-chartmogul-customers"
    assert {"catalog", "state", "discover", "batch"} < set(about["capabilities"])


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        (["--about"], ""),
        (["--about", "--format=json"], "}"),
        (["--about", "--format=markdown"], ""),
        (["--discover"], "}"),
        (["--version"], ""),
        (["--help"], ""),
    ],
)
def test_what_is_printed_goes_through_a_pipe_to_its_end(
    arguments: list[str], end: str
) -> None:
    # Unbuffered, nothing would be left to write at the end.
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        [*TAP, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
    assert done.stdout.endswith(f"{end}\n")


def test_stream_maps_rename_remove_and_filter(tap: Tap, sandbox: Sandbox) -> None:
    maps = {
        "customers": {
            "__alias__": "crm_customers",
            "__filter__": "status == 'Active'",
            "email": None,
            "mrr_euro": "float(mrr) / 100",
        }
    }
    run = tap.run(stream_maps=maps)
    assert run.code == 0
    active = [c["uuid"] for c in sandbox.customers if c["status"] == "Active"]
    assert run.uuids == active
    assert active
    assert {message["stream"] for message in run.of_type("RECORD")} == {"crm_customers"}
    assert all("email" not in record for record in run.records)
    assert all(record["mrr_euro"] * 100 == record["mrr"] for record in run.records)


def test_flattening_makes_columns_of_attributes(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(flattening_enabled=True, flattening_max_depth=1)
    assert run.code == 0
    properties = run.messages[0]["schema"]["properties"]
    for record, customer in zip(run.records, sandbox.customers, strict=True):
        assert set(record) <= set(properties) | {"attributes", "address"}
        tags = customer["attributes"].get("tags")
        assert json.loads(record["attributes__tags"]) == tags


def test_says_who_asks(tap: Tap, sandbox: Sandbox) -> None:
    tap.run("--test")
    agent = sandbox.requests[0].headers["User-Agent"]
    assert re.fullmatch(r"tap-chartmogul-customers/\d+\.\d+\.\d+", agent)


def test_sums_up_at_the_end_and_logs_no_line_for_each_request(tap: Tap) -> None:
    run = tap.run(per_page=1)
    assert "Read 60 customers on 60 pages in " in run.log
    assert "with 0 retries" in run.log
    assert len(run.log.splitlines()) < 12


def test_shows_a_traceback_at_debug_level_only(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script(lambda _: faults.status(404))
    command = tap.command()
    quiet = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in quiet.stderr
    environment = {**os.environ, "LOGLEVEL": "DEBUG"}
    loud = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment
    )
    assert "Traceback" in loud.stderr
    assert sandbox.api_key not in loud.stderr
