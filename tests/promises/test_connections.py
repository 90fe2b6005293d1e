"""What a user reads of a connection that fails, and when it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import faults
from tests.servers import check, nobody

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox
    from tests.running import Tap

pytestmark = pytest.mark.usefixtures("direct")

CHECK = "check `api_url`, the network and HTTPS_PROXY"


def test_a_connection_that_is_refused_is_tried_again_and_named(tap: Tap) -> None:
    port = nobody()
    run = tap.run(api_url=f"https://localhost:{port}/v1", max_retries=2)
    assert run.code == 1
    why = (
        f"GET /v1/customers, page 1: request to localhost:{port} failed: Connection "
        f"refused: {CHECK}. "
    )
    assert [line.partition(why)[2] for line in run.warnings] == [
        "Try 2 of 3 in 0.0 s",
        "Try 3 of 3 in 0.0 s",
    ]
    (line,) = run.errors
    assert line.endswith(f"{why}Given up after try 3")
    assert run.log.rstrip().endswith(line)
    assert "Traceback" not in run.log


@pytest.mark.parametrize("host", [".com", "a%zz"])
def test_an_address_that_no_host_can_have_is_not_tried_again(
    tap: Tap, host: str
) -> None:
    run = tap.run(api_url=f"https://{host}/v1")
    assert run.code == 1
    assert not run.warnings
    (line,) = run.errors
    assert line.endswith("`api_url` is not a valid address")


def test_a_service_without_tls_is_tried_again(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(api_url=sandbox.url.replace("http:", "https:"), max_retries=1)
    assert run.code == 1
    assert len(run.warnings) == 1
    assert "failed: the TLS handshake failed (" in run.errors[-1]


def test_a_connection_that_breaks_is_tried_again(tap: Tap, sandbox: Sandbox) -> None:
    breaks = [
        faults.reset(),
        faults.cut_body(100),
        faults.cut_chunked(100),
        faults.cut_gzip(),
        faults.broken_json(),
        faults.html(),
        faults.body(b""),
        faults.stall(100),
    ]
    sandbox.script(dict(enumerate(breaks, 2)))
    run = tap.run(per_page=20, request_timeout=2)
    assert run.code == 0, run.log
    assert run.uuids == [customer["uuid"] for customer in sandbox.customers]
    assert len(run.warnings) == len(breaks)
    assert all("GET /v1/customers, page 2: " in warning for warning in run.warnings)


def test_a_connection_that_is_closed_after_each_answer_costs_no_try(
    tap: Tap, sandbox: Sandbox
) -> None:
    sandbox.script(lambda _: faults.unannounced_close())
    check(tap)


def test_a_netrc_does_not_replace_the_key(
    tap: Tap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    check(tap)
