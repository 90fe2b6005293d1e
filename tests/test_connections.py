"""What a user reads of a connection that fails, and when it is tried again."""

from __future__ import annotations

import socket
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_chartmogul_customers.api.connections import DeadlineAdapter
from tap_chartmogul_customers.api.failures import failure
from tap_chartmogul_customers.api.session import DeadlineSession
from tap_chartmogul_customers.errors import UnreachableError
from tests.servers import check, served

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox
    from tests.running import Tap

pytestmark = pytest.mark.usefixtures("direct")


def test_an_address_that_no_host_can_have_is_not_tried_again() -> None:
    # The settings refuse it before; this is for what only the look-up finds out.
    with DeadlineSession() as session:
        request = requests.Request("GET", f"https://{'a' * 70}.com/v1/customers")
        with pytest.raises(UnreachableError, match="`api_url` is not a valid address"):
            session.send(session.prepare_request(request), timeout=60)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_refused_is_tried_again_and_named(
    tap: Tap, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    run = tap.run(api_url=f"{scheme}://localhost:{port}/v1", max_retries=2)
    assert run.code == 1
    assert len(run.warnings) == 2
    assert (
        f"page 1: request to localhost:{port} failed: Connection refused: check "
        "`api_url`, the network and HTTPS_PROXY, after 3 tries"
    ) in run.errors[-1]


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://localhost/v1", "localhost:80"),
        ("https://localhost/v1", "localhost:443"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
    ],
)
def test_a_port_is_named_whether_the_address_has_one_or_not(
    url: str, where: str
) -> None:
    error = failure(ConnectionError(), url, {"proxies": {}, "verify": True})
    assert f"request to {where} failed" in str(error)


def test_a_host_that_is_not_found_is_tried_again_and_named(tap: Tap) -> None:
    run = tap.run(api_url="https://chartmogul.invalid/v1", max_retries=1)
    assert run.code == 1
    assert len(run.warnings) == 1
    assert "request to chartmogul.invalid:443 failed: " in run.errors[-1]
    assert ": check `api_url`, the network and HTTPS_PROXY" in run.errors[-1]


def test_a_service_without_tls_is_tried_again(tap: Tap, sandbox: Sandbox) -> None:
    run = tap.run(api_url=sandbox.url.replace("http:", "https:"), max_retries=1)
    assert run.code == 1
    assert len(run.warnings) == 1
    assert "failed: the TLS handshake failed (" in run.errors[-1]


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_a_netrc_does_not_replace_the_key(
    tap: Tap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    entry: str,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"{entry} login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    check(tap)


class Keeping(DeadlineAdapter):
    """Keeps the answers, which Python would close as it forgets them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(*args, **kwargs)
        self.answers.append(response.raw)
        return response


def test_closes_the_connection_of_an_answer_that_it_does_not_read_to_its_end() -> None:
    ends: Queue[bytes] = Queue()

    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 500 Error\r\nContent-Length: 1000000\r\n\r\n")
        client.sendall(b"x" * 100_000)
        try:
            ends.put(client.recv(1))
        except ConnectionResetError:  # how it is told that it was not read to its end
            ends.put(b"")

    with served(talk) as port, DeadlineSession() as session:
        session.mount("http://", Keeping())
        request = requests.Request("GET", f"http://127.0.0.1:{port}")
        answer = session.send(session.prepare_request(request), timeout=60)
        assert answer.status_code == 500
        assert ends.get(timeout=20) == b""
