"""`python -m tests.hub`: writes the definitions that `meltano add --from-ref` takes.

What the tap says about itself stands in `meltanohub.yml` as it is; the rest is here.
The target is that of `meltano.yml`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEFINITION = ROOT / "meltanohub.yml"
TARGET = ROOT / "examples/meltano/target-postgres.yml"

HEADER = """\
# The tap's definition for MeltanoHub, and for `meltano add --from-ref`.
# Written by `python -m tests.hub` from what the tap says about itself: change it there.
"""

TARGET_HEADER = """\
# The target's definition for `meltano add --from-ref`, with the settings used here.
# Written by `python -m tests.hub` from `meltano.yml`: change it there.
"""

PREREQUISITE = (
    "An API key of the ChartMogul account, with read access: Profile, API keys."
)

USAGE = (
    "Every run reads all customers, since the API has no filter by date of change. If "
    "a run is interrupted, the next one resumes at the page where it stopped."
)

# Meltano 4.4 breaks down over a `decimal` from the environment; the tap takes text too.
KINDS = {"number": "string"}


def about() -> dict[str, Any]:
    """Ask the tap about itself."""
    command = [sys.executable, "-m", "tap_chartmogul_customers"]
    done = subprocess.run(
        [*command, "--about", "--format=json"], capture_output=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as Meltano has it.

    Args:
        name: Its name.
        schema: Its JSON schema.

    Returns:
        Its definition, without what it does not have.
    """
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


def home() -> dict[str, str]:
    """Return where the repository is, once `pyproject.toml` knows, and the variant.

    MeltanoHub names a variant after its owner. `original` is what Meltano calls one
    that has no name.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    address = project.get("urls", {}).get("Repository")
    if address is None:
        return {"variant": "original"}
    owner = address.rstrip("/").split("/")[-2].lower()
    return {"docs": f"{address}#readme", "repo": address, "variant": owner}


def definition() -> str:
    """Return the tap's definition as YAML text."""
    tap = about()
    content = {
        "name": tap["name"],
        "namespace": tap["name"].replace("-", "_"),
        "label": "ChartMogul Customers",
        "description": tap["description"],
        "logo_url": "/assets/logos/extractors/chartmogul.png",
        "domain_url": "https://chartmogul.com/",
        **home(),
        "pip_url": tap["name"],
        "executable": tap["name"],
        "maintenance_status": "beta",
        "quality": "unknown",
        "keywords": ["api", "meltano_sdk"],
        "capabilities": sorted(tap["capabilities"]),
        "settings_group_validation": [tap["settings"]["required"]],
        "settings": [
            setting(name, schema)
            for name, schema in sorted(tap["settings"]["properties"].items())
        ],
        "prereq": PREREQUISITE,
        "usage": USAGE,
    }
    return HEADER + as_yaml(content)


def target() -> str:
    """Return the target's definition as YAML text."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    (content,) = (
        loader
        for loader in project["plugins"]["loaders"]
        if loader["name"] == "target-postgres"
    )
    pin = (ROOT / "requirements/target-postgres.in").read_text("utf-8")
    return TARGET_HEADER + as_yaml(content | {"pip_url": pin.strip()})


def as_yaml(content: dict[str, Any]) -> str:
    """Return YAML with its keys in order, as MeltanoHub's lint wants them."""
    return yaml.safe_dump(content, width=100, default_flow_style=False)


if __name__ == "__main__":
    DEFINITION.write_text(definition(), "utf-8")
    TARGET.write_text(target(), "utf-8")
