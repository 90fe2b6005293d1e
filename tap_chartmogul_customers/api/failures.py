"""Says why a request failed, and whether another try would fail too."""

from __future__ import annotations

import http.client
import re
import ssl
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import select_proxy
from urllib3 import exceptions
from urllib3.connection import port_by_scheme
from urllib3.util import parse_url

from tap_chartmogul_customers.api.answers import tried_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INVALID = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    exceptions.LocationValueError,
    UnicodeError,
)

_CHECK = "check `api_url`, the network and HTTPS_PROXY"
_CLOSED = "the connection was closed without an answer"
_CUT = "the answer was cut short"
_LATE = "no whole answer within `request_timeout`"

_PASSING: dict[type[BaseException], str] = {
    exceptions.ConnectTimeoutError: f"no connection within `request_timeout`: {_CHECK}",
    TimeoutError: _LATE,
    exceptions.ReadTimeoutError: _LATE,
    http.client.RemoteDisconnected: _CLOSED,
    ssl.SSLEOFError: _CLOSED,
    ConnectionResetError: _CUT,
    exceptions.IncompleteRead: _CUT,
    http.client.IncompleteRead: _CUT,
    exceptions.DecodeError: "the body cannot be decompressed",
}


def failure(
    error: Exception, url: str, environment: Mapping[str, Any]
) -> tuple[str, bool]:
    """Say why a request failed, and show nothing of what was received.

    Args:
        error: What was raised instead of an answer.
        url: Where the request went.
        environment: The proxies and certificates that `requests` used.

    Returns:
        The words, and whether another try would fail in the same way.
    """
    causes = list(_causes(error))
    proxy = select_proxy(url, environment["proxies"])
    if isinstance(error, _INVALID):
        # It may hold a password, so it is not shown.
        return (
            "HTTPS_PROXY or ALL_PROXY is not an address that can be used: write "
            "http://host:port, or for a SOCKS proxy install the package PySocks "
            "beside the tap"
            if proxy
            else "`api_url` is not a valid address"
        ), True
    lasting = _lasting(causes, environment["verify"])
    where = _host(url) + (f" through the proxy {_host(proxy)}" if proxy else "")
    why = f"request to {where} failed: {lasting or _passing(causes)}"
    return why, lasting is not None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error and what it was made from, down to the first."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _host(url: str) -> str:
    parts = parse_url(url)
    port = parts.port or port_by_scheme.get(parts.scheme or "http")
    return f"{parts.host}:{port}" if port else f"{parts.host}"


def _lasting(causes: list[BaseException], certificates: object) -> str | None:
    """Say what would fail again in the same way, and what to do about it."""
    root = causes[-1]
    if isinstance(root, ssl.SSLCertVerificationError):
        return (
            f"the certificate is not trusted ({root.verify_message.rstrip('.')}): "
            "check `api_url` and the clock of this machine, and if your network has a "
            "certificate authority of its own, name the file with its certificate in "
            "REQUESTS_CA_BUNDLE"
        )
    # `requests` looks for the file first, and raises the plainest of errors.
    if type(causes[0]) is OSError or getattr(root, "library", None) == "X509":
        return (
            f"cannot read the certificates in {certificates}, which REQUESTS_CA_BUNDLE "
            "or CURL_CA_BUNDLE names"
        )
    status = _status_of_proxy(root)
    if status and not tried_again(status):
        return (
            f"the proxy refused it ({status}): ask whoever runs the proxy. User and "
            "password go into HTTPS_PROXY, URL-encoded: http://user:password@host:port"
        )
    return None


def _status_of_proxy(root: BaseException) -> int | None:
    found = re.match(r"Tunnel connection failed: (\d{3}) ", str(root))
    return int(found[1]) if found else None


def _passing(causes: list[BaseException]) -> str:
    """Say what failed, where another try may succeed."""
    for kind, words in _PASSING.items():
        if any(type(cause) is kind for cause in causes):
            return words
    root = causes[-1]
    if status := _status_of_proxy(root):
        return f"the proxy answered {status}"
    if isinstance(root, ssl.SSLError):
        return f"the TLS handshake failed ({root.reason}): {_CHECK}"
    if isinstance(root, OSError):
        return f"{root.strerror or type(root).__name__}: {_CHECK}"
    return f"the answer is not valid HTTP: {_CHECK}"
