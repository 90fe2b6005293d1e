"""Batches: files that hold what the records would be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox import faults

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Tap


def lines(url: str) -> list[str]:
    """Read the lines of a batch file."""
    return gzip.decompress(Path(urlsplit(url).path).read_bytes()).decode().splitlines()


def test_batches_hold_what_records_would(tap: Tap, tmp_path: Path) -> None:
    plain = tap.run(stream_maps={"customers": {"email": None}})
    root = tmp_path / "batches"
    run = tap.run(
        stream_maps={"customers": {"email": None}},
        per_page=7,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": root.as_uri()},
            "batch_size": 25,
        },
    )
    assert run.code == 0
    records = [
        json.loads(line)
        for message in run.of_type("BATCH")
        for url in message["manifest"]
        for line in lines(url)
    ]
    assert len(run.of_type("BATCH")) == 3
    assert not run.records
    assert json.dumps(records) == json.dumps(plain.records, default=float)
    assert run.resume is None


def test_a_batch_state_never_names_a_page_that_is_not_in_a_file(
    tap: Tap, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.script({6: faults.status(401)})
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": (tmp_path / "batches").as_uri()},
        "batch_size": 25,
    }
    run = tap.run(per_page=7, batch_config=batches)
    assert run.code == 1
    (batch,) = run.of_type("BATCH")
    held = lines(batch["manifest"][0])
    assert len(held) == 25
    sandbox.script({})
    again = tap.run(per_page=7, state=run.state)
    uuids = {json.loads(line)["uuid"] for line in held} | set(again.uuids)
    assert uuids == {customer["uuid"] for customer in sandbox.customers}
    assert len(again.records) < 60


def test_several_stream_maps_and_batches_exclude_each_other(
    tap: Tap, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = tap.run(
        stream_maps={"copy": {"__source__": "customers"}},
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
        },
    )
    assert run.code == 1
    assert "several stream maps" in run.errors[0]
    assert not sandbox.requests
