"""What Meltano, MeltanoHub and dbt are told of the tap is what the tap says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_chartmogul_customers.records.columns import COLUMNS

if TYPE_CHECKING:
    from tests.running import Tap

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "examples/dbt/models"

# Meltano 4.4 breaks down over a `decimal` from the environment; the tap takes text too.
KINDS = {"number": "string"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


HUB = read(ROOT / "meltanohub.yml")
PLUGINS = read(ROOT / "meltano.yml")["plugins"]


def setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as Meltano has it, without what it does not have."""
    (type_,) = {*schema["type"]} - {"null"}
    values = schema.get("enum", [])
    definition = {
        "name": name,
        "label": schema["title"],
        "kind": "options" if values else KINDS.get(type_, type_),
        "options": [{"label": v.replace("_", " "), "value": v} for v in values],
        "value": schema.get("default"),
        "sensitive": schema.get("secret", False) or None,
        "description": schema["description"],
    }
    return {key: value for key, value in definition.items() if value not in (None, [])}


def test_meltano_and_the_hub_have_what_the_tap_says(tap: Tap) -> None:
    about = json.loads(tap.output("--about", "--format=json"))
    (extractor,) = PLUGINS["extractors"]
    says = about["settings"]
    assert extractor["settings"] == [
        setting(name, schema) for name, schema in says["properties"].items()
    ]
    assert extractor["settings_group_validation"] == [says["required"]]
    assert extractor["capabilities"] == sorted(about["capabilities"])
    # The hub wants the keys, the settings and the capabilities in order.
    for key in ("capabilities", "executable", "namespace", "settings_group_validation"):
        assert HUB[key] == extractor[key]
    assert HUB["settings"] == sorted(extractor["settings"], key=lambda s: s["name"])
    assert HUB["name"] == HUB["pip_url"] == about["name"]
    assert HUB["description"] == about["description"]
    assert json.dumps(HUB) == json.dumps(HUB, sort_keys=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert HUB.get("repo") == project["urls"].get("Repository")


def test_the_target_is_defined_as_in_meltano_yml() -> None:
    loaders = {loader["name"]: loader for loader in PLUGINS["loaders"]}
    pin = (ROOT / "requirements/target-postgres.in").read_text("utf-8").strip()
    defined = read(ROOT / "examples/meltano/target-postgres.yml")
    assert defined == loaders["target-postgres"] | {"pip_url": pin}


def test_the_source_of_the_dbt_project_is_described_by_the_schema() -> None:
    texts = (MODELS / "columns.md").read_text("utf-8")
    described = re.findall(r"{% docs (\w+) %}\n(.*)\n{% enddocs %}", texts)
    assert sorted(described) == sorted(
        (each.name, each.description) for each in COLUMNS
    )
    (table,) = read(MODELS / "sources.yml")["sources"][0]["tables"]
    assert {column["name"]: column["description"] for column in table["columns"]} == {
        column.name: f"{{{{ doc('{column.name}') }}}}" for column in COLUMNS
    }
