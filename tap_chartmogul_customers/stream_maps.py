"""Checks stream maps for what would map nothing, which the SDK takes without a word."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tap_chartmogul_customers.records.custom_attributes import GROUPS
from tap_chartmogul_customers.records.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STREAM = "customers"
"""The name of the only stream."""

_REMOVED = (None, "__NULL__")
_NAMES = ("__alias__", "__source__")
_OPTIONS = (*_NAMES, "__else__", "__filter__", "__key_properties__")
_CUSTOM = tuple(f"{group}_" for group in GROUPS)
_COLUMNS = {column.name for column in COLUMNS}


def map_problems(maps: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with stream maps that fit the SDK's schema of them.

    Args:
        maps: The setting `stream_maps`.

    Yields:
        A line for each fault, which names what it is in.
    """
    for name, stream_map in maps.items():
        options = stream_map if isinstance(stream_map, dict) else {}
        source = options.get("__source__", name)
        if _is_text(source) and name[:2] != "__" and not fnmatch(STREAM, source):
            yield (
                f"The setting `stream_maps` maps `{source}`, but the only stream is "
                f"`{STREAM}`"
            )
        if {*_NAMES} <= options.keys():
            yield (
                f"The setting `stream_maps.{name}` must have `__source__` or "
                "`__alias__`, not both"
            )
        for key, value in options.items():
            if must := _must(key, value):
                yield f"The setting `stream_maps.{name}.{key}` must {must}"


def _must(key: str, value: object) -> str | None:
    """Say what a part of a stream map must be instead, if it is no use as it is."""
    if key in _NAMES:
        return None if _is_text(value) else "be text that is not empty"
    if key in _OPTIONS:
        return None
    if re.fullmatch("__.*__", key):
        return "be one of " + ", ".join(_OPTIONS)
    if value in _REMOVED:
        # Which custom attributes there are is found out by discovery.
        known = key in _COLUMNS or key.startswith(_CUSTOM)
        return None if known else "name a column: there is none of that name to remove"
    return None if _is_text(value) else "be an expression that is not empty"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
