"""Writes messages whole and in order, also when a signal or the target ends the run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import enc_hook
from singer_sdk.io_base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, StateMessage
from typing_extensions import override

from tap_chartmogul_customers.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOGETHER = 0.5
"""Seconds within which two signals are one. Ctrl-C under Meltano sends two."""

_encoder = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")


class Output(GenericSingerWriter[bytes, Message]):
    """Writes messages to standard output: all of a call's messages, or none."""

    def __init__(self) -> None:
        super().__init__()
        self._last_state = b""
        self._busy = False
        self._signum = 0
        self._stopped_at = 0.0

    @override
    def serialize_message(self, message: Message) -> bytes:
        return _encoder.encode(message.to_dict()) + b"\n"

    @override
    def write_message(self, message: Message) -> None:
        """Write a message, unless it is the STATE that was written last.

        Args:
            message: Any Singer message.

        Raises:
            OutputError: Standard output does not take it.
        """
        if isinstance(message, StateMessage):
            self.write_page([], message.value)
        else:
            self._write(self.serialize_message(message), self._last_state)

    def write_page(
        self, messages: Sequence[Mapping[str, Any]], state: Mapping[str, Any] | None
    ) -> None:
        """Write messages, given as mappings, and the state after them.

        Args:
            messages: The messages.
            state: The state, if it is to follow.

        Raises:
            OutputError: Standard output does not take them.
        """
        lines, line = _encoder.encode_lines(messages), self._last_state
        if state is not None:
            line = _encoder.encode({"type": "STATE", "value": state}) + b"\n"
            lines += line if line != self._last_state else b""
        self._write(lines, line)

    def stop(self, signum: int) -> None:
        """End the process with whole lines and the last STATE, for a signal handler.

        Between two writes the process ends here. During a write it ends when that is
        done. This does not raise, since Python ignores exceptions of a handler that it
        calls within a `__del__`. A second signal ends the process at once.

        Args:
            signum: The signal's number.
        """
        if not self._signum:
            self._signum, self._stopped_at = signum, time.monotonic()
            if not self._busy:
                self._end()
        elif time.monotonic() - self._stopped_at > TOGETHER:
            os._exit(128 + self._signum)

    def _write(self, lines: bytes, state: bytes) -> None:
        """Write lines, and only then take the state for the last one."""
        self._busy = True
        try:
            write_out(lines)
            self._last_state = state
        finally:
            self._busy = False
        if self._signum:
            self._end()

    def _end(self) -> None:
        with suppress(OutputError):
            write_out(self._last_state)
        with suppress(Exception):  # The signal may have come while the log was written.
            name = signal.Signals(self._signum).name
            logging.getLogger("tap-chartmogul-customers").warning("Stopped by %s", name)
        os._exit(128 + self._signum)


def write_out(lines: bytes) -> None:
    """Write all of it to standard output.

    Raises:
        OutputError: Standard output does not take it.
    """
    if sys.stdout is None:
        msg = "Standard output is closed"
        raise OutputError(msg)
    # Not through the buffer that Python has on standard output, in which a signal would
    # leave a part of a line.
    out = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    rest = memoryview(lines)
    try:
        while rest:
            rest = rest[out.write(rest) :]
    except OSError as error:
        raise output_error(error) from error


def output_error(error: OSError) -> OutputError:
    """Return the error to raise where standard output cannot be written to."""
    if isinstance(error, BrokenPipeError):
        return OutputError(
            "Standard output was closed by its reader: in a pipeline, see what the "
            "target logged"
        )
    return OutputError(f"Standard output cannot be written to: {error.strerror}")
