"""Reads the JSON objects that the command line names: settings, catalog, state."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any


class FileError(Exception):
    """A file that cannot be read, or is not what it should be."""


def read_object(path: str, what: str) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file.
        what: What it holds, for the error.

    Returns:
        The object; numbers that are not whole are decimals.

    Raises:
        FileError: There is none.
    """
    name = f"The {what} file '{path}'"
    try:
        return parse_object(Path(path).read_bytes(), name)
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise FileError(msg) from error


def parse_object(data: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        data: UTF-8, with or without a byte order mark.
        name: What it is, for the error.

    Returns:
        The object; numbers that are not whole are decimals.

    Raises:
        FileError: It is something else.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 (see its byte {error.start + 1:,})"
        raise FileError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{name} is not JSON: {error}"
        raise FileError(msg) from error
    if not isinstance(value, dict):
        msg = f"{name} is not a JSON object"
        raise FileError(msg)
    return value
