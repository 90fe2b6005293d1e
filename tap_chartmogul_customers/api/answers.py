"""What an answer that is no page says, in words for the user."""

from __future__ import annotations

import re
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

if TYPE_CHECKING:
    import requests

_TRIED_AGAIN = frozenset({402, 408, 425, 429})
"""With every 5xx. ChartMogul documents 402 as a valid request that failed."""

ACCOUNT_WIDE = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers about all requests of the account, not only about this one."""

_MOST_SHOWN = 300
"""Characters of a text from outside that are shown, at most."""

_KEY = "check `api_key`: copy an active key from ChartMogul, Profile, API keys"
_HELP: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _KEY,
    HTTPStatus.FORBIDDEN: (
        "check `api_key`, which needs read access, and in ChartMogul that the trial of "
        "the account has not ended"
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "run fewer programs at once that read this account, or run it later"
    ),
}
_NOT_CHARTMOGUL = (
    "the answer is not JSON, so not ChartMogul's: something between here and there "
    "answered, such as a proxy or a firewall. Check `api_url` and HTTPS_PROXY"
)


def tried_again(status: int) -> bool:
    """Return whether a request with this answer may succeed when it is tried again."""
    return status in _TRIED_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def said(body: bytes) -> str:
    """Return ChartMogul's own words in a body that is no page; empty if there are none.

    Recorded answers have them in `message`, `error` or `errors`, which is text, a list
    or an object, and name a parameter in `param`.

    >>> said(b'{"code": 422, "message": "is not valid", "param": "system"}')
    'is not valid (param: system)'
    """
    answer = _json(body)
    if not isinstance(answer, dict):
        return ""
    words = [_words(answer.get(name)) for name in ("message", "error", "errors")]
    text = "; ".join(filter(None, words))
    param = _words(answer.get("param"))
    return f"{text} (param: {param})".strip() if param else text


def described(response: requests.Response, api_key: str) -> str:
    """Say what came instead of a page, and what to do.

    Args:
        response: The answer, its body read.
        api_key: The key, which is not shown.

    Returns:
        The status, ChartMogul's own words, and help where there is some.
    """
    status, body = response.status_code, response.content
    reason, words = (
        shown(text, api_key) for text in (response.reason or "", said(body))
    )
    parts = [f"{status} {reason}".strip()]
    if words and words.casefold() != reason.casefold():
        parts.append(words)
    if response.is_redirect:
        parts.append(f"Redirects are not followed{_target(response)}: check `api_url`")
    elif body.strip() and _json(body) is None:
        parts.append(_NOT_CHARTMOGUL)
    if status in _HELP:
        parts.append(_HELP[status])
    elif status == HTTPStatus.NOT_FOUND and not words:
        parts.append("check `api_url`, such as https://api.chartmogul.com/v1")
    return ". ".join(part[:1].upper() + part[1:].rstrip(". ") for part in parts)


def shown(text: str, api_key: str) -> str:
    """Return a text from outside on one line, not too long, and without the key.

    >>> shown("Basic YS1rZXk6 for a-key", "a-key")
    'Basic *** for ***'
    """
    header = b64encode(f"{api_key}:".encode()).decode()
    forms = (api_key, quote(api_key, safe=""), quote(api_key), header, quote(header))
    # Before anything is cut off, so that no part of the key is left.
    pattern = "|".join(re.escape(form) for form in forms)
    text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _json(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(map(_words, value))
    return "" if value is None else str(value).strip()


def _target(response: requests.Response) -> str:
    try:
        host = urlsplit(response.headers["location"]).hostname
    except ValueError:
        return ""
    return f" (to {host})" if host else ""
