from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import forks, hub

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TAP = "tap-chartmogul-customers"
CHANGELOG = ROOT / "CHANGELOG.md"


@pytest.fixture
def meltano(tmp_path: Path) -> Callable[..., str]:
    """Return the Meltano command, in a project that has no plugins."""
    (tmp_path / "meltano.yml").write_text("send_anonymous_usage_stats: false\n")

    output, log = tmp_path / "meltano.out", tmp_path / "meltano.log"

    def run(*arguments: str, **variables: str) -> str:
        code = forks.run(
            *(forks.MELTANO, arguments, output, log),
            folder=tmp_path,
            environment=os.environ | variables,
        )
        assert code == 0, log.read_text()
        return output.read_text()

    return run


ANEW = "write it anew: .venv/bin/python -m tests.hub"


def test_the_definition_is_what_the_tap_says_about_itself() -> None:
    assert hub.DEFINITION.read_text("utf-8") == hub.definition(), ANEW


def test_the_target_of_the_definition_is_that_of_meltano_yml() -> None:
    assert hub.TARGET.read_text("utf-8") == hub.target(), ANEW


def test_no_address_but_that_in_pyproject_is_named() -> None:
    known = hub.addresses().get("repo", "none")
    texts = hub.DEFINITION.read_text("utf-8") + CHANGELOG.read_text("utf-8")
    named = [text for text in texts.split() if "github.com/" in text]
    assert not [address for address in named if known not in address]


def test_meltano_adds_the_tap_from_the_definition(meltano: Callable[..., str]) -> None:
    meltano("add", f"--from-ref={hub.DEFINITION}", "--no-install", TAP)
    printed = meltano(
        "config",
        "print",
        "--format=json",
        TAP,
        TAP_CHARTMOGUL_CUSTOMERS_API_KEY="a-secret-key",
    )
    settings = hub.about()["settings"]["properties"]
    defaults = {
        name: schema["default"]
        for name, schema in settings.items()
        if "default" in schema
    }
    assert "a-secret-key" not in printed
    assert json.loads(printed) == {"api_key": "*****", **defaults}
