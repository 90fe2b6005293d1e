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

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGE = "tap_chartmogul_customers"
RELEASE = f"{PACKAGE}-{PROJECT['version']}"


def uv(*arguments: str | Path) -> None:
    program = Path(sys.executable).with_name("uv")
    subprocess.run([program, "--quiet", *arguments], check=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", folder, ROOT)
    return folder / RELEASE


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


def test_the_wheel_runs_where_it_alone_is_installed(
    built: Path, tmp_path: Path
) -> None:
    python = tmp_path / "bin/python"
    uv("venv", "--python", sys.executable, tmp_path)
    uv(
        *("pip", "install", "--python", python),
        *("--constraints", ROOT / "requirements/dev.txt"),
        f"{built}-py3-none-any.whl",
    )
    shown = subprocess.run(
        [python.with_name(PROJECT["name"]), "--version"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith(f"{PROJECT['name']} v{PROJECT['version']},")


def test_the_changelog_begins_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = [line for line in changelog.splitlines() if line.startswith("## ")]
    newest = next(line for line in versions if line != "## Unreleased")
    assert newest.startswith(f"## {PROJECT['version']} - ")
