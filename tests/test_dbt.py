"""What the dbt project says of the loaded table is what the tap says."""

from __future__ import annotations

from tests.dbt import written


def test_the_source_of_the_dbt_project_is_described_by_the_schema() -> None:
    for path, text in written().items():
        assert path.read_text("utf-8") == text, "run `python -m tests.dbt`"
