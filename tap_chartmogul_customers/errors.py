"""The errors that end a run. The text of each is one line for the user."""

from __future__ import annotations


class TapError(Exception):
    """Ends the run: what happened, where, and what to do."""


class SettingsError(TapError):
    """Settings that are wrong, missing or unknown.

    Args:
        problems: A line for each. It names the setting and never shows its value.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FileError(TapError):
    """A file that cannot be read, or does not hold what it should."""


class UnreachableError(TapError):
    """ChartMogul cannot be reached, which says nothing of the page asked for."""


class ReadError(TapError):
    """A page that cannot be read. Another place of the account may be readable."""


class PagingError(ReadError):
    """A page that does not say where the next one is, or contradicts itself."""


class OutputError(TapError):
    """Standard output does not take what is written."""
