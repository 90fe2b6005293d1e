from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.messages import RecordMessage, StateMessage

from tap_chartmogul_customers import output
from tap_chartmogul_customers.output import (
    Output,
    OutputError,
    StandardOutput,
    Stopped,
    standard_output,
)
from tap_chartmogul_customers.records.values import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Stdout:
    """Stands in for standard output, and remembers what it was given."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()

    @property
    def taken(self) -> bytes:
        return self.buffer.getvalue()


@pytest.fixture
def stdout() -> Stdout:
    return Stdout()


@pytest.fixture
def writer(stdout: Stdout, monkeypatch: pytest.MonkeyPatch) -> Output:
    # pytest's own standard output comes back between a fixture and its test.
    monkeypatch.setattr(output, "sys", SimpleNamespace(stdout=stdout))
    return Output()


def record(number: int) -> RecordMessage:
    return RecordMessage("customers", {"id": number})


def numbers(stdout: Stdout) -> list[int]:
    lines = map(json.loads, stdout.taken.splitlines())
    return [line["record"]["id"] for line in lines if line["type"] == "RECORD"]


def kinds(stdout: Stdout) -> list[str]:
    return [json.loads(line)["type"] for line in stdout.taken.splitlines()]


def test_a_record_waits_for_the_next_state(writer: Output, stdout: Stdout) -> None:
    writer.write_message(record(1))
    writer.write([{"type": "RECORD"}])
    assert not stdout.taken
    writer.write_message(StateMessage({"a": 1}))
    assert kinds(stdout) == ["RECORD", "RECORD", "STATE"]


def test_records_leave_when_there_are_64_kib_of_them(
    writer: Output, stdout: Stdout
) -> None:
    for number in range(2000):
        writer.write_message(record(number))
    left = len(stdout.taken)
    assert output.BUFFER_SIZE <= left < output.BUFFER_SIZE + 100
    writer.flush()
    assert numbers(stdout) == list(range(2000))


def test_a_message_that_cannot_be_written_leaves_no_trace(
    writer: Output, stdout: Stdout
) -> None:
    class Odd:
        def __str__(self) -> str:
            raise UnreadableError

    writer.write_message(record(1))
    with pytest.raises(UnreadableError):
        writer.write_message(RecordMessage("customers", {"id": 2, "odd": Odd()}))
    writer.write_message(record(3))
    writer.flush()
    assert numbers(stdout) == [1, 3]


def test_nothing_is_written_twice(writer: Output, stdout: Stdout) -> None:
    writer.write_message(record(1))
    writer.flush()
    writer.flush()
    assert numbers(stdout) == [1]


class Calling:
    """A value that calls a function when it is encoded."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def __str__(self) -> str:
        self.function()
        return ""


def test_a_signal_between_two_messages_ends_the_run_at_once_with_the_last_state(
    writer: Output, stdout: Stdout
) -> None:
    writer.write_message(StateMessage({"a": 1}))
    writer.write_message(record(1))
    with pytest.raises(Stopped) as stopped:
        writer.stop(signal.SIGTERM)
    assert kinds(stdout) == ["STATE", "RECORD", "STATE"]
    assert stopped.value.code == 128 + signal.SIGTERM
    assert stopped.value.signal == signal.SIGTERM


def test_a_signal_while_a_message_is_encoded_ends_the_run_after_it(
    writer: Output, stdout: Stdout
) -> None:
    writer.write_message(StateMessage({"a": 1}))
    odd = Calling(lambda: writer.stop(signal.SIGINT))
    with pytest.raises(Stopped):
        writer.write_message(RecordMessage("customers", {"id": 1, "odd": odd}))
    assert kinds(stdout) == ["STATE", "RECORD", "STATE"]


def test_a_signal_while_messages_are_written_ends_the_run_after_them(
    writer: Output, stdout: Stdout, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(io.BytesIO):
        def write(self, data: Any) -> int:
            if not self.tell():
                writer.stop(signal.SIGTERM)
            return super().write(data)

    monkeypatch.setattr(stdout, "buffer", Stopping())
    writer.write_message(record(1))
    with pytest.raises(Stopped):
        writer.flush()
    assert kinds(stdout) == ["RECORD", "STATE"]
    assert json.loads(stdout.taken.splitlines()[1])["value"] == {"bookmarks": {}}


def test_a_signal_before_the_first_message_writes_nothing(
    writer: Output, stdout: Stdout
) -> None:
    with pytest.raises(Stopped):
        writer.stop(signal.SIGTERM)
    assert not stdout.taken


def test_a_second_signal_ends_the_process_at_once(
    writer: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)

    def stop_twice() -> None:
        writer.stop(signal.SIGINT)
        writer.stop(signal.SIGTERM)

    odd = Calling(stop_twice)
    with pytest.raises(Stopped):
        writer.write_message(RecordMessage("customers", {"id": 1, "odd": odd}))
    assert codes == [128 + signal.SIGTERM]


@contextmanager
def piped() -> Iterator[int]:
    """Have standard output be a non-blocking pipe, and return where it is read.

    No fixture: pytest's own would come back between it and its test.
    """
    kept = os.dup(1)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.dup2(writing, 1)
    os.close(writing)
    try:
        yield reading
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def test_standard_output_waits_for_whoever_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with piped() as reading:
        read: list[bytes] = []

        def select(*_: object) -> None:
            read.append(os.read(reading, room))

        monkeypatch.setattr(output, "select", SimpleNamespace(select=select))
        with StandardOutput() as stream:
            room = fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ)
            stream.write(b"a" * 3 * room)
        os.fstat(1)  # It is not that class's to close.
        assert read == [b"a" * room] * 2
        assert os.read(reading, room) == b"a" * room
        os.close(reading)


def test_a_pipe_takes_a_page_before_its_reader_does() -> None:
    page = 200 * 1500
    with piped() as reading:
        with StandardOutput():
            assert fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ) >= page
        os.close(reading)


def test_nothing_follows_on_standard_output_after_an_error() -> None:
    with piped() as reading, StandardOutput() as output:
        os.close(reading)
        for _ in range(2):
            with pytest.raises(OutputError) as error:
                output.write(b"a")
            assert error.value.message.startswith("The target closed the pipe")
            assert error.value.code == 1


def test_what_is_printed_goes_through_it_for_a_while() -> None:
    before = sys.stdout
    with piped() as reading:
        with standard_output():
            print("\N{GEM STONE}", end="")  # noqa: T201 (what is tested)
        assert sys.stdout is before
        assert os.read(reading, 100) == "\N{GEM STONE}".encode()
        os.close(reading)


def test_standard_output_that_is_closed_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError) as error, standard_output():
        pass
    assert error.value.message == "Standard output is closed"
