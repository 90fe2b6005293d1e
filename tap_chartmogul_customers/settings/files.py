"""Reads what the command line names: settings, catalog, state."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from jsonschema import SchemaError
from singer_sdk.singerlib import Catalog
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_chartmogul_customers.errors import FileError

if TYPE_CHECKING:
    from singer_sdk.singerlib import CatalogEntry


_NAME = re.compile(r'[^"\\\x00-\x1f]*')
"""A name of a column that records can be written with."""


def read_object(path: str, what: str) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file.
        what: What it holds, for the error.

    Returns:
        The object. Numbers that are not whole are decimals.

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
        The object. Numbers that are not whole are decimals.

    Raises:
        FileError: It is something else.
    """
    try:
        value = parse_json(data.decode("utf-8-sig"))
        # Text that can be escaped in JSON cannot always be written again.
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeDecodeError as error:
        msg = f"{name} is not UTF-8 (see its byte {error.start + 1:,})"
        raise FileError(msg) from error
    except UnicodeEncodeError as error:
        msg = f"{name} holds text that is not valid Unicode"
        raise FileError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{name} is not JSON: {error}"
        raise FileError(msg) from error
    if not isinstance(value, dict):
        msg = f"{name} is not a JSON object"
        raise FileError(msg)
    return value


def parse_json(text: str) -> Any:  # noqa: ANN401 (any JSON value)
    """Parse JSON, whose numbers are exact.

    Raises:
        ValueError: It is not JSON.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    msg = f"{name} is no number"
    raise ValueError(msg)


def parse_state(data: bytes) -> dict[str, Any]:
    """Read a state.

    Args:
        data: A Singer state. A whole STATE message is one too, and so is what
            `meltano state get` prints.

    Returns:
        The value of the state; empty if nothing is in the file.

    Raises:
        FileError: It is something else.
    """
    if not data.strip():
        return {}
    state = parse_object(data, "the state")
    for wrapper in ("singer_state", "value"):
        if "bookmarks" not in state and isinstance(inner := state.get(wrapper), dict):
            return inner
    return state


def parse_catalog(data: bytes, name: str, stream: str, key: str) -> dict[str, Any]:
    """Read a catalog, and check what the SDK takes for granted.

    Args:
        data: The catalog.
        name: What it is, for the error.
        stream: The stream that it must hold.
        key: The column that the stream cannot be without.

    Returns:
        The catalog.

    Raises:
        FileError: It is no catalog of the stream, or lacks the key.
    """
    catalog = parse_object(data, name)
    try:
        entry = Catalog.from_dict(catalog).get_stream(stream)
        problem = _problem(entry, stream, key)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{name} is not a Singer catalog: {type(error).__name__}: {error}"
        raise FileError(msg) from error
    if problem:
        msg = f"{name} {problem}"
        raise FileError(msg)
    return catalog


def _problem(entry: CatalogEntry | None, stream: str, key: str) -> str | None:
    if entry is None:
        return (
            f"has no stream with the `tap_stream_id` `{stream}`, the only one of this "
            "tap: make it again with --discover"
        )
    if (entry.stream or stream) != stream:
        return (
            f"gives `{stream}` another name: rename it with `stream_maps` and "
            "`__alias__` instead"
        )
    schema = entry.schema.to_dict()
    columns = schema["properties"]
    return (
        _schema_problem(schema)
        or _key_problem(entry, columns, key)
        or _name_problem(columns)
    )


def _schema_problem(schema: dict[str, Any]) -> str | None:
    try:
        DEFAULT_JSONSCHEMA_VALIDATOR.check_schema(schema)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path))
        return f"is no JSON schema at `{where}`: {error.message}"
    return None


def _key_problem(entry: CatalogEntry, columns: dict[str, Any], key: str) -> str | None:
    selected = entry.metadata.resolve_selection()
    for each in (key, *(entry.key_properties or ())):
        if each not in columns:
            return f"lacks the column `{each}`, which is a key"
        if selected[()] and not selected["properties", each]:
            return f"deselects the column `{each}`, which is a key: select it"
    if columns[key].get("format") or "string" not in columns[key].get("type", []):
        return f"has a wrong type for the column `{key}`, which is a key: it is text"
    return None


def _name_problem(columns: dict[str, Any]) -> str | None:
    for name in columns:
        if not _NAME.fullmatch(name):
            return f"has a column {name!r}, a name that no field of the API can have"
    return None
