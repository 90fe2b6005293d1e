"""A signal at any point of writing a page: its state never without its records."""

from __future__ import annotations

import io
import json
import os
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tap_chartmogul_customers.sdk import output
from tap_chartmogul_customers.sdk.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable


class EndedError(Exception):
    """Stands in for the end of the process."""


class Calling:
    """A value that calls a function when it is encoded."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function

    def __str__(self) -> str:
        self._function()
        return ""


class Stopping(io.BytesIO):
    """Standard output on which a signal comes at a write."""

    stop: Callable[[], None] | None = None

    def write(self, data: Any) -> int:
        if self.stop:
            stop, self.stop = self.stop, None
            stop()
        return super().write(data)


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Stopping:
    out = Stopping()
    stdout = SimpleNamespace(buffer=out)
    monkeypatch.setattr(output, "sys", SimpleNamespace(stdout=stdout))

    def end(code: int) -> None:
        raise EndedError(code)

    monkeypatch.setattr(os, "_exit", end)
    return out


def messages(out: Stopping) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("where", ["record", "state"])
def test_a_signal_while_a_page_is_encoded_hands_on_the_state_before_it(
    out: Stopping, where: str
) -> None:
    writer = Output()
    writer.write_page([{"type": "RECORD"}], {"page": 1})
    odd = Calling(lambda: writer.stop(signal.SIGTERM))
    values = {"record": 0, "state": 2, where: odd}
    with pytest.raises(EndedError):
        writer.write_page(
            [{"type": "RECORD", "record": values["record"]}], {"page": values["state"]}
        )
    assert [message["type"] for message in messages(out)] == [
        "RECORD",
        "STATE",
        "STATE",
    ]
    assert messages(out)[-1]["value"] == {"page": 1}


def test_a_signal_while_a_page_is_written_hands_on_its_state(out: Stopping) -> None:
    writer = Output()
    writer.write_page([{"type": "RECORD"}], {"page": 1})
    out.stop = lambda: writer.stop(signal.SIGINT)
    with pytest.raises(EndedError) as ended:
        writer.write_page([{"type": "RECORD"}], {"page": 2})
    assert ended.value.args == (128 + signal.SIGINT,)
    kinds = [message["type"] for message in messages(out)]
    assert kinds == ["RECORD", "STATE", "RECORD", "STATE", "STATE"]
    assert messages(out)[-1]["value"] == {"page": 2}


def test_a_state_is_not_written_twice_in_a_row(out: Stopping) -> None:
    writer = Output()
    writer.write_page([], {"page": 1})
    writer.write_page([], {"page": 1})
    assert len(messages(out)) == 1
