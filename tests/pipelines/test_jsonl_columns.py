"""Custom attributes as columns of a file of target-jsonl that is there already."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox
from tests import forks
from tests.customers import change_custom, custom_columns, with_custom
from tests.running import OUTPUT, Tap

if TYPE_CHECKING:
    from pathlib import Path

CUSTOM: list[dict[str, Any]] = [
    {
        "CAC": 213,
        "cac": "differs only in case",
        "score": 1,
        "convertedAt": "2023-09-08 00:00:00",
        "pro": False,
        "mixed": 5,
        "list": [1, {"a": 0.1}],
    },
    {"CAC": 7, "score": 0.5, "convertedAt": "2023-09-08T12:00:00+02:00", "mixed": "💎"},
    {},
]


def load(tap: Tap, size: int) -> list[dict[str, Any]]:
    """Load, and return the rows that are new, in the order of the customers."""
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
    new = now[len(before) :].splitlines()
    rows = [json.loads(line, parse_float=Decimal) for line in new]
    order = [customer["id"] for customer in tap.sandbox.customers]
    return sorted(rows, key=lambda row: order.index(row["id"]))


def test_columns_come_and_change_beside_others_that_stay(tmp_path: Path) -> None:
    with Sandbox(with_custom(*CUSTOM), rate_limit=None) as sandbox:
        tap = Tap(sandbox, tmp_path)
        before = load(tap, 0)
        added = load(tap, 100)
        change_custom(tap, {"CAC": "much", "brandNew": 1.5})
        changed = load(tap, 100)
    assert not custom_columns(before[0])
    names = list(before[0])
    for old, new in zip(before, added, strict=True):
        assert {name: new[name] for name in names} == old
    assert {custom["cac"]: custom for custom in map(custom_columns, added)} == {
        213: {
            "cac": 213,
            "cac_e4bc7fd4": "differs only in case",
            "score": 1,
            "converted_at": "2023-09-08T00:00:00+00:00",
            "pro": False,
            "mixed": "5",
            "list": '[1,{"a":0.1}]',
        },
        7: {
            **dict.fromkeys(["cac_e4bc7fd4", "pro", "list"]),
            "cac": 7,
            "score": Decimal("0.5"),
            "converted_at": "2023-09-08T10:00:00+00:00",
            "mixed": "💎",
        },
        None: dict.fromkeys(custom_columns(added[0])),
    }
    others = [name for name in names if name != "attributes"]
    for old, new in zip(before, changed, strict=True):
        assert {name: new[name] for name in others} == {n: old[n] for n in others}
        assert custom_columns(new) == {"cac": "much", "brand_new": Decimal("1.5")}
