"""An HTTP session whose time-out bounds a whole try of a request."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from http import HTTPStatus
from typing import Any

import requests
import urllib3

from tap_chartmogul_customers.api.connections import DeadlineAdapter, deadline
from tap_chartmogul_customers.api.failures import TooLargeError, failure

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

_CHUNK = 65536

MAX_BODY = 2**28
"""Bytes of a page at the most. One of 200 usual customers has 2**18."""

MAX_ERROR_BODY = 2**16
"""Bytes that are read of the body of an error."""


class DeadlineSession(requests.Session):
    """A session that has the whole of an answer before the time-out, or gives up.

    Certificates and proxies are those of the environment, as in `requests.get`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stream = True  # The body is read here.
        self.mount("https://", DeadlineAdapter())
        self.mount("http://", DeadlineAdapter())

    @override
    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        """Send a request and read the whole answer.

        Args:
            request: The request.
            **kwargs: As for `requests.Session.send`; `timeout` in seconds.

        Returns:
            The answer, its body read and decompressed. The body of an error may be
            shorter than it was sent.

        Raises:
            RetriableAPIError: There was no whole answer within the time-out.
            UnreachableError: There was none, and another try would fail as well.
        """
        url = str(request.url)
        settings = self.merge_environment_settings(url, {}, None, None, None)
        if url.startswith("http:"):
            # In the clear the key goes to this machine alone, not to a proxy.
            settings["proxies"] = {}
        try:
            with deadline(kwargs["timeout"]):
                response = super().send(request, **settings, **kwargs)
                response.raw = _body(response.raw, response.status_code)
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
            # The error may hold what was received, perhaps the key: no traceback of it.
            raise failure(error, url, settings) from None
        return response

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow no redirect, nor read where it leads, which may be no URL."""


def _body(answer: urllib3.HTTPResponse, status: int) -> io.BytesIO:
    body = io.BytesIO()
    with closing(answer):
        try:
            while chunk := answer.read1(_CHUNK, decode_content=True):
                body.write(chunk)
                if status != HTTPStatus.OK and body.tell() > MAX_ERROR_BODY:
                    break
                if body.tell() > MAX_BODY:
                    raise TooLargeError
        except urllib3.exceptions.HTTPError:
            # The status of an error counts, whatever becomes of its body.
            if status == HTTPStatus.OK:
                raise
    body.seek(0)
    return body
