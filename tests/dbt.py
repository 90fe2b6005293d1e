"""`python -m tests.dbt`: what the dbt project says of the table, from the schema.

It writes `columns.md`, a text for each column, and `sources.yml`, which uses them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tap_chartmogul_customers.records.columns import COLUMNS
from tap_chartmogul_customers.settings.schema import STATUSES

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "examples/dbt"
MODELS = PROJECT / "models"

HEADER = "Written by `python -m tests.dbt` from the tap's schema: change it there."

# The filter spells them with underscores, and never took what old accounts hold.
IN_RECORDS = [*(status.replace("_", " ") for status in STATUSES), "Lead"]

# Worth a look, but no reason to stop: a status that ChartMogul added, say.
WARN = {"config": {"severity": "warn"}}

TESTS: dict[str, list[Any]] = {
    "uuid": ["unique", "not_null"],
    "status": [{"accepted_values": {"arguments": {"values": IN_RECORDS}, **WARN}}],
    "currency": [{"not_null": WARN}],
}


def personal() -> set[str]:
    """Return the columns that hold personal data, as the project lists them."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))
    return set(project["vars"]["personal_columns"])


def columns() -> str:
    """Return a text for each column, which models refer to as `doc('mrr')`."""
    blocks = [
        f"{{% docs {column.name} %}}\n{column.description}\n{{% enddocs %}}\n"
        for column in COLUMNS
    ]
    return "\n".join([f"<!-- {HEADER} -->\n", *blocks])


def sources() -> str:
    """Return the source: its table, columns, tests and freshness."""
    marked = personal()
    table = {
        "name": "customers",
        "identifier": "{{ env_var('DBT_SOURCE_TABLE', 'customers') }}",
        "description": "The customers of a ChartMogul account, as the tap read them.",
        "data_tests": [{"arr_is_twelve_months_of_mrr": WARN}],
        "columns": [
            {
                "name": column.name,
                "description": f"{{{{ doc('{column.name}') }}}}",
                **({"config": PERSONAL} if column.name in marked else {}),
                **({"data_tests": TESTS[column.name]} if column.name in TESTS else {}),
            }
            for column in COLUMNS
        ],
    }
    source = {
        "name": "chartmogul",
        "description": "What target-postgres or target-duckdb loaded.",
        "database": "{{ 'loaded' if target.type == 'duckdb' else target.dbname }}",
        "schema": "{{ env_var('DBT_SOURCE_SCHEMA', 'tap_chartmogul_customers') }}",
        "config": {
            "loaded_at_field": "_sdc_extracted_at",
            "freshness": {
                "warn_after": {"count": 26, "period": "hour"},
                "error_after": {"count": 50, "period": "hour"},
            },
        },
        "tables": [table],
    }
    content = yaml.dump(
        {"sources": [source]}, Dumper=_Plain, sort_keys=False, width=100
    )
    return f"# {HEADER}\n{content}"


PERSONAL = {"meta": {"personal": True}, "tags": ["personal"]}


class _Plain(yaml.SafeDumper):
    """Writes what comes twice twice, rather than as a reference."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


FILES = {MODELS / "columns.md": columns, MODELS / "sources.yml": sources}


def written() -> dict[Path, str]:
    """Return what each file should say."""
    return {path: make() for path, make in FILES.items()}


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, "utf-8")
