"""Batches: files that hold what the records would be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from sandbox import faults
from tests.running import Message, parse

if TYPE_CHECKING:
    from sandbox import Sandbox
    from tests.running import Run, Tap


@pytest.fixture
def batches(tmp_path: Path) -> dict[str, Any]:
    """Return settings for batches of 20 customers, of pages of seven."""
    config = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": (tmp_path / "batches").as_uri()},
        "batch_size": 20,
    }
    return {"per_page": 7, "batch_config": config}


def held(run: Run) -> list[list[Message]]:
    """Return what each batch holds."""
    return [
        parse(gzip.decompress(Path(urlsplit(url).path).read_bytes()))
        for message in run.of_type("BATCH")
        for url in message["manifest"]
    ]


MAP = {"email": None, "half": "float(mrr) / 2", "__filter__": "status == 'Active'"}


@pytest.mark.parametrize(
    "settings",
    [
        {"custom_attributes_sample_size": 60},
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"stream_maps": {"customers": MAP}},
    ],
)
def test_batches_hold_what_records_would(
    tap: Tap, sandbox: Sandbox, batches: dict[str, Any], settings: dict[str, Any]
) -> None:
    for customer in sandbox.customers:
        custom = {"score": 12345678901234567890, "share": 0.1, "plan": None}
        attributes = {**customer["attributes"], "custom": custom, "new": [1.5]}
        sandbox.put({**customer, "attributes": attributes})
    plain = tap.run(**settings)
    run = tap.run(**batches, **settings)
    assert run.code == 0, run.log
    assert run.of_type("SCHEMA") == plain.of_type("SCHEMA")
    assert not run.records
    # As text, which keeps the order of columns and the digits of numbers.
    found = [json.dumps(r, default=str) for batch in held(run) for r in batch]
    assert found == [json.dumps(record, default=str) for record in plain.records]
    assert "stream_maps" in settings or list(map(len, held(run))) == [20, 20, 20]
    assert run.messages[-1]["type"] == "STATE"
    assert run.resume is None


def test_a_batch_state_never_names_a_page_that_is_not_in_a_file(
    tap: Tap, sandbox: Sandbox, batches: dict[str, Any]
) -> None:
    sandbox.script({6: faults.status(401)})
    run = tap.run(**batches)
    assert run.code == 1
    (batch,) = held(run)
    assert len(batch) == 20
    sandbox.script({})
    again = tap.run(per_page=7, state=run.state)
    uuids = {record["uuid"] for record in batch} | set(again.uuids)
    assert uuids == {customer["uuid"] for customer in sandbox.customers}
    assert len(again.records) < 60


def test_several_stream_maps_and_batches_exclude_each_other(
    tap: Tap, sandbox: Sandbox, batches: dict[str, Any]
) -> None:
    run = tap.run(stream_maps={"copy": {"__source__": "customers"}}, **batches)
    assert run.code == 1
    assert "several stream maps" in run.errors[0]
    assert not sandbox.requests


def test_a_test_of_the_connection_reads_one_page(
    tap: Tap, sandbox: Sandbox, batches: dict[str, Any]
) -> None:
    run = tap.run("--test", **batches)
    assert run.code == 0, run.log
    assert len(sandbox.requests) <= 2
