"""The pages: what README shows is what comes, and links and commands are there."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox, faults, generate_customers
from tap_chartmogul_customers.records.columns import COLUMNS
from tests.pages import PAGES, README, ROOT, blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import Tap

# All but the changelog, which also names what is no longer there.
ALL = (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "examples/dbt/README.md")
EACH_PAGE = pytest.mark.parametrize(
    "page", ALL, ids=lambda page: page.relative_to(ROOT).as_posix()
)

# What the SDK adds to the settings of every tap.
OF_THE_SDK = ("stream_map", "faker_", "flattening_", "batch_")


def table(section: str) -> list[list[str]]:
    """Return the cells of the table in a section of README."""
    text = README.read_text("utf-8").partition(f"\n## {section}\n")[2]
    rows = re.findall(r"^\| (`.*) \|$", text.partition("\n## ")[0], re.MULTILINE)
    return [row.split(" | ") for row in rows]


def test_readme_has_the_settings_of_the_tap(tap: Tap) -> None:
    about = json.loads(tap.output("--about", "--format=json"))["settings"]

    def default(name: str, setting: dict[str, Any]) -> str:
        if name in about["required"]:
            return "required"
        value = setting.get("default")
        return "" if value is None else f"`{str(value).lower()}`"

    assert {name: cell for name, cell, _ in table("Settings")} == {
        f"`{name}`": default(name, setting)
        for name, setting in about["properties"].items()
        if not name.startswith(OF_THE_SDK)
    }


def test_readme_has_the_columns_of_the_tap(tap: Tap) -> None:
    (stream,) = json.loads(tap.output("--discover"))["streams"]

    words = {"string": "text", "array": "list of text", "date-time": "timestamp"}

    def kind(schema: dict[str, Any]) -> str:
        (type_,) = {*schema["type"]} - {"null"}
        name: str = schema.get("format", type_)
        return words.get(name, name)

    assert {name: cell for name, cell, _ in table("Columns")} == {
        f"`{name}`": kind(schema)
        for name, schema in stream["schema"]["properties"].items()
    }


def test_readme_shows_the_record_of_a_customer(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    record = json.loads(blocks(README)["record"])
    customer = {
        column.field: value
        for column in COLUMNS
        if (value := record.get(column.name)) is not None
    } | {"customer-since": "2023-06-09T13:16:00-04:00"}
    with Sandbox([customer]) as sandbox:
        assert tap_on(sandbox).run().records == [record]


def test_readme_shows_the_log_of_a_second_sync(
    tap_on: Callable[[Sandbox], Tap],
) -> None:
    with Sandbox(generate_customers(250, seed=1), rate_limit=None) as sandbox:
        tap = tap_on(sandbox)
        run = tap.run(per_page=10, state=tap.run(per_page=10).state)

    def lines(log: str) -> list[str]:
        return [re.sub(r"\d[\d,.]*", "0", line) for line in log.splitlines()]

    assert lines(run.log) == lines(blocks(README)["log"])


def test_the_page_on_ranges_shows_the_keys_of_a_state(
    tap: Tap, sandbox: Sandbox
) -> None:
    finished = tap.run(per_page=3, emit_activate_version_messages=True).state
    sandbox.requests.clear()
    sandbox.script(lambda request: faults.status(401) if request.number > 8 else None)
    interrupted = tap.run(per_page=3, state=finished).state
    page = ROOT / "docs/ranges.md"
    explained = set(re.findall("`(\\w+)`", page.read_text("utf-8")))
    for name, state in {
        "finished-state": finished,
        "interrupted-state": interrupted,
    }.items():
        shown = json.loads(blocks(page)[name])
        bookmark = state["bookmarks"]["customers"]
        assert list(shown) == list(bookmark)
        assert shown.keys() <= explained
        ranges = [list(each) for each in bookmark["ranges"] or ()]
        assert [list(each) for each in shown["ranges"] or ()] == ranges


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_test_runs_every_block(page: Path) -> None:
    fences = re.findall(r"^```\w+$", page.read_text("utf-8"), flags=re.MULTILINE)
    assert len(blocks(page)) == len(fences)
    tests = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("examples/**/test_*.py")]
    named = {
        name
        for test in tests
        for name in re.findall(r'"([\w.-]+)"', test.read_text("utf-8"))
    }
    assert set(blocks(page)) <= named


@EACH_PAGE
def test_what_a_page_links_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path, _, section in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]+))?\)", text):
        linked = page.parent / path if path else page
        assert linked.exists(), path
        if section:
            heads = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", head).lower() for head in heads]
            assert section in {slug.replace(" ", "-") for slug in slugs}, section


@EACH_PAGE
def test_files_and_commands_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    paths = set(re.findall(r"`((?:\.github|tests|sandbox|benchmarks)/[\w./]+)`", text))
    assert not {path for path in paths if not (ROOT / path).exists()}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {*re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE)}
    assert {*re.findall(r"`make ([a-z][\w-]*)", text)} <= targets


def test_the_pages_name_the_versions_of_python_that_the_package_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert bounds
    first, end = map(int, bounds.groups())
    for page in ("README.md", "CONTRIBUTING.md", "Makefile"):
        assert f"Python 3.{first} to 3.{end - 1}" in (ROOT / page).read_text("utf-8")


def test_readme_installs_the_meltano_that_is_tested() -> None:
    pin = (ROOT / "requirements/meltano.in").read_text("utf-8").strip()
    assert f"pip install {pin.replace('[postgres]', '')}\n" in README.read_text("utf-8")


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    heads = re.findall(
        r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert project["version"] == next(head for head in heads if head != "Unreleased")
