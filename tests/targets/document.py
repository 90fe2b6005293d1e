"""`docs/targets.md`: what was seen of each target, and what is to be known of it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.targets.catalogue import TARGETS
from tests.targets.comparison import ROUNDED, is_harmful, needs_reason
from tests.targets.scenarios import FIRST, SCENARIOS, SECOND, WHOLE, Seen
from tests.targets.target import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.targets.target import Target

PATH = ROOT / "docs/targets.md"

NOT_WHOLE = "not whole"
ROUNDS = "rounded"
UNEXPLAINED = "**unexplained**"
"""Where what was seen and the faults that the catalogue has don't match."""


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Report:
    """What is said of a target.

    Args:
        target: The target.
        seen: What became of each scenario.
    """

    target: Target
    seen: dict[str, Seen]

    def row(self) -> str:
        """Return its row of the table."""
        cells = [self._link(), self._verdict(), *map(self._cell, SCENARIOS)]
        return f"| {' | '.join(cells)} |"

    def section(self) -> str:
        """Return what is said of it below the table."""
        lines = list(self._lines())
        parts = [f"## {self.target.name}", " ".join(self._settings())]
        parts += [self.target.notes] if self.target.notes else []
        parts += ["\n".join(lines)] if lines else []
        return "\n\n".join(parts)

    def _link(self) -> str:
        return f"[{self.target.package} {version(self.target)}](#{self.target.name})"

    def _verdict(self) -> str:
        parts = ["tried in part"] if self.target.is_tried_in_part else []
        if self.seen[FIRST].is_whole:
            parts.insert(0, "works")
            parts += ["rounds"] if ROUNDED in self.seen[FIRST].losses else []
        elif self.target.tap and self.seen[SECOND].is_whole:
            parts.insert(0, f"works with {as_words(self.target.tap)}")
        return ", ".join(parts or ["does not"])

    def _cell(self, scenario: str) -> str:
        seen = self.seen[scenario]
        if any(map(is_harmful, seen.losses)):
            return (
                NOT_WHOLE if seen.outcome == WHOLE else f"{seen.outcome}, {NOT_WHOLE}"
            )
        if ROUNDED in seen.losses:
            return ROUNDS if seen.outcome == WHOLE else f"{seen.outcome}, {ROUNDS}"
        return seen.outcome

    def _settings(self) -> Iterator[str]:
        if self.target.settings:
            yield f"Settings: {as_words(self.target.settings)}."
        if self.target.environment:
            yield f"Environment: {as_words(self.target.environment)}."
        if self.target.tap:
            yield f"Settings of the tap: {as_words(self.target.tap)}."
        if not (self.target.settings or self.target.environment or self.target.tap):
            yield "No settings, save where to write."

    def _lines(self) -> Iterator[str]:
        """Say of each scenario what was lost and why, alike ones together."""
        scenarios: dict[str, list[str]] = {}
        unseen = {fault.evidence for fault in self.target.faults}
        for scenario, seen in self.seen.items():
            lost = {loss for loss in seen.losses if needs_reason(loss)}
            said = sorted(seen.losses - lost)
            texts = [f"{'; '.join(said)}."] if said else []
            explained: set[str] = set()
            for fault in self.target.faults:
                if shown := seen.shown(fault.evidence):
                    unseen.discard(fault.evidence)
                    explained.update(shown)
                    texts.append(f"{in_short(shown)}: {fault.why}")
            if (seen.failed and not explained) or lost - explained:
                sys.stderr.write(f"{self.target.name}, {scenario}: {seen}\n")
                texts.append(UNEXPLAINED)
            if texts:
                scenarios.setdefault(" ".join(texts), []).append(scenario)
        yield from (f"- {UNEXPLAINED}: no {evidence}" for evidence in unseen)
        for text, named in scenarios.items():
            yield f"- {', '.join(named)}: {text}"


def in_short(losses: list[str]) -> str:
    """Return the first of losses, and how many more there are."""
    first, *others = losses
    return f"{first} and {len(others)} more like it" if others else first


def as_words(settings: Mapping[str, Any]) -> str:
    """Return settings as they may be written down."""
    return ", ".join(f"`{name}: {json.dumps(each)}`" for name, each in settings.items())


def version(target: Target) -> str:
    """Return the version that is pinned."""
    (found,) = re.findall(
        rf"^{re.escape(target.package)}==(\S+)", target.pins.read_text(), re.MULTILINE
    )
    return str(found)


def parts(page: str) -> dict[str, tuple[str, str]]:
    """Return the row and the section of each target, by its name."""
    _, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    return {
        (name := section.split("\n", 1)[0]): (
            next(line for line in page.splitlines() if f"](#{name}) |" in line),
            f"## {section}".strip(),
        )
        for section in sections
    }


def written(page: str, reports: Iterable[Report]) -> str:
    """Return a page with what is new.

    Args:
        page: The page as it was.
        reports: Of the targets that were tried; the others stay as they are.
    """
    new = {each.target.name: (each.row(), each.section()) for each in reports}
    merged = parts(page) | new
    kept = [merged[target.name] for target in TARGETS if target.name in merged]
    introduction, _, _ = page.partition("\n\n| ")
    columns = ["target", "", *SCENARIOS]
    head = [f"| {' | '.join(each)} |" for each in (columns, ["---"] * len(columns))]
    rows = "\n".join([*head, *(row for row, _ in kept)])
    sections = (section for _, section in kept)
    return "\n\n".join([introduction, rows, *sections]) + "\n"
