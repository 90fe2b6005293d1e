"""The errors that end a run, and how each is put in one line for the user."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from singer_sdk.exceptions import FatalAPIError

from tap_chartmogul_customers.api.masking import shown

if TYPE_CHECKING:
    import requests

_HELP: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Check `api_key`: copy an active key from ChartMogul, Profile, API keys"
    ),
    HTTPStatus.FORBIDDEN: (
        "`api_key` is known, but may not read customers: give it read access in "
        "ChartMogul, or use another key"
    ),
    HTTPStatus.NOT_FOUND: "Check `api_url`, such as https://api.chartmogul.com/v1",
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


class UnreachableError(FatalAPIError):
    """ChartMogul cannot be reached in the way that is configured."""


class PagingError(FatalAPIError):
    """An answer that does not say where the next page is, or contradicts itself."""


def answer(response: requests.Response, api_key: str) -> str:
    """Say what ChartMogul answered and what to do.

    Args:
        response: An answer that is no page.
        api_key: The key, which is not shown.

    Returns:
        The status, ChartMogul's own message, and for 401, 403 and 404 what to do.
    """
    status = response.status_code
    parts = [f"{status} {response.reason or ''}"]
    if response.is_redirect:
        parts.append(f"Redirects are not followed{_target(response)}")
    elif message := _api_message(response.content):
        parts.append(message)
    parts = [shown(part, api_key).rstrip(". ") for part in parts]
    if status in _HELP:
        parts.append(_HELP[status])
    return ". ".join(filter(None, parts))


def _target(response: requests.Response) -> str:
    try:
        host = urlsplit(response.headers["location"]).hostname
    except ValueError:
        return ""
    return f" (to {host})" if host else ""


def _api_message(body: bytes) -> str | None:
    """Return ChartMogul's `message` in the body of an error, if there is one."""
    try:
        # Whoever stands before ChartMogul may answer in another encoding.
        message = msgspec.json.decode(body.decode(errors="replace"))["message"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    return message if isinstance(message, str) else None
