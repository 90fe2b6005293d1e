"""Which proxy is used, and what a user reads about one that does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.servers import check, failed_at_once, nobody, proxy

if TYPE_CHECKING:
    from tests.running import Tap

pytestmark = pytest.mark.usefixtures("direct")

ELSEWHERE = "https://example.com/v1"


@pytest.mark.parametrize("user", ["http://user:p%40ss@", ""])
def test_a_proxy_is_used_and_never_sees_the_key(
    tap: Tap, trusted: str, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    seen: list[bytes] = []
    with proxy(seen) as address:
        monkeypatch.setenv("HTTPS_PROXY", user + address)
        check(tap, api_url=trusted)
    (asked,) = seen
    assert asked.startswith(f"CONNECT {urlsplit(trusted).netloc} HTTP/".encode())
    assert b"\r\nAuthorization" not in asked
    own = b"\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"
    assert (own in asked) == bool(user)


def test_no_proxy_is_used_where_none_is_wanted(
    tap: Tap, trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{nobody()}")
    monkeypatch.setenv("NO_PROXY", "localhost")
    check(tap, api_url=trusted)


def test_a_key_in_the_clear_goes_to_no_proxy(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{nobody()}")
    check(tap)


def test_a_proxy_that_refuses_is_not_tried_again(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
    with proxy([], answer) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{address}")
        said = failed_at_once(tap, ELSEWHERE)
    assert said.startswith(
        f"request to example.com:443 through the proxy {address} failed: the proxy "
        "refused it (407): ask whoever runs the proxy. User and password go in"
    )
    assert "hunter2" not in said


def test_a_proxy_that_is_busy_is_tried_again(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy([], b"HTTP/1.1 503 Busy\r\n\r\n") as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        run = tap.run(api_url=ELSEWHERE, max_retries=1)
    assert run.code == 1
    (line,) = run.errors
    assert f"through the proxy {address} failed: the proxy answered 503. Given" in line
    assert len(run.warnings) == 1


@pytest.mark.parametrize(
    "address",
    [
        "socks5://user:hunter2@127.0.0.1:1080",
        "http://user:hunter2@:3128",
    ],
)
def test_a_proxy_that_cannot_be_meant_is_not_tried_again(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.setenv("TAP_CHARTMOGUL_CUSTOMERS_LOGLEVEL", "DEBUG")
    run = tap.run(api_url=ELSEWHERE)
    assert run.code == 1
    line = run.errors[-1]
    assert "page 1: HTTPS_PROXY or ALL_PROXY is not an address that can be used" in line
    assert "Where it happened" in run.log  # Whoever looks for a fault sees no more.
    assert "hunter2" not in run.log
