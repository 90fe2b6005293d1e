"""Custom attributes as columns of a file of target-jsonl that is there already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox
from tests import forks
from tests.customers import change_custom, custom_columns, with_custom
from tests.running import OUTPUT, Tap

if TYPE_CHECKING:
    from pathlib import Path


def load(tap: Tap, size: int) -> list[dict[str, Any]]:
    """Load, and return the rows that are new, after those that were there."""
    path = tap.folder / "customers.jsonl"
    path.touch()
    before = path.read_bytes()
    tap.output(custom_attributes_sample_size=size)
    config = tap.folder / "target.json"
    own = {"destination_path": str(tap.folder), "do_timestamp_file": False}
    config.write_text(json.dumps(own))
    code = forks.run(
        *(forks.TARGET_JSONL, ["--config", str(config)]),
        *(tap.folder / "printed.jsonl", tap.folder / "target.log"),
        source=tap.folder / OUTPUT,
    )
    assert code == 0
    now = path.read_bytes()
    assert now.startswith(before)
    return [json.loads(line) for line in now[len(before) :].splitlines()]


def test_columns_come_and_change_beside_others_that_stay(tmp_path: Path) -> None:
    typed = {"CAC": 7, "cac": "x", "score": 0.5, "at": "2023-09-08", "list": [1]}
    with Sandbox(with_custom(typed), rate_limit=None) as sandbox:
        tap = Tap(sandbox, tmp_path)
        (before,) = load(tap, 0)
        (added,) = load(tap, 100)
        change_custom(tap, {"CAC": "much", "brandNew": 1.5})
        (changed,) = load(tap, 100)
    assert not custom_columns(before)
    assert custom_columns(added) == {
        "cac": 7,
        "cac_e4bc7fd4": "x",
        "score": 0.5,
        "at": "2023-09-08T00:00:00+00:00",
        "list": "[1]",
    }
    assert custom_columns(changed) == {"cac": "much", "brand_new": 1.5}
    assert {name: added[name] for name in before} == before
    attributes = changed["attributes"]
    assert {n: changed[n] for n in before} == {**before, "attributes": attributes}
