"""An HTTP session whose time-out bounds a whole try of a request."""

from __future__ import annotations

import io
import sys
import time
from contextlib import closing
from typing import Any

import requests
import urllib3

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

_CHUNK = 65536


class DeadlineSession(requests.Session):
    """A session that reads bodies to the end before the time-out, or gives up.

    `requests` starts its time-out anew at every byte that arrives, so that an answer
    which drips would be waited for without end.
    """

    @override
    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        """Send a request and read the whole answer.

        Args:
            request: The request.
            **kwargs: As for `requests.Session.send`; `timeout` in seconds.

        Returns:
            The answer, its body read and decompressed.

        Raises:
            requests.Timeout: The answer did not end within the time-out.
            requests.ConnectionError: There was no connection, or it was cut.
        """
        timeout: float = kwargs["timeout"]
        deadline = time.monotonic() + timeout
        response = super().send(request, **{**kwargs, "stream": True})
        body = io.BytesIO()
        try:
            with closing(response.raw) as raw:
                while chunk := raw.read1(_CHUNK, decode_content=True):
                    body.write(chunk)
                    if time.monotonic() > deadline:
                        msg = f"the answer took longer than {timeout:g} s"
                        raise requests.ReadTimeout(msg, request=request)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error, request=request) from error
        body.seek(0)
        response.raw = body
        return response
