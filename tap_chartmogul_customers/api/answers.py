"""What an answer that is no page says, in words for the user."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import requests

_TRIED_AGAIN = frozenset({402, 408, 425, 429})
"""With every 5xx. ChartMogul documents 402 as a valid request that failed."""

ACCOUNT_WIDE = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers about all requests of the account, not only about this one."""

_MOST_SHOWN = 300
"""Characters of a text from outside that are shown, at most."""

BETWEEN = (
    "something between here and ChartMogul answered, such as a proxy or a firewall"
)

_HELP: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Check `api_key`: copy an active key from ChartMogul, Profile, API keys"
    ),
    HTTPStatus.FORBIDDEN: (
        "Check that `api_key` has read access, and that the account's trial has not "
        "ended"
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "Run fewer programs that read this account at the same time, or run it later"
    ),
}


def tried_again(status: int) -> bool:
    """Return whether a request with this answer may succeed when it is tried again."""
    return status in _TRIED_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def said(body: bytes, api_key: str) -> str:
    """Return ChartMogul's own words in a body that is no page; empty if there are none.

    Recorded answers have them in `message`, `error` or `errors`, which is text, a list
    or an object, and name a parameter in `param`.

    >>> said(b'{"code": 422, "message": "is not valid", "param": "system"}', "a-key")
    'is not valid (param: system)'
    """
    answer = _json(body)
    if not isinstance(answer, dict):
        return ""
    names = ("message", "error", "errors", "param")
    try:
        *words, param = (_words(answer.get(name)) for name in names)
    except RecursionError:
        return ""
    text = "; ".join(filter(None, dict.fromkeys(words)))  # No text twice.
    return shown(f"{text} (param: {param})" if param else text, api_key)


def described(response: requests.Response, body: bytes, api_key: str) -> str:
    """Say what came instead of a page, in ChartMogul's own words, and what to do."""
    status = response.status_code
    reason, words = shown(response.reason or "", api_key), said(body, api_key)
    if words.casefold() == reason.casefold():
        words = ""
    advice = _HELP.get(status, "")
    if response.is_redirect:
        location = shown(response.headers["location"], api_key)
        advice = f"Redirects are not followed (to {location}): check `api_url`"
    elif body.strip() not in {b"", b"null"} and _json(body) is None:
        advice = f"The body is not JSON: {BETWEEN}. Check `api_url` and HTTPS_PROXY"
    elif status == HTTPStatus.NOT_FOUND and not words:
        advice = "Check `api_url`, such as https://api.chartmogul.com/v1"
    return ". ".join(filter(None, (f"{status} {reason}".strip(), words, advice)))


def shown(text: str, api_key: str) -> str:
    """Return a text from outside on one line, not too long, and without the key.

    >>> shown("Basic YS1rZXk6 for a-key.", "a-key")
    'Basic *** for ***'
    """
    header = b64encode(f"{api_key}:".encode()).decode()
    # Before anything is cut off, so that no part of the key is left.
    for secret in (api_key, header):
        forms = map(re.escape, (secret, quote(secret), quote(secret, safe="")))
        text = re.sub("|".join(forms), "***", text, flags=re.IGNORECASE)
    text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split()).strip(". ")
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _json(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Decode JSON, even with invalid text in it; None if it is something else."""
    try:
        return json.loads(body.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _words(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{key}: {_words(item)}" for key, item in value.items()]
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value)))
    return "" if value is None else str(value).strip()
