from __future__ import annotations

import socket
import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox, faults
from tap_chartmogul_customers.api.retries import FIRST_WAIT

if TYPE_CHECKING:
    from sandbox.faults import Fault
    from tests.running import Tap


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, *range(520, 525)])
def test_tries_again_after_a_status_that_may_pass(
    tap: Tap, sandbox: Sandbox, code: int
) -> None:
    sandbox.script({2: faults.status(code)})
    run = tap.run(per_page=20)
    assert run.code == 0
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert [request.status for request in sandbox.requests] == [200, code, 200, 200]
    assert len(run.warnings) == 1
    assert f"page 2: {code}" in run.warnings[0]
    assert "with 1 retries" in run.log


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset(),
        faults.hang(20),
        faults.cut_body(100),
        faults.cut_chunked(100),
        faults.stall(100),
        faults.cut_gzip(),
        faults.broken_json(),
        faults.html(),
        faults.body(b""),
        faults.body(b'{"entries": [{"mrr": NaN}], "has_more": false}'),
        faults.body(b"[" * 100_000),
    ],
)
def test_tries_again_after_an_answer_that_is_none(
    tap: Tap, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.script({2: fault})
    run = tap.run(per_page=20, request_timeout=0.7)
    assert run.code == 0
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert len(sandbox.requests) == 4
    assert len(run.warnings) == 1


@pytest.mark.parametrize(
    "code", [400, 402, 405, 409, 410, 418, 422, 451, 501, 505, 519, 525]
)
def test_does_not_try_again_after_a_refusal(
    tap: Tap, sandbox: Sandbox, code: int
) -> None:
    sandbox.script({2: faults.status(code, message="This is the reason.")})
    run = tap.run(per_page=20)
    assert run.code == 1
    assert len(run.errors) == 1
    assert f"GET /v1/customers, page 2: {code}" in run.errors[0]
    assert run.errors[0].endswith("This is the reason")
    assert "Traceback" not in run.log
    assert len(sandbox.requests) == 2
    assert run.resume is not None


@pytest.mark.parametrize(
    ("code", "setting"), [(401, "api_key"), (403, "api_key"), (404, "api_url")]
)
def test_says_which_setting_to_check(
    tap: Tap, sandbox: Sandbox, code: int, setting: str
) -> None:
    sandbox.script({1: faults.status(code, message="No valid API key provided")})
    run = tap.run()
    assert run.code == 1
    assert f"{code} " in run.errors[-1]
    assert "No valid API key provided" in run.errors[-1]
    assert f"`{setting}`" in run.errors[-1]
    assert sandbox.api_key not in run.log
    assert run.log.rstrip().splitlines()[-1] == run.errors[-1]


def test_gives_up_after_as_many_retries_as_it_may_make(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script(lambda _: faults.status(503))
    run = tap.run(max_retries=3)
    assert run.code == 1
    assert len(sandbox.requests) == 4
    assert "503 Service Unavailable" in run.errors[-1]
    assert "after 4 tries" in run.errors[-1]


def test_says_which_try_comes_next(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script(lambda _: faults.status(503))
    run = tap.run(max_retries=3)
    nexts = [warning.split(". Try ")[1] for warning in run.warnings]
    assert nexts == ["2 of 4 in 0.0 s", "3 of 4 in 0.0 s", "4 of 4 in 0.0 s"]


def test_says_that_nobody_listens(tap: Tap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    run = tap.run(api_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
    assert run.code == 1
    assert f"request to 127.0.0.1:{port} failed: Connection refused" in run.errors[-1]
    assert "external_id" not in run.log


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_waits_as_long_as_retry_after_asks(
    tap: Tap, sandbox: Sandbox, form: str
) -> None:
    def fault(number: int) -> Fault | None:
        if number != 1:
            return None
        # A date has whole seconds: two ahead are over one second away.
        wait = 2 if form == "seconds" else formatdate(time.time() + 3, usegmt=True)
        return faults.status(429, retry_after=wait)

    sandbox.script(lambda request: fault(request.number))
    run = tap.run()
    assert run.code == 0
    first, second = (request.time for request in sandbox.requests)
    assert second - first >= 2


def test_waits_longer_and_longer_without_retry_after(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script({1: faults.status(500), 2: faults.status(500)})
    run = replace(tap, first_wait=FIRST_WAIT).run()
    assert run.code == 0
    first, second, third = (request.time for request in sandbox.requests)
    assert second - first >= 1
    assert third - second >= 2


def test_says_that_there_is_no_way_to_connect(tap: Tap) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.settimeout(0)
            client.connect_ex(address)
        time.sleep(0.1)
        run = tap.run(
            api_url=f"http://127.0.0.1:{address[1]}/v1",
            max_retries=0,
            request_timeout=0.5,
        )
        for client in waiting:
            client.close()
    assert run.code == 1
    assert "no connection within `request_timeout`" in run.errors[-1]


def test_no_customers_data_is_in_the_log(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.script({2: faults.broken_json(), 3: faults.status(422)})
    run = tap.run(per_page=20)
    for customer in sandbox.customers:
        for field in ("uuid", "email", "name", "external_id"):
            assert not customer.get(field) or customer[field] not in run.log
