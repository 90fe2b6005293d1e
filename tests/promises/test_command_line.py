"""What is printed, and a test of the connection."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from tap_chartmogul_customers.records.columns import COLUMNS
from tests.running import TAP

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Tap


def printed(*arguments: str) -> bytes:
    """Return what the tap prints into a pipe, without any setting."""
    return subprocess.run([*TAP, *arguments], capture_output=True, check=True).stdout


def test_discovers_the_stream_without_a_key() -> None:
    (stream,) = json.loads(printed("--discover"))["streams"]
    assert stream["tap_stream_id"] == "customers"
    assert stream["key_properties"] == ["uuid"]
    assert stream["replication_method"] == "FULL_TABLE"
    assert list(stream["schema"]["properties"]) == [column.name for column in COLUMNS]


def test_tells_about_itself_to_the_end() -> None:
    about = printed("--about")
    assert about.startswith(b"Name: tap-chartmogul-customers\n")
    assert about.endswith(b"_BATCH_CONFIG\n\n")


def test_tests_the_connection_with_one_record(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run("--test", emit_activate_version_messages=True, per_page=1)
    assert run.code == 0
    assert [message["type"] for message in run.messages] == ["SCHEMA", "RECORD"]
    agent = sandbox.requests[0].headers["User-Agent"]
    assert re.fullmatch(r"tap-chartmogul-customers/\d+\.\d+\.\d+", agent)
