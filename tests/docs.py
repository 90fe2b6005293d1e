"""The parts of README made from the code; `python -m tests.docs` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tap_chartmogul_customers.records.schema import COLUMNS
from tap_chartmogul_customers.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

KINDS = {
    "text": "text",
    "integer": "integer",
    "timestamp": "timestamp",
    "texts": "list of text",
    "object": "object",
    "text_object": "object of text",
}


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def settings() -> str:
    """Return the table of settings."""

    schema = SETTINGS.to_dict()

    def default(name: str, setting: dict[str, Any]) -> str:
        if name in schema["required"]:
            return "required"
        value = setting.get("default")
        return "" if value is None else f"`{str(value).lower()}`"

    return table(
        ["setting", "default", "meaning"],
        [
            [f"`{name}`", default(name, setting), setting["description"]]
            for name, setting in schema["properties"].items()
        ],
    )


def columns() -> str:
    """Return the table of columns."""
    return table(
        ["column", "type", "meaning"],
        [
            [f"`{column.name}`", KINDS[column.kind], column.description]
            for column in COLUMNS
        ],
    )


PARTS = {"settings": settings, "columns": columns}


def written(readme: str) -> str:
    """Return README with its made parts made anew."""
    for name, make in PARTS.items():
        before, start, rest = readme.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        readme = f"{before}{start}\n{make()}\n\n{end}{after}"
    return readme


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
