from __future__ import annotations

import re
from pathlib import Path

from tests import mutants

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def layout() -> dict[str, set[str]]:
    """Return the folders and files of the layout, each with the modules under it."""
    (tree,) = re.findall(r"```text\n(.*?)```", TEXT, flags=re.DOTALL)
    paths: dict[str, set[str]] = {}
    for line in filter(None, tree.splitlines()):
        name = line.split()[0]
        if line.startswith(" "):
            paths[next(reversed(paths))].add(name)
        else:
            paths[name] = set()
    return paths


def test_the_layout_has_every_module_of_the_tap_and_the_sandbox() -> None:
    folders = [
        path.parent.relative_to(ROOT).as_posix()
        for top in ("tap_chartmogul_customers", "sandbox")
        for path in (ROOT / top).rglob("__init__.py")
    ]
    named = {folder: modules for folder, modules in layout().items() if modules}
    assert named == {
        f"{folder}/": {path.name for path in (ROOT / folder).glob("*.py")}
        - {"__init__.py"}
        for folder in folders
    }


def test_modules_of_the_tap_and_the_sandbox_stay_under_250_lines() -> None:
    assert "Modules of the tap and the sandbox stay under 250 lines." in TEXT
    lines = {
        path: len(path.read_text("utf-8").splitlines())
        for top in ("tap_chartmogul_customers", "sandbox")
        for path in (ROOT / top).rglob("*.py")
    }
    assert len(lines) > 50
    assert [path for path, count in lines.items() if count >= 250] == []


def test_everything_that_is_named_is_there() -> None:
    paths = {*layout(), *re.findall(r"`((?:\.github|tests|sandbox)/[\w./]+)`", TEXT)}
    assert len(paths) > 10
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_command_is_one_of_the_makefile() -> None:
    commands = set(re.findall(r"`make (\w+)", TEXT))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert commands > {"test", "lint"}
    assert commands - {"PYTHON"} <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_mutants_of_every_module_run_tests_that_are_there() -> None:
    package = ROOT / mutants.PACKAGE
    assert set(mutants.TESTS) == {
        path.relative_to(package).with_suffix("").as_posix()
        for path in package.rglob("*.py")
        if path.name != "__init__.py"
    }
    for module in mutants.TESTS:
        for test in mutants.tests_of(module):
            file, _, name = test.partition("[")[0].partition("::")
            assert f"def {name}" in (ROOT / file).read_text("utf-8")
