"""What is said of values that could not be kept: the first at once, a count at last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class Notices:
    """Warns of the first of each kind, and of how many there were.

    Args:
        logger: Where warnings go.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._counts = Counter[str]()

    def add(self, kind: str, warning: str, *arguments: object) -> None:
        """Count one, and warn of it if it is the first of its kind.

        Args:
            kind: What is counted, in the words of the report.
            warning: What to say of the first.
            arguments: What belongs into the warning.
        """
        if kind not in self._counts:
            self._logger.warning(warning, *arguments)
        self._counts[kind] += 1

    def report(self) -> None:
        """Say how many there were of each kind."""
        for kind, count in self._counts.items():
            self._logger.warning("%s: %d", kind, count)
