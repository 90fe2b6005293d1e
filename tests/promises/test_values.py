"""Values that are exact, that are mended, and that nobody can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import faults
from tests.customers import page_with

if TYPE_CHECKING:
    from tests.running import Tap


def send(tap: Tap, value: bytes) -> None:
    """Have a customer sent, whose custom attribute is this JSON."""
    page = page_with(b'{"custom":{"odd":%s}}' % value)
    tap.sandbox.script(lambda _: faults.body(page))


@pytest.mark.parametrize(
    "sent",
    [
        b"[0.1,1.10,-0.0,100.0,12345678901234567890,1E+30,1E-400]",
        b"9" * 4300,
        b'"\\u0001\\"\\\\u0000 \\\\ud83d"',
        '"\U0001f48e\ufffd\uffff\u2028"'.encode(),
        b"[" * 900 + b"]" * 900,
    ],
)
def test_a_value_comes_through_exactly(tap: Tap, sent: bytes) -> None:
    send(tap, sent)
    assert f'"custom":{{"odd":{sent.decode()}}}' in tap.output()
    assert "WARNING" not in (tap.folder / "tap.log").read_text()


def test_text_that_cannot_be_stored_is_mended_with_a_warning(tap: Tap) -> None:
    send(tap, rb'"a\u0000b"')
    run = tap.run()
    assert run.code == 0, run.log
    (record,) = run.records
    assert record["attributes"]["custom"]["odd"] == "a\ufffdb"
    (warning,) = run.warnings
    assert "GET /v1/customers, page 1: text that cannot be stored" in warning


@pytest.mark.parametrize(
    "sent",
    [
        b"9" * 4301,
        b"1e9999999999999999999",
        # Python 3.11 takes 990 levels, 3.13 10,000, and 3.14 what its stack holds.
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_no_target_takes_ends_the_run_and_names_the_page(
    tap: Tap, sent: bytes
) -> None:
    send(tap, sent)
    run = tap.run()
    assert run.code == 1
    assert not run.records
    assert not run.warnings  # It is not tried again.
    (line,) = run.errors
    assert "GET /v1/customers, page 1: " in line
    assert run.log.rstrip().endswith(line)
    assert "Traceback" not in run.log
