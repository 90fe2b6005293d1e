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


class Stopping:
    """A value at whose encoding a signal comes."""

    def __init__(self, stop: Callable[[int], None]) -> None:
        self._stop = stop

    def __str__(self) -> str:
        self._stop(signal.SIGTERM)
        return ""


class Out(io.BytesIO):
    """Standard output on which a signal comes at the next write, once it is told to."""

    stop: Callable[[int], None] | None = None

    def write(self, data: Any) -> int:
        if self.stop:
            stop, self.stop = self.stop, None
            stop(signal.SIGTERM)
        return super().write(data)


@pytest.mark.parametrize("where", ["record", "state", "write"])
def test_a_signal_hands_on_the_state_of_the_last_page_that_is_whole(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def end(code: int) -> None:
        raise EndedError(code)

    out, writer = Out(), Output()
    stdout = SimpleNamespace(buffer=out)
    monkeypatch.setattr(output, "sys", SimpleNamespace(stdout=stdout))
    monkeypatch.setattr(os, "_exit", end)
    writer.write_page([{"type": "RECORD"}], {"page": 1})
    page: dict[str, Any] = {"record": 2, "state": 2, where: Stopping(writer.stop)}
    if where == "write":
        out.stop = writer.stop
    with pytest.raises(EndedError, match=f"{128 + signal.SIGTERM}"):
        writer.write_page(
            [{"type": "RECORD", "record": page["record"]}], {"page": page["state"]}
        )
    written = [json.loads(line) for line in out.getvalue().splitlines()]
    kinds = [message["type"] for message in written]
    whole = 2 if where == "write" else 1
    assert kinds == ["RECORD", "STATE"] * whole + ["STATE"]
    assert written[-1]["value"] == {"page": whole}
