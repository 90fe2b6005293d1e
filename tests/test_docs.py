"""The pages: their tables are those of the code, and every block of theirs is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs import written
from tests.pages import PAGES, README, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_tables_in_the_readme_are_those_of_the_code() -> None:
    text = README.read_text("utf-8")
    assert written(text) == text, "run `python -m tests.docs`"


@EACH_PAGE
def test_a_test_runs_every_block(page: Path) -> None:
    text = page.read_text("utf-8")
    fences = re.findall(r"^```(\w+)$", text, flags=re.MULTILINE)
    assert len(blocks(page)) == len(fences) - fences.count("mermaid")
    tests = [*ROOT.glob("tests/test_*.py"), *ROOT.glob("examples/**/test_*.py")]
    named = {
        name
        for test in tests
        for name in re.findall(r'"([\w.-]+)"', test.read_text("utf-8"))
    }
    assert set(blocks(page)) <= named


@EACH_PAGE
def test_every_file_that_is_named_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text)
    paths = re.findall(r"`(tests/\w+\.py)`", text)
    assert not [path for path in links if not (page.parent / path).exists()]
    assert not [path for path in paths if not (ROOT / path).exists()]


@EACH_PAGE
def test_every_section_that_is_linked_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path, section in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text):
        linked = (page.parent / path) if path else page
        heads = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), flags=re.MULTILINE)
        slugs = {
            re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads
        }
        assert section in slugs, f"{path}#{section}"
