"""The pages: their tables are those of the code, and every block of theirs is run."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.docs import written
from tests.pages import PAGES, README, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = (ROOT / "docs/targets.md").read_text("utf-8")

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


def test_the_pages_name_the_versions_of_python_that_the_package_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert bounds
    first, end = map(int, bounds.groups())
    for page in ("README.md", "CONTRIBUTING.md", "Makefile"):
        text = (ROOT / page).read_text("utf-8")
        assert f"Python 3.{first} to 3.{end - 1}" in text
        assert not re.search(r"Python 3\.\d+ or later", text)
    assert f"(3, {first}) <= sys.version_info < (3, {end})" in text


def targets() -> dict[str, list[str]]:
    """Return what docs/targets.md says of each target: the cells behind its name."""
    rows = re.findall(r"^\| \[(\S+) .*?\]\(#.*?\) \| (.*) \|$", TARGETS, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in rows}


def names(text: str) -> set[str]:
    return set(re.findall(r"[\w-]*target-[\w-]+", text))


def test_the_readme_says_of_targets_what_was_tried() -> None:
    text = " ".join(README.read_text("utf-8").split())
    tried = targets()
    assert len(tried) == TARGETS.count("\n## ")
    assert f"[{len(tried)} were tried](docs/targets.md)" in text

    of_deletes = re.search(
        r"Of the targets tried, (.*) delete customers .* is on\. (.*) stop with an "
        r"error at that message, and nearly all others ignore it",
        text,
    )
    assert of_deletes
    deletes, stops = map(names, of_deletes.groups())
    # Those that stop at the second load too do not stop at the message.
    heeds = {name: cells[3] for name, cells in tried.items() if cells[2] != "stops"}
    assert deletes == {name for name in heeds if heeds[name] == "deletes"}
    assert stops == {name for name in heeds if heeds[name] == "stops"}
    others = heeds.keys() - deletes - stops
    assert {heeds[name].partition(",")[0] for name in others} == {"ignores"}


def test_the_readme_says_which_targets_need_flattening() -> None:
    rows = re.findall(r"^\| \[.*?\]\(#(.*?)\) \| (.*?) \|", TARGETS, re.MULTILINE)
    flat = [slug for slug, works in rows if "`flattening_enabled" in works]
    kinds = {slug.rpartition("-")[2] for slug in flat}
    assert kinds == {"csv", "avro", "parquet", "postgres"}
    said = "hold no objects (CSV, Avro, Parquet, the older PostgreSQL ones)"
    assert said in " ".join(README.read_text("utf-8").split())
