"""Values that are exact, that are mended, and that nobody can take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults, generate_customers
from sandbox.pages import render
from tests.running import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import Run, Tap


@pytest.fixture
def run(tap_on: Callable[[Sandbox], Tap]) -> Callable[[bytes], Run]:
    """Read 20 customers, one of whom has a custom attribute of this JSON."""

    def read(value: bytes) -> Run:
        customers = generate_customers(20, seed=1)
        customers[7]["attributes"] = {"custom": {"odd": "HERE"}}
        body = render({"entries": customers, "has_more": False})
        with Sandbox() as sandbox:
            sandbox.script(lambda _: faults.body(body.replace(b'"HERE"', value)))
            return tap_on(sandbox).run(max_retries=1)

    return read


@pytest.mark.parametrize(
    "sent",
    [
        b"[0.1,1.10,-0.0,100.0,12345678901234567890,1E+30,1E-400]",
        b"0.%b" % (b"9" * 4000),
        b"9" * 4300,
        b'"\\u0001\\"\\\\u0000 \\\\ud83d"',
        '"\U0001f48e\ufffd\uffff\u2028"'.encode(),
        b"[" * 900 + b"]" * 900,
    ],
)
def test_a_value_comes_through_exactly(
    run: Callable[[bytes], Run], tmp_path: Path, sent: bytes
) -> None:
    ended = run(sent)
    assert ended.code == 0, ended.log
    assert len(ended.records) == 20
    assert not ended.warnings
    output = (tmp_path / OUTPUT).read_bytes()
    found = re.search(rb'"odd":(.*?)\}', output)
    assert found
    assert found[1] == sent


@pytest.mark.parametrize(
    ("sent", "mended"),
    [
        (rb'"a\u0000b"', "a\ufffdb"),
        (rb'"a\ud800b"', "a\ufffdb"),
        (b'"a\xffb"', "a\ufffdb"),
        (rb'{"a\udC8e": ["\ud83d\ud83d\udc8e"]}', {"a\ufffd": ["\ufffd\U0001f48e"]}),
    ],
)
def test_text_that_cannot_be_stored_is_mended_with_a_warning(
    run: Callable[[bytes], Run], sent: bytes, mended: object
) -> None:
    ended = run(sent)
    assert ended.code == 0, ended.log
    assert len(ended.records) == 20
    assert ended.records[7]["attributes"]["custom"]["odd"] == mended
    (warning,) = ended.warnings
    assert "GET /v1/customers, page 1: text that cannot be stored" in warning


@pytest.mark.parametrize(
    "sent",
    [
        b"9" * 4301,
        b"-" + b"9" * 10_000,
        b"1e9999999999999999999",
        # Python 3.11 takes 990 levels, 3.13 10,000, and 3.14 what its stack holds.
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_no_target_takes_ends_the_run_and_names_the_page(
    run: Callable[[bytes], Run], sent: bytes
) -> None:
    ended = run(sent)
    assert ended.code == 1
    assert not ended.records
    assert not ended.warnings  # It is not tried again.
    (line,) = ended.errors
    assert "GET /v1/customers, page 1: " in line
    assert ended.log.rstrip().endswith(line)
    assert "Traceback" not in ended.log


@pytest.mark.parametrize("sent", [b"NaN", b"1/**/", b"'a'", b"01", b'"a', b'"a\x00b"'])
def test_what_is_no_json_is_tried_again_and_names_the_page(
    run: Callable[[bytes], Run], sent: bytes
) -> None:
    ended = run(sent)
    assert ended.code == 1
    assert not ended.records
    assert len(ended.warnings) == 1
    (line,) = ended.errors
    assert "GET /v1/customers, page 1: the body is not JSON" in line
    assert line.endswith("Given up after try 2")
