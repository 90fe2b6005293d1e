"""How texts from outside are made fit to be shown: without the key, on one line."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"

MOST_SHOWN = 300
"""Characters of such a text that are shown at the most."""

_SHORTEST_PART = 6
"""Characters of Base64 that are taken for a part of the key."""


def shown(text: str, key: str) -> str:
    """Make one line of a text from outside.

    Args:
        text: The text.
        key: What must not be in it, in no encoding.

    Returns:
        The text without the key, control characters and line breaks, and not too long.
    """
    # Before anything is cut off or taken out, so that no part of the key is left.
    text = masked(text, key)
    text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split())
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def masked(text: str, key: str) -> str:
    """Mask every form of the API key in a text.

    Args:
        text: The text.
        key: The API key.

    Returns:
        The text with `***` for the key: plain, in Base64, alone or within something
        longer, in hexadecimal digits, or with any of its characters escaped for a URL,
        JSON, HTML or a Python literal.

    >>> masked("Key a-key in Authorization: Basic YS1rZXk6", "a-key")
    'Key *** in Authorization: Basic ***'
    """
    return _pattern(key).sub(MASK, text)


@cache
def _pattern(key: str) -> re.Pattern[str]:
    forms = ["".join(map(_escaped, key)), *_base64_forms(key.encode())]
    digits = key.encode().hex()
    if len(digits) >= _SHORTEST_PART:
        forms.append(digits)
    return re.compile("|".join(forms), re.IGNORECASE)


def _escaped(char: str) -> str:
    """Return a pattern of all that may stand for a character."""
    octets = char.encode()
    units = char.encode("utf-16-be").hex()
    forms = (
        rf"\\?{re.escape(char)}",
        "".join(f"%{octet:02x}" for octet in octets),
        "".join(rf"\\x{octet:02x}" for octet in octets),
        "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)),
        rf"&\#0*{ord(char)};",
        rf"&\#x0*{ord(char):x};",
        re.escape(html.escape(char)),
        *([r"\+"] if char == " " else []),
    )
    return f"(?:{'|'.join(forms)})"


def _base64_forms(key: bytes) -> Iterator[str]:
    """Iterate over patterns of what Base64 makes of a key, alone or within a text."""
    for alone in (key + b":", key):
        yield _base64(b64encode(alone).decode().rstrip("="))
    for before in range(3):
        # Base64 looks at three bytes at a time. Of the characters that they become,
        # those are known that hold no bit of what surrounds the key.
        encoded = b64encode(bytes(before) + key).decode()
        part = encoded[-(-8 * before // 6) : 8 * (before + len(key)) // 6]
        if len(part) >= _SHORTEST_PART:
            edge = "[a-z0-9+/_-]?"
            yield (edge if before else "") + _base64(part) + edge


def _base64(text: str) -> str:
    others = {"+": r"(?:[+-]|%2b)", "/": r"(?:\\?/|_|%2f)"}
    return "".join(others.get(char, char) for char in text) + "(?:=|%3d){0,2}"
