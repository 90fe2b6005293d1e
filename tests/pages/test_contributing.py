"""A new column and a new setting, as CONTRIBUTING has them, in a copy of the tree."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from tests.pages import ROOT, Reader, blocks, clone

PAGE = ROOT / "CONTRIBUTING.md"

PACKAGE, README = Path("tap_chartmogul_customers"), Path("README.md")
MODELS = Path("examples/dbt/models")

# What is added, and to what: a block of the page, or what it leaves to its reader.
LINES = {
    "test-column": [
        (PACKAGE / "records/columns.py", 'Column("lead_created_at"', "column"),
        (Path("sandbox/fields.py"), '"country": lambda', "field"),
        (
            README,
            "| `country` | text |",
            "| `subscription_ended_at` | timestamp | When the last one ended. |",
        ),
        (README, '"country": "US", "state": ', '"subscription_ended_at": null,'),
        (MODELS / "columns.md", "{% docs lead_created_at %}", "description"),
        (MODELS / "sources.yml", "- name: lead_created_at", "source"),
    ],
    "test-setting": [
        (PACKAGE / "settings/schema.py", 'th.Property(\n        "system",', "filter"),
        (Path("sandbox/store.py"), '"system": _systems,', "passes"),
        (Path("meltano.yml"), "- name: system\n", "meltano"),
        (Path("meltanohub.yml"), "- description: Tell the target", "hub"),
        (
            README,
            "| `system` |  |",
            "| `email` |  | Read only those with this address. |",
        ),
        (
            Path("tests/promises/test_settings.py"),
            '("per_page", 0, ',
            '("email", "", "should be non-empty"),',
        ),
    ],
}


def insert(file: Path, before: str, lines: str) -> None:
    """Insert lines before the one that has a text, indented as that is."""
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
    reader = Reader(PAGE, copy, {})
    for kind, lines in LINES.items():
        for file, before, line in lines:
            insert(copy / file, before, blocks(PAGE).get(line, line))
        assert " passed" in reader.type(kind)
