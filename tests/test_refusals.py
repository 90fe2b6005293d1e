"""An answer that is no page: what is shown of it, whatever is in it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox import Sandbox, faults
from tap_chartmogul_customers.api.session import MAX_ERROR_BODY, DeadlineSession

if TYPE_CHECKING:
    from tests.running import Tap


def refused(tap: Tap, data: bytes) -> str:
    """Return the one line of a run that ends after its first answer."""
    tap.sandbox.script({1: faults.raw(data)})
    run = tap.run()
    assert run.code == 1
    assert "Traceback" not in run.log
    assert len(tap.sandbox.requests) == 1
    assert not run.warnings
    (line,) = run.errors
    assert run.log.rstrip().endswith(line)
    return line.partition("GET /v1/customers, page 1: ")[2]


@pytest.mark.parametrize("status", [201, 204, 206, 304, 600, 999])
def test_no_other_status_is_taken_for_a_page(tap: Tap, status: int) -> None:
    head = f"HTTP/1.1 {status} Well\r\n\r\n".encode()
    page = b'{"entries": [], "has_more": false}'
    assert refused(tap, head + page) == f"{status} Well"


@pytest.mark.parametrize(
    "location", [b"http://[", b"\xe9\xff", b"//:x", b"", b"http://h\xe9:99999"]
)
def test_a_redirect_may_lead_to_no_url(tap: Tap, location: bytes) -> None:
    data = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n\r\n"
    assert refused(tap, data).startswith("302 Found. Redirects are not followed")


def test_does_not_follow_a_redirect(tap: Tap, sandbox: Sandbox) -> None:
    with Sandbox() as elsewhere:
        sandbox.script({1: faults.redirect(f"{elsewhere.url}/customers")})
        run = tap.run()
        assert run.code == 1
        assert "302 Found. Redirects are not followed (to 127.0.0.1)" in run.errors[-1]
        assert not elsewhere.requests


def json_body(message: object) -> bytes:
    return json.dumps({"code": 1, "message": message}).encode()


ERROR_BODIES = {
    "nothing": (b"", ""),
    "a web page": (b"<!DOCTYPE html><title>Oh</title>", ""),
    "Latin-1": (b'{"message": "Cl\xe9 invalide"}', ". Cl\ufffd invalide"),
    "nested": (b"[" * 100_000, ""),
    "nested in the message": (
        b'{"message": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "",
    ),
    "an array": (b"[1]", ""),
    "a number": (b"1", ""),
    "null": (b"null", ""),
    "no message": (b'{"code": 1}', ""),
    "a message that is null": (json_body(None), ""),
    "a message that is a number": (json_body(5), ""),
    "a message that is an object": (json_body({"a": 1}), ""),
    "an empty message": (json_body(""), ""),
    "a message of dots": (json_body("..."), ""),
    "a lone surrogate": (b'{"message": "\\ud800"}', ""),
    "control characters": (
        json_body("a\n\n b\t\x1b[31mc\x00\x7f\x9b\u202ed\u2028e\ufeff."),
        ". a b [31mc d e",
    ),
    "a long message": (json_body("x" * 1000), f". {'x' * 300}\u2026"),
    "a huge message": (json_body("x" * 2**20), ""),
}


@pytest.mark.parametrize(("body", "shown"), ERROR_BODIES.values(), ids=ERROR_BODIES)
def test_no_body_of_an_error_does_harm(
    tap: Tap, sandbox: Sandbox, body: bytes, shown: str
) -> None:
    assert (
        refused(tap, b"HTTP/1.1 400 Bad Request\r\n\r\n" + body)
        == f"400 Bad Request{shown}"
    )
    sandbox.requests.clear()
    sandbox.script({2: faults.raw(b"HTTP/1.1 503 Oh\r\n\r\n" + body)})
    run = tap.run(per_page=20)
    assert run.code == 0, run.log
    assert len(run.uuids) == len(sandbox.customers)
    assert len(run.warnings) == 1
    assert f"page 2: 503 Oh{shown}. Try 2 of 11" in run.warnings[0]


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 1000000",
        b"Content-Encoding: gzip",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 2\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip",
    ],
)
def test_the_status_of_an_error_counts_whatever_its_body_is(
    tap: Tap, headers: bytes
) -> None:
    data = b"HTTP/1.1 401 Unauthorized\r\n" + headers + b"\r\n\r\n{}"
    assert refused(tap, data).startswith("401 Unauthorized. Check `api_key`")


def test_the_message_of_an_error_may_come_in_pieces(tap: Tap) -> None:
    head = b"HTTP/1.1 402 Oh\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = json_body("In arrears")
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:], b"")]
    assert refused(tap, head + b"".join(pieces)) == "402 Oh. In arrears"


def test_no_more_is_read_of_the_body_of_an_error_than_can_be_of_use(
    sandbox: Sandbox,
) -> None:
    gigabyte = gzip.compress(bytes(2**20)) * 1024
    head = b"HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\n\r\n"
    sandbox.script(lambda _: faults.raw(head + gigabyte))
    with DeadlineSession() as session:
        request = requests.Request("GET", f"{sandbox.url}/customers")
        request.auth = (sandbox.api_key, "")
        answer = session.send(session.prepare_request(request), timeout=60)
    assert answer.status_code == 500
    assert len(answer.content) <= 2 * MAX_ERROR_BODY


def test_a_reason_phrase_is_shown_in_one_short_line(tap: Tap) -> None:
    line = refused(
        tap, b"HTTP/1.1 418 Th\xe9i\xe8re\x1b[2J\x85" + b"!" * 1000 + b"\r\n\r\n"
    )
    assert line.startswith("418 Th\xe9i\xe8re [2J !!!")
    assert len(line) < 350
