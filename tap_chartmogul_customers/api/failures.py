"""Why a request brought no whole answer, in words, and whether another try may."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import select_proxy
from urllib3 import exceptions
from urllib3.util import parse_url

from tap_chartmogul_customers.api.answers import tried_again

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHECK = "check `api_url`, the network and HTTPS_PROXY"

_PORTS = {"http": 80, "https": 443}

# OpenSSL's numbers.
_OUTSIDE_ITS_DATES = {9, 10}
_FOR_ANOTHER_HOST = {62, 64}

_CAUSES: dict[type[BaseException], str] = {
    exceptions.ConnectTimeoutError: "no connection within `request_timeout`",
    TimeoutError: "no whole answer within `request_timeout`",
    exceptions.ReadTimeoutError: "no whole answer within `request_timeout`",
    http.client.RemoteDisconnected: "the connection was closed without an answer",
    ssl.SSLEOFError: "the connection was closed without an answer",
    exceptions.IncompleteRead: "the answer was cut short",
    http.client.IncompleteRead: "the answer was cut short",
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
    if problem := _invalid_address(error, proxy):
        return problem, True
    where = _host(url) + (f" through the proxy {_host(proxy)}" if proxy else "")
    lasting = _lasting(causes, environment["verify"])
    return f"{lasting or _passing(causes)} ({where})", lasting is not None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error and what it was made from, down to the first."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _host(url: str) -> str:
    parts = parse_url(url)
    return f"{parts.host}:{parts.port or _PORTS.get(parts.scheme or 'http')}"


def _invalid_address(error: Exception, proxy: str | None) -> str | None:
    if isinstance(error, requests.exceptions.InvalidSchema):
        return (
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy: install the package PySocks "
            "beside the tap, or name an HTTP proxy"
        )
    invalid = (
        requests.exceptions.InvalidURL,
        exceptions.LocationValueError,
        UnicodeError,
    )
    if not isinstance(error, invalid):
        return None
    if proxy:
        # It may hold a password, so it is not shown.
        return "HTTPS_PROXY or ALL_PROXY is not an address: write http://host:port"
    return "`api_url` is not a valid address"


def _lasting(causes: list[BaseException], certificates: object) -> str | None:
    """Say what another try would meet as well, and what to do about it."""
    root = causes[-1]
    if isinstance(root, ssl.SSLCertVerificationError):
        return _certificate(root)
    # `requests` looks for the file first, and raises the plainest of errors.
    if type(causes[0]) is OSError or (
        isinstance(root, ssl.SSLError) and root.library == "X509"
    ):
        return (
            f"cannot read the certificates in {certificates}, which REQUESTS_CA_BUNDLE "
            "or CURL_CA_BUNDLE names"
        )
    status = _status_of_proxy(root)
    if status is None or tried_again(status):
        return None
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return (
            "the proxy asks for a user and password (407): write HTTPS_PROXY as "
            "http://user:password@host:port, each part URL-encoded"
        )
    return f"the proxy refused it ({status}): ask who runs the proxy"


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    said = error.verify_message.rstrip(".")
    if error.verify_code in _FOR_ANOTHER_HOST:
        return f"the certificate is for another host ({said}): check `api_url`"
    if error.verify_code in _OUTSIDE_ITS_DATES:
        return (
            f"the certificate is not valid now ({said}): check the clock of this "
            "machine, or ask who runs that host"
        )
    return (
        f"the certificate is not trusted ({said}): if your network has a certificate "
        "authority of its own, name the file with its certificate in REQUESTS_CA_BUNDLE"
    )


def _status_of_proxy(root: BaseException) -> int | None:
    found = re.match(r"Tunnel connection failed: (\d{3}) ", str(root))
    return int(found[1]) if found else None


def _passing(causes: list[BaseException]) -> str:
    """Say what another try may not meet."""
    for kind, words in _CAUSES.items():
        if any(type(cause) is kind for cause in causes):
            return words
    root = causes[-1]
    if status := _status_of_proxy(root):
        return f"the proxy answered {status}"
    if isinstance(root, ssl.SSLError):
        return f"the TLS handshake failed ({root.reason}): {_CHECK}"
    if isinstance(root, (socket.gaierror, ConnectionRefusedError)):
        return f"{root.strerror}: {_CHECK}"
    if isinstance(root, OSError):
        return root.strerror or type(root).__name__
    return "the answer is not valid HTTP"
