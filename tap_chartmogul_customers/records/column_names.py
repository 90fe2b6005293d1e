"""Makes names of columns that any database takes from keys that can be any text."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING
from unicodedata import normalize

import inflection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 62
"""PostgreSQL takes 63 bytes, and flattening shortens a name that reaches its limit."""

_HASH = 8
_READ = 1000
"""Characters of a key that its name is made of: this takes quadratic time."""


def column_names(
    keys: Iterable[str], *, prefix: str, taken: Iterable[str]
) -> dict[str, str]:
    """Name a column for each key.

    A name depends on its key only, unless several keys would have the same one. Then
    the first in order keeps it, and the others get a hash of their own.

    Args:
        keys: Any texts.
        prefix: What each name starts with, of ASCII letters.
        taken: Names of other columns.

    Returns:
        The name of each key, in order: ASCII letters in lower case, digits and
        underscores, unique, at most 62 of them.

    >>> column_names(["utmCampaign", "CAC", "cac"], prefix="custom", taken=())
    {'CAC': 'custom_cac', 'cac': 'custom_cac_e4bc7fd4', 'utmCampaign': ...}
    """
    names: dict[str, str] = {}
    used = {name.casefold() for name in taken}
    for key in sorted(keys):
        name = next(name for name in _candidates(prefix, key) if name not in used)
        names[key] = name
        used.add(name)
    return names


def _candidates(prefix: str, key: str) -> Iterator[str]:
    spaced = re.sub(r"\W", " ", normalize("NFKC", key))
    words = inflection.underscore(inflection.transliterate(spaced)[:_READ])
    words = inflection.parameterize(words, "_")
    name = f"{prefix}_{words}"
    if words and len(name) <= LONGEST and not _loses_letters(key):
        yield name
    start = name[: LONGEST - _HASH - 1].rstrip("_")
    for attempt in count():
        text = f"{key}{attempt or ''}".encode(errors="surrogatepass")
        yield f"{start}_{sha256(text).hexdigest()[:_HASH]}"


def _loses_letters(key: str) -> bool:
    """Return whether other keys may well have the same ASCII letters and digits."""
    return any(char.isalnum() and not inflection.transliterate(char) for char in key)
