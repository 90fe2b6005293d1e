"""Writes messages whole and in order, also when a signal or the target ends the run."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import enc_hook
from singer_sdk.io_base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, RecordMessage, StateMessage

if sys.platform == "linux":
    from fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, fcntl

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Buffer

BUFFER_SIZE = 65536

PIPE_SIZE = 1 << 19
"""Bytes that a pipe to the target takes, where the system lets us choose: a page."""

_NO_STATE = b'{"type":"STATE","value":{"bookmarks":{}}}\n'

_encoder = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")


class Stopped(SystemExit):
    """The end of the run that a signal asked for.

    Args:
        signum: The signal's number.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(128 + signum)
        self.signal = signal.Signals(signum)


class OutputError(SystemExit):
    """Standard output cannot be written to; the run ends with exit code 1.

    It is an exit for the SDK to let it pass.

    Args:
        message: One line for the user.
    """

    def __init__(self, message: str) -> None:
        super().__init__(1)
        self.message = message


class StandardOutput(io.FileIO):
    """Standard output that takes all it is given, or nothing any more.

    It waits for a reader even where the pipe is non-blocking. After an error, which may
    have cut a line, nothing follows.
    """

    def __init__(self) -> None:
        super().__init__(1, "w", closefd=False)
        self._error: OutputError | None = None
        if sys.platform == "linux":
            # With the usual 64 KiB, the reader of a page wakes the tap up some thirty
            # times, each for what it has just taken.
            with suppress(OSError):  # It is no pipe, or its user has too many.
                if fcntl(self, F_GETPIPE_SZ) < PIPE_SIZE:
                    fcntl(self, F_SETPIPE_SZ, PIPE_SIZE)

    @override
    def write(self, data: Buffer) -> int:
        """Write all of the data.

        Args:
            data: Any bytes.

        Returns:
            Their number.

        Raises:
            OutputError: Standard output does not take them.
        """
        if self._error:
            raise self._error
        with memoryview(data) as rest:
            written = 0
            while written < len(rest):
                try:
                    count: int | None = super().write(rest[written:])
                except OSError as error:
                    self._error = OutputError(_why(error))
                    raise self._error from error
                if count is None:
                    select.select([], [self], [])
                written += count or 0
            return written


def _why(error: OSError) -> str:
    if isinstance(error, BrokenPipeError):
        return "The target closed the pipe; see what it logged"
    return f"Standard output cannot be written to: {error.strerror}"


@contextmanager
def standard_output() -> Iterator[None]:
    """Have everything that is printed go through `StandardOutput`.

    Yields:
        Nothing.

    Raises:
        OutputError: Standard output is closed, or does not take what was printed.
    """
    original = sys.stdout
    if original is None:
        message = "Standard output is closed"
        raise OutputError(message)
    writer = io.BufferedWriter(StandardOutput())
    sys.stdout = io.TextIOWrapper(writer, encoding="utf-8")
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        finally:
            sys.stdout = original


class Output(GenericSingerWriter[bytearray, Message]):
    """Writes messages to standard output: records together, others at once.

    A record waits in a buffer of 64 KiB; any other message is flushed, and with it all
    that came before. So whoever reads a STATE has read every record before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()
        self._last_state = b""
        self._busy = False
        self._signum = 0

    @override
    def serialize_message(self, message: Message) -> bytearray:
        return bytearray(_encoder.encode(message.to_dict()))

    @override
    def write_message(self, message: Message) -> None:
        """Write a message.

        Args:
            message: Any Singer message.

        Raises:
            Stopped: A signal came while it was written.
            OutputError: Standard output does not take it.
        """
        if isinstance(message, StateMessage):
            # Its `to_dict` copies the whole state, value by value.
            state = {"type": "STATE", "value": message.value}
            self._last_state = _encoder.encode(state) + b"\n"
            self.write([state], flush=True)
            return
        self.write([message.to_dict()], flush=not isinstance(message, RecordMessage))
        self._last_state = self._last_state or _NO_STATE

    def write(
        self, messages: Sequence[Mapping[str, Any]], *, flush: bool = False
    ) -> None:
        """Write messages given as mappings, all of them or none.

        Args:
            messages: The messages.
            flush: Whether they, and all before them, are to leave now.

        Raises:
            Stopped: A signal came while they were written.
            OutputError: Standard output does not take them.
        """
        self._busy = True
        try:
            self._buffer += _encoder.encode_lines(messages)
        finally:
            self._busy = False
        if flush or self._signum or len(self._buffer) >= BUFFER_SIZE:
            self.flush()

    def flush(self) -> None:
        """Hand everything written so far to the reader.

        Raises:
            Stopped: A signal came meanwhile.
            OutputError: Standard output does not take it.
        """
        self._busy = True
        try:
            self._drain()
        finally:
            self._busy = False
        if self._signum:
            self._end()

    def stop(self, signum: int) -> None:
        """End the run with whole lines and the last STATE, for a signal handler.

        Between two writes it ends here; during one, when that one is done. A second
        signal ends the process at once.

        Args:
            signum: The signal's number.

        Raises:
            Stopped: Always, unless a write is under way.
        """
        if self._signum:
            os._exit(128 + signum)
        self._signum = signum
        if not self._busy:
            self._end()

    def _end(self) -> None:
        self._buffer += self._last_state
        self._last_state = b""
        self._drain()
        raise Stopped(self._signum)

    def _drain(self) -> None:
        # Not through the buffer that Python has on standard output, in which a signal
        # would leave a part of a line.
        out = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
        try:
            out.write(self._buffer)
        finally:
            self._buffer.clear()
