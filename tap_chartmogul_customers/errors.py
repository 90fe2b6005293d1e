"""The errors that end a run, and how each is put in one line for the user."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

_KEY_HELP: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Check `api_key`: copy an active key from ChartMogul, Profile, API keys"
    ),
    HTTPStatus.FORBIDDEN: (
        "`api_key` is known, but may not read customers: give it read access in "
        "ChartMogul, or use another key"
    ),
}


class RequestRefusedError(FatalAPIError):
    """ChartMogul refused a request, and would again.

    Args:
        message: One line for the user.
        status: The HTTP status of the answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class CursorRefusedError(RequestRefusedError):
    """ChartMogul does not take the cursor at which the read was to start."""


class NoAnswerError(FatalAPIError):
    """Every try of a request failed in a way that might have passed."""


class PagingError(FatalAPIError):
    """An answer that does not say, or contradicts, where the read goes on."""


def answer(response: requests.Response) -> str:
    """Say what ChartMogul answered and what to do.

    Args:
        response: An answer that is no page.

    Returns:
        The status, ChartMogul's own message, and for 401 and 403 what to do.
    """
    status = response.status_code
    parts = [f"{status} {response.reason or ''}".strip()]
    if response.is_redirect:
        target = urlsplit(response.headers["location"])
        parts.append(f"redirects are not followed (to {target.hostname})")
    elif message := _api_message(response.content):
        parts.append(message)
    if status in _KEY_HELP:
        parts.append(_KEY_HELP[status])
    return ". ".join(part.rstrip(".") for part in parts)


def _api_message(body: bytes) -> str | None:
    """Return ChartMogul's `message` in the body of an error, if there is one."""
    try:
        message = msgspec.json.decode(body)["message"]
    except (msgspec.DecodeError, TypeError, KeyError):
        return None
    return " ".join(str(message).split())


def reason(error: BaseException) -> str:
    """Say in a few words why a try failed, without the address and its filters."""
    if isinstance(error, RetriableAPIError):
        return str(error)
    if isinstance(error, requests.ConnectTimeout):
        return "no connection within `request_timeout`"
    if isinstance(error, requests.Timeout):
        return "no whole answer within `request_timeout`"
    return f"no connection, or it was cut ({_root(error)})"


def _root(error: BaseException) -> str:
    """Name the system's own error at the root of one of `requests`."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return getattr(error, "strerror", None) or type(error).__name__
