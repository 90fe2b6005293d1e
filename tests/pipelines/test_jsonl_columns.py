"""Custom attributes as columns of a file of target-jsonl that is there already."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests import forks
from tests.running import OUTPUT, Tap
from tests.test_custom_attributes import change, custom
from tests.test_postgres_columns import OFF, SAMPLE, TYPES, account, without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class File:
    """The file that the target appends customers to.

    Args:
        tap: What is loaded.
    """

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self.path = tap.folder / "customers.jsonl"
        self.path.touch()

    def load(self, **settings: Any) -> list[dict[str, Any]]:
        """Load, and return the rows that are new, in the order of the ids."""
        before = self.path.read_bytes()
        self.tap.output(**settings)
        folder = self.tap.folder
        config, printed = folder / "target.json", folder / "printed.jsonl"
        own = {"destination_path": str(folder), "do_timestamp_file": False}
        config.write_text(json.dumps(own))
        code = forks.run(
            *(forks.TARGET_JSONL, ["--config", str(config)]),
            *(printed, folder / "target.log"),
            source=folder / OUTPUT,
        )
        assert code == 0
        now = self.path.read_bytes()
        assert now.startswith(before)
        rows = [
            json.loads(line, parse_float=Decimal)
            for line in now[len(before) :].splitlines()
        ]
        return sorted(rows, key=lambda row: row["id"])


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    with account() as sandbox:
        yield File(Tap(sandbox, tmp_path))


def test_columns_come_and_change_beside_others_that_stay(file: File) -> None:
    before = file.load(**OFF)
    assert not custom(before[0])

    added = file.load(**SAMPLE)
    assert without(added, columns=set(TYPES)) == before
    first, second, third = map(custom, added)
    assert as_text(first) == as_text(
        {
            "cac": 213,
            "cac_e4bc7fd4": "differs only in case",
            "score": 1,
            "converted_at": "2023-09-08T00:00:00+00:00",
            "pro": False,
            "mixed": "5",
            "list": [1, {"a": Decimal("0.1")}],
            "object": {"a": [1]},
            "looks_like_a_time": "0000-00-00",
        }
    )
    assert second["score"] == Decimal("0.5")
    assert set(third.values()) == {None}
    assert [row["stripe_uid"] for row in added] == [7, 7, 7]

    change(file.tap, {"CAC": 5, "brandNew": Decimal("1.5")})
    another = file.load(**SAMPLE)
    assert [*map(custom, another)] == [{"cac": 5, "brand_new": Decimal("1.5")}] * 3

    change(file.tap, {"CAC": "much", "brandNew": Decimal("1.5")})
    changed = file.load(**SAMPLE)
    assert [*map(custom, changed)] == [{"cac": "much", "brand_new": Decimal("1.5")}] * 3

    new = {*TYPES, "custom_brand_new", "attributes"}
    for rows in (another, changed):
        assert without(rows, columns=new) == without(before, columns=new)


def as_text(row: dict[str, Any]) -> dict[str, str]:
    """Return values as text, which tells true from 1."""
    return {name: repr(value) for name, value in row.items()}
