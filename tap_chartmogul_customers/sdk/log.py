"""A log of what its user wants to see: the SDK's own words, and no hook but texts."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import singer_sdk
from singer_sdk import Tap

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import click

_SDK = str(Path(singer_sdk.__file__).parent)

_KEPT = (
    "Beginning sync of '%s' in %s mode",
    "Skipping deselected stream '%s'.",
)

_SAID_IN_FULL_LATER = "An unhandled error occurred while syncing '%s'"


class QuietLog(Tap):
    """A tap whose log holds the SDK's chatter and METRIC lines at DEBUG only."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        # The SDK has set the log up just before, as SINGER_SDK_LOG_CONFIG may say.
        for handler in logging.getLogger().handlers:
            handler.addFilter(_is_news)
        return super().get_singer_command()


def _is_news(record: logging.LogRecord) -> bool:
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return True
    if record.pathname.startswith(_SDK) and record.levelno <= logging.INFO:
        return record.msg in _KEPT
    return record.msg != _SAID_IN_FULL_LATER
