from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from singer_sdk.singerlib.messages import RecordMessage, StateMessage

from tap_chartmogul_customers import output
from tap_chartmogul_customers.output import Output
from tap_chartmogul_customers.records.values import UnreadableError


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


def test_a_record_waits_for_the_next_state(writer: Output, stdout: Stdout) -> None:
    writer.write_message(record(1))
    assert not stdout.taken
    writer.write_message(StateMessage({"a": 1}))
    kinds = [json.loads(line)["type"] for line in stdout.taken.splitlines()]
    assert kinds == ["RECORD", "STATE"]


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
