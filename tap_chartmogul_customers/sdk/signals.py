"""An end by signal that loses nothing: a private hook."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from singer_sdk import Tap

from tap_chartmogul_customers.output import Output

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from types import FrameType


class OrderlyEnd(Tap):
    """A tap that a signal ends with whole lines and the last state."""

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # Private: the SDK writes while a write may be under way, and exits with 0.
        writer = getattr(self, "message_writer", None)
        if isinstance(writer, Output):
            writer.stop(signum)
        else:
            sys.exit(128 + signum)
