"""`docs/targets.md`: what was seen of each target, and what is to be known of it."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from tests.targets.comparison import ROUNDED, is_harmful, needs_reason
from tests.targets.scenarios import FIRST, SCENARIOS, SECOND, WHOLE, Seen
from tests.targets.target import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.targets.target import Target

PATH = ROOT / "docs/targets.md"

UNEXPLAINED = "**unexplained**"
"""Where what was seen and the faults that the catalogue has don't match."""


def written(page: str, target: Target, seen: dict[str, Seen]) -> str:
    """Return the page with what was seen of a target, in the place that it has."""
    for pattern, text in (
        (rf"^\| .*\]\(#{target.name}\) \|.*$", row(target, seen)),
        (rf"^## {target.name}\n(.|\n)*?(?=\n+(## |\Z))", section(target, seen)),
    ):
        page, places = re.subn(pattern, lambda _: text, page, flags=re.MULTILINE)  # noqa: B023 (called at once)
        assert places == 1, f"{PATH.name} has {places} places for {target.name}"
    return page


def row(target: Target, seen: dict[str, Seen]) -> str:
    link = f"[{target.package} {version(target)}](#{target.name})"
    cells = [link, verdict(target, seen), *(cell(seen[name]) for name in SCENARIOS)]
    return f"| {' | '.join(cells)} |"


def version(target: Target) -> str:
    """Return the version that is installed."""
    name = target.package.replace("-", "_")
    (found,) = target.venv.glob(f"lib/*/site-packages/{name}-*.dist-info")
    return found.stem.split("-")[1]


def verdict(target: Target, seen: dict[str, Seen]) -> str:
    words = []
    if seen[FIRST].is_whole:
        words += ["works"] + ["rounds"] * (ROUNDED in seen[FIRST].losses)
    elif target.tap and seen[SECOND].is_whole:
        words += [f"works with {as_words(target.tap)}"]
    words += ["tried in part"] * target.is_tried_in_part
    return ", ".join(words or ["does not"])


def cell(seen: Seen) -> str:
    if any(map(is_harmful, seen.losses)):
        quality = "not whole"
    elif ROUNDED in seen.losses:
        quality = "rounded"
    else:
        return seen.outcome
    return quality if seen.outcome == WHOLE else f"{seen.outcome}, {quality}"


def section(target: Target, seen: dict[str, Seen]) -> str:
    settings = {
        "Settings": target.settings,
        "Environment": target.environment,
        "Settings of the tap": target.tap,
    }
    said = [f"{name}: {as_words(each)}." for name, each in settings.items() if each]
    parts = [
        f"## {target.name}",
        " ".join(said or ["No settings, save where to write."]),
        target.notes,
        "\n".join(lines(target, seen)),
    ]
    return "\n\n".join(filter(None, parts))


def lines(target: Target, seen: dict[str, Seen]) -> list[str]:
    """Return what is said of the scenarios, those together of which it is the same."""
    unseen = set(target.faults)
    scenarios: dict[str, list[str]] = {}
    for scenario, each in seen.items():
        harmless = sorted(loss for loss in each.losses if not needs_reason(loss))
        texts = [f"{'; '.join(harmless)}."] if harmless else []
        explained: set[str] = set()
        for evidence, why in target.faults.items():
            if shown := each.shown(evidence):
                unseen.discard(evidence)
                explained.update(shown)
                more = f" and {len(shown) - 1} more like it" if shown[1:] else ""
                texts.append(f"{shown[0]}{more}: {why}")
        lost = set(filter(needs_reason, each.losses))
        if (each.failed and not explained) or lost - explained:
            sys.stderr.write(
                f"{target.name}, {scenario}: {each.outcome} {sorted(each.losses)}\n"
                f"{each.log[-600:]}\n"
            )
            texts.append(UNEXPLAINED)
        if texts:
            scenarios.setdefault(" ".join(texts), []).append(scenario)
    return [f"- {UNEXPLAINED}: no {evidence}" for evidence in unseen] + [
        f"- {', '.join(named)}: {text}" for text, named in scenarios.items()
    ]


def as_words(settings: Mapping[str, Any]) -> str:
    """Return settings as they may be written down."""
    return ", ".join(f"`{name}: {json.dumps(each)}`" for name, each in settings.items())
