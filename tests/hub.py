"""`python -m tests.hub`: writes the definition for MeltanoHub, `meltanohub.yml`.

What the tap says about itself stands in it as it is; the rest is here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

DEFINITION = Path(__file__).parents[1] / "meltanohub.yml"
REPOSITORY = "https://github.com/tap-chartmogul/tap-chartmogul-customers"

HEADER = """\
# The tap's definition for MeltanoHub, and for `meltano add --from-ref`.
# Written by `python -m tests.hub` from what the tap says about itself: change it there.
"""

PREREQUISITE = (
    "An API key of the ChartMogul account, with read access: Profile, API keys."
)

USAGE = (
    "Every run reads all customers, since the API has no filter by date of change. A "
    "run that was interrupted is resumed by the next one, at the page where it stopped."
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


def definition() -> str:
    """Return the definition as YAML text."""
    tap = about()
    *_, owner, repository = REPOSITORY.split("/")
    content = {
        "name": tap["name"],
        "variant": owner,
        "namespace": tap["name"].replace("-", "_"),
        "label": "ChartMogul Customers",
        "description": tap["description"],
        "logo_url": "/assets/logos/extractors/chartmogul.png",
        "domain_url": "https://chartmogul.com/",
        "docs": f"{REPOSITORY}#readme",
        "repo": REPOSITORY,
        "pip_url": repository,
        "executable": tap["name"],
        "maintenance_status": "beta",
        "quality": "unknown",
        "keywords": ["api", "meltano_sdk"],
        "capabilities": sorted(tap["capabilities"]),
        "settings_group_validation": [tap["settings"]["required"]],
        "settings": [
            setting(name, schema)
            for name, schema in tap["settings"]["properties"].items()
        ],
        "prereq": PREREQUISITE,
        "usage": USAGE,
    }
    return HEADER + yaml.safe_dump(
        content, sort_keys=False, width=100, default_flow_style=False
    )


if __name__ == "__main__":
    DEFINITION.write_text(definition(), "utf-8")
