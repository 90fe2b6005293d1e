"""A signal while a page is encoded: its state never without its records."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tap_chartmogul_customers.sdk import output
from tap_chartmogul_customers.sdk.output import Output


class Stopping:
    """A value at whose encoding a signal comes."""

    def __init__(self, writer: Output) -> None:
        self._writer = writer

    def __str__(self) -> str:
        self._writer.stop(signal.SIGTERM)
        return ""


@pytest.mark.parametrize("where", ["record", "state"])
def test_a_signal_hands_on_the_state_of_the_last_page_that_is_whole(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    out, writer = io.BytesIO(), Output()
    stdout = SimpleNamespace(buffer=out)
    monkeypatch.setattr(output, "sys", SimpleNamespace(stdout=stdout))
    monkeypatch.setattr(os, "_exit", sys.exit)
    writer.write_page([], {"page": 1})
    page: dict[str, Any] = {"record": 2, "state": 2, where: Stopping(writer)}
    with pytest.raises(SystemExit):
        writer.write_page([{"record": page["record"]}], {"page": page["state"]})
    assert out.getvalue() == b'{"type":"STATE","value":{"page":1}}\n' * 2
