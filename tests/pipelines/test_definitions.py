"""What Meltano, MeltanoHub and dbt are told of the tap is what the tap says."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import yaml

from tests import dbt, forks, hub

if TYPE_CHECKING:
    from pathlib import Path

TAP = "tap-chartmogul-customers"
ABOUT = hub.about()
HUB = yaml.safe_load(hub.DEFINITION.read_text("utf-8"))

ANEW = "write it anew: .venv/bin/python -m tests.hub"


def test_the_definition_for_the_hub_is_what_the_tap_says() -> None:
    assert hub.DEFINITION.read_text("utf-8") == hub.definition(), ANEW


def test_the_target_is_defined_as_in_meltano_yml() -> None:
    assert hub.TARGET.read_text("utf-8") == hub.target(), ANEW


def test_the_source_of_the_dbt_project_is_described_by_the_schema() -> None:
    for path, text in dbt.written().items():
        assert path.read_text("utf-8") == text, "run `.venv/bin/python -m tests.dbt`"


def test_meltano_yml_has_the_settings_of_the_tap() -> None:
    project = yaml.safe_load((hub.ROOT / "meltano.yml").read_text("utf-8"))
    (extractor,) = project["plugins"]["extractors"]
    assert extractor["settings"] == [
        hub.setting(name, schema)
        for name, schema in ABOUT["settings"]["properties"].items()
    ]
    for key in ("settings_group_validation", "capabilities", "namespace", "executable"):
        assert extractor[key] == HUB[key]


def test_the_hub_gets_what_its_checks_require() -> None:
    assert {"name", "namespace", "variant", "quality"} <= HUB.keys()
    assert in_order(HUB)
    names = [setting["name"] for setting in HUB["settings"]]
    assert names == sorted(names)
    assert HUB["capabilities"] == sorted(HUB["capabilities"])


def in_order(part: Any) -> bool:
    """Say whether the keys of every mapping are in order."""
    if isinstance(part, dict):
        return [*part] == sorted(part) and all(map(in_order, part.values()))
    return not isinstance(part, list) or all(map(in_order, part))


def test_no_address_but_that_in_pyproject_is_named() -> None:
    known = hub.home().get("repo", "none")
    changelog = (hub.ROOT / "CHANGELOG.md").read_text("utf-8")
    texts = hub.DEFINITION.read_text("utf-8") + changelog
    named = [text for text in texts.split() if "github.com/" in text]
    assert not [address for address in named if known not in address]


def test_meltano_adds_the_tap_from_the_definition(tmp_path: Path) -> None:
    (tmp_path / "meltano.yml").write_text("send_anonymous_usage_stats: false\n")

    def meltano(*arguments: str) -> str:
        output, log = tmp_path / "meltano.out", tmp_path / "meltano.log"
        code = forks.run(
            *(forks.MELTANO, arguments, output, log),
            folder=tmp_path,
            environment=os.environ
            | {"TAP_CHARTMOGUL_CUSTOMERS_API_KEY": "a-secret-key"},
        )
        assert code == 0, log.read_text()
        return output.read_text()

    meltano("add", f"--from-ref={hub.DEFINITION}", "--no-install", TAP)
    printed = meltano("config", "print", "--format=json", TAP)
    defaults = {
        name: schema["default"]
        for name, schema in ABOUT["settings"]["properties"].items()
        if "default" in schema
    }
    assert "a-secret-key" not in printed
    assert json.loads(printed) == {"api_key": "*****", **defaults}
