"""A new column and a new setting, as CONTRIBUTING has them, in a copy of the tree."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from tests.pages import ROOT, Reader, blocks, clone

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "CONTRIBUTING.md"

# Which line each of the page's lines of data goes before.
DATA = {
    "column": (
        "tap_chartmogul_customers/records/columns.py",
        'Column("lead_created_at"',
    ),
    "field": ("sandbox/fields.py", '"country": lambda'),
    "filter": (
        "tap_chartmogul_customers/settings/schema.py",
        'th.Property(\n        "system",',
    ),
    "passes": ("sandbox/store.py", '"system": _systems,'),
    "meltano": ("meltano.yml", "- name: system\n"),
}

# What the page leaves to its reader to put into words.
WORDS = [
    (
        "README.md",
        "| `country` |",
        "| `subscription_ended_at` | timestamp | When the last subscription ended. |",
    ),
    ("README.md", '"country": "US", "state": "AK"', '"subscription_ended_at": null,'),
    (
        "README.md",
        "| `system` |",
        "| `email` |  | Read only those with this address. |",
    ),
    (
        "tests/promises/test_settings.py",
        '("per_page", 0, ',
        '("email", "", "must be text that is not empty"),',
    ),
]


def insert(file: Path, before: str, lines: str) -> None:
    """Insert lines before the one with a text, indented as that is."""
    text = file.read_text("utf-8")
    assert text.count(before) == 1, (file, before)
    start = text.rindex("\n", 0, text.index(before)) + 1
    margin = text[start:].partition(text[start:].lstrip(" "))[0]
    lines = indent(lines.rstrip("\n"), margin)
    file.write_text(f"{text[:start]}{lines}\n{text[start:]}", "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of this tree, with its environments."""
    folder = clone(tmp_path)
    (folder / ".venv-meltano").symlink_to(ROOT / ".venv-meltano")
    environment = folder / ".venv"
    environment.mkdir()
    for part in (ROOT / ".venv").iterdir():
        if part.name != ".ready":
            (environment / part.name).symlink_to(part)
    # Else make would install the copy, whose files are newer.
    (environment / ".ready").touch()
    return folder


@pytest.mark.timeout(900)
def test_a_column_and_a_setting_cost_what_the_page_says(copy: Path) -> None:
    page = blocks(PAGE)
    assert page.keys() == {*DATA, "test-column", "test-setting"}
    for name, (file, before) in DATA.items():
        insert(copy / file, before, page[name])
    for file, before, line in WORDS:
        insert(copy / file, before, line)
    reader = Reader(PAGE, copy, {})
    for name in ("test-column", "test-setting"):
        printed = reader.type(name)
        assert " passed" in printed
