"""What is published: built, looked into, and installed where nothing else is."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.forks import ROOT

UV = Path(sys.executable).with_name("uv")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGE = "tap_chartmogul_customers"
RELEASE = f"{PACKAGE}-{PROJECT['version']}"

RIGHT = """\
from tap_chartmogul_customers.records.types import read_timestamp

year = read_timestamp("2023-06-09T13:16:00-04:00")[:4]
"""
WRONG = RIGHT.replace("[:4]", ".year")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--out-dir", folder, ROOT], check=True)
    return folder / RELEASE


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own; return its programs."""
    environment = tmp_path_factory.mktemp("user")
    python = environment / "bin/python"
    commands: tuple[list[str | Path], ...] = (
        ["venv", "--clear", "--python", sys.executable, environment],
        [
            *("pip", "install", "--python", python),
            *("--constraints", ROOT / "requirements/dev.txt"),
            f"{built}-py3-none-any.whl",
        ],
    )
    for command in commands:
        subprocess.run([UV, "--quiet", *command], check=True)
    return python.parent


def modules() -> set[str]:
    paths = [*(ROOT / PACKAGE).rglob("*.py"), ROOT / PACKAGE / "py.typed"]
    return {path.relative_to(ROOT).as_posix() for path in paths}


def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    metadata = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(f"{built}-py3-none-any.whl") as wheel:
        assert set(wheel.namelist()) == modules() | {
            f"{RELEASE}.dist-info/{name}" for name in metadata
        }


def test_the_sdist_holds_what_the_wheel_is_built_from_alone(built: Path) -> None:
    sources = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    # Hatch adds these two by itself.
    added = {"PKG-INFO", ".gitignore"}
    with tarfile.open(f"{built}.tar.gz") as sdist:
        assert set(sdist.getnames()) == {
            f"{RELEASE}/{name}" for name in modules() | sources | added
        }


def test_the_installed_wheel_runs(installed: Path) -> None:
    shown = subprocess.run(
        [installed / PROJECT["name"], "--version"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith(f"{PROJECT['name']} v{PROJECT['version']},")


def test_the_installed_wheel_has_types(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--python-executable", installed / "python"),
            *("--cache-dir", ROOT / ".cache/mypy"),
            *("right.py", "wrong.py"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    (error,) = checked.stdout.splitlines()
    assert error.startswith('wrong.py:3: error: "str" has no attribute "year"')


def test_the_changelog_begins_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = [line for line in changelog.splitlines() if line.startswith("## ")]
    newest = next(line for line in versions if line != "## Unreleased")
    assert newest.startswith(f"## {PROJECT['version']} - ")
