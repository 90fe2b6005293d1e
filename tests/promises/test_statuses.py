"""Which answers are tried again, which end the run, and what the user reads then."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults
from tests.servers import failed_at_once

if TYPE_CHECKING:
    from tests.running import Tap

MAY_PASS = [402, 408, 425, 429, 500, 503, 504, 520, 524, 599]

RATE_LIMIT = "Your request rate has exceeded our rate limit."

BETWEEN = (
    "The body is not JSON: something between here and ChartMogul answered, such as a "
    "proxy or a firewall. Check `api_url` and HTTPS_PROXY"
)
CHECK_KEY = "Check `api_key`: copy an active key from ChartMogul, Profile, API keys"
CHECK_TRIAL = (
    "Check that `api_key` has read access, and that the account's trial has not ended"
)
CHECK_URL = "Check `api_url`, such as https://api.chartmogul.com/v1"


def test_tries_again_after_every_status_that_may_pass(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script({number: faults.status(c) for number, c in enumerate(MAY_PASS, 2)})
    run = tap.run(per_page=20, max_retries=len(MAY_PASS))
    assert run.code == 0, run.log
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert [each.status for each in sandbox.requests] == [200, *MAY_PASS, 200, 200]
    for code, warning in zip(MAY_PASS, run.warnings, strict=True):
        assert f"GET /v1/customers, page 2: {code}" in warning
    assert f"with {len(MAY_PASS)} retries" in run.log


def refused(tap: Tap, status: str, body: object = b"") -> str:
    """Return what is said of an answer that ends the run."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = f"HTTP/1.1 {status}\r\n\r\n".encode("latin-1") + content
    tap.sandbox.script({1: faults.raw(answer)})
    said = failed_at_once(tap, tap.sandbox.url)
    assert len(tap.sandbox.requests) == 1
    return said


@pytest.mark.parametrize("status", ["201 Well", "304 Well", "451 Well"])
def test_no_other_status_is_taken_for_a_page(tap: Tap, status: str) -> None:
    assert refused(tap, status, {"entries": [], "has_more": False}) == status


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("400 Bad Request", {"message": "Wrong.", "error": "Wrong."}, "Wrong"),
        ("400 Bad Request", {"message": "Bad request.", "errors": None}, ""),
        ("400 Th\xe9i\xe8re", b'{"message": "Cl\xe9 invalide"}', "Cl\ufffd invalide"),
        ("400 Odd", {"message": "a\n\n b\x1b[31mc\u202ed"}, "a b [31mc d"),
        ("400 Odd", b"[1]", ""),
        ("401 Unauthorized", {"message": "No key"}, f"No key. {CHECK_KEY}"),
        ("403 Forbidden", {"message": "Over"}, f"Over. {CHECK_TRIAL}"),
        ("404 Not Found", {"error": "Data source not found"}, "Data source not found"),
        ("404 Not Found", {"message": "Not Found."}, CHECK_URL),
        ("422 Odd", {"errors": {"a": ["b", {"c": "d"}]}}, "a: b; c: d"),
        ("422 Odd", {"errors": ["One.", None, "Two."]}, "One.; Two"),
        (
            "422 Odd",
            {"code": 422, "message": "is not valid", "param": "data_source_uuid"},
            "is not valid (param: data_source_uuid)",
        ),
        # A web page blames no key, but what stands between.
        ("401 Odd", b"<!DOCTYPE html><title>Blocked</title>", BETWEEN),
        ("404 Odd", b"[" * 100_000, BETWEEN),
    ],
)
def test_chartmoguls_own_words_are_shown_and_what_to_do(
    tap: Tap, status: str, body: object, said: str
) -> None:
    assert refused(tap, status, body) == ". ".join(filter(None, (status, said)))


@pytest.mark.parametrize(
    "header", ["Content-Length: 1000000", "Content-Encoding: gzip"]
)
def test_the_status_of_an_error_counts_whatever_becomes_of_its_body(
    tap: Tap, header: str
) -> None:
    said = refused(tap, f"401 Unauthorized\r\n{header}", b"{}")
    assert said == f"401 Unauthorized. {CHECK_KEY}"


def test_does_not_follow_a_redirect(tap: Tap, sandbox: Sandbox) -> None:
    with Sandbox() as elsewhere:
        sandbox.script({1: faults.redirect(f"{elsewhere.url}/customers")})
        said = failed_at_once(tap, sandbox.url)
        assert said == (
            f"302 Found. Redirects are not followed (to {elsewhere.url}/customers): "
            "check `api_url`"
        )
        assert not elsewhere.requests


def test_an_error_with_status_200_is_tried_again_and_then_says_its_words(
    tap: Tap, sandbox: Sandbox
) -> None:
    body = {"errors": [RATE_LIMIT], "entries": []}
    error = faults.body(json.dumps(body).encode())
    sandbox.script({2: error, 4: error, 5: error})
    run = tap.run(per_page=20, max_retries=1)
    assert run.code == 1
    assert len(run.records) == 40
    words = f": 200, but with an error in it: {RATE_LIMIT[:-1]}. "
    first, second = run.warnings
    assert f"page 2{words}Try 2 of 2 in " in first
    assert f"page 3{words}Try 2 of 2 in " in second
    assert run.errors[0].endswith(f"page 3{words}Given up after try 2")


def test_waits_longer_each_time_and_as_long_as_retry_after_asks(
    tap: Tap, sandbox: Sandbox
) -> None:
    after = {1: None, 2: None, 3: 1}
    sandbox.script({n: faults.status(503, retry_after=a) for n, a in after.items()})
    run = replace(tap, first_wait=0.1).run()
    assert run.code == 0
    times = [request.time for request in sandbox.requests]
    waits = [after - before for before, after in pairwise(times)]
    for wait, least in zip(waits, [0.1, 0.2, 1], strict=True):
        assert wait >= least


def test_no_customers_data_is_in_the_log(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({2: faults.broken_json(), 3: faults.cut_body(500)})
    run = tap.run(per_page=20)
    assert run.code == 0
    for customer in sandbox.customers:
        for field in ("uuid", "email", "name", "external_id"):
            assert not customer.get(field) or customer[field] not in run.log
