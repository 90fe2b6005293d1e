"""Reads settings, and says in the same words each time what is wrong with them."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatch
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema.exceptions import best_match
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.typing import (
    DEFAULT_JSONSCHEMA_VALIDATOR,
    extend_validator_with_defaults,
)

from tap_chartmogul_customers.errors import SettingsError
from tap_chartmogul_customers.records.columns import COLUMNS, STREAM
from tap_chartmogul_customers.records.custom_attributes import GROUPS
from tap_chartmogul_customers.settings.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Validator = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)

_BOOLEANS = {"yes": True, "on": True, "1": True, "no": False, "off": False, "0": False}
"""What text may stand for, beside JSON."""


def from_environment(names: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Return the settings that environment variables set.

    Args:
        names: The settings.
        prefix: What the name of each variable starts with.

    Returns:
        Their texts. A variable that is empty is not set.
    """
    variables = {name: os.environ.get(prefix + name.upper()) for name in names}
    return {name: text for name, text in variables.items() if text}


def check(
    config: dict[str, Any],
    schema: Mapping[str, Any],
    *,
    complete: bool,
    environment: Mapping[str, str],
) -> None:
    """Bring settings into the form in which they are used, defaults included.

    Args:
        config: The settings, changed in place. `null` stands for the default. Text may
            stand for a value of another type, as in the environment, where all is text.
        schema: Their JSON schema.
        complete: Whether those that are required must be there.
        environment: The settings that environment variables set, read or not.

    Raises:
        SettingsError: A setting is wrong, missing or unknown.
    """
    for name in config.keys() & schema["properties"].keys():
        config[name] = _normalized(config[name], schema["properties"][name]["type"])
        if config[name] is None:
            del config[name]
    if isinstance(status := config.get("status"), str):
        config["status"] = status.replace(" ", "_")  # As the column shows it.
    # Discovery needs no key, unless it reads a sample.
    complete = complete or bool(config.get("custom_attributes_sample_size"))
    missing = [*_missing(config, schema, environment)] if complete else []
    if problems := [*missing, *_problems(config, schema)]:
        raise SettingsError(*problems)


def _normalized(value: Any, types: list[str]) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str) and "string" not in types:
        word = value.strip().lower()
        if "boolean" in types and word in _BOOLEANS:
            return _BOOLEANS[word]
        try:
            value = parse_json(word if "boolean" in types else value)
        except ValueError:
            return value
    if isinstance(value, Decimal):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _missing(
    config: dict[str, Any], schema: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[str]:
    required = [*schema["required"]]
    if config.get("flattening_enabled"):
        required.append("flattening_max_depth")
    for name in required:
        if name not in config:
            unread = ", though the environment has it: add `--config ENV`"
            hint = unread if name in environment else ""
            yield f"The setting `{name}` is missing{hint}"


def _problems(config: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Fill in defaults, and yield a line for each fault, without its value."""
    known = schema["properties"]
    for name in sorted(config.keys() - known.keys()):
        near = get_close_matches(name, known, 1)
        hint = f": did you mean `{near[0]}`?" if near else ""
        yield f"`{name}` is not a setting of this tap{hint}"
    wrong = {}
    for each in _Validator(_sound(schema)).iter_errors(config):
        error = best_match([each])
        if path := ".".join(map(str, error.absolute_path)):
            wrong[path] = (
                "must have at least one character, and no space"
                if error.validator == "pattern"
                else error.message.removeprefix(repr(error.instance)).lstrip()
            )
    for name, value in config.items():
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            wrong[name] = "is not valid Unicode"
    if "api_url" not in wrong and (must := _url_must(config["api_url"])):
        wrong["api_url"] = f"must {must}"
    for path, words in wrong.items():
        yield f"The setting `{path}` {words}"
    if wrong:
        return
    yield from _map_problems(config.get("stream_maps", {}))
    if batches := config.get("batch_config"):
        yield from _batch_problems(batches, config)


def _sound(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a schema again)
    """Return a copy of a schema whose `anyOf` lists only schemas.

    In the SDK's schema of `__else__` it also lists the word "null", at which the
    validator fails.
    """

    def mend(part: dict[str, Any]) -> dict[str, Any]:
        if "anyOf" in part:
            part["anyOf"] = [form for form in part["anyOf"] if form != "null"]
        return part

    return json.loads(json.dumps(schema), object_hook=mend)


def _url_must(url: str) -> str | None:
    """Say what the address must be instead, if the key may not be sent there."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if (
        not host
        or parts.scheme not in {"http", "https"}
        or re.search(r"[\s\x00-\x1f\\?#@]", url)
    ):
        return "be an address alone, such as https://api.chartmogul.com/v1"
    if parts.scheme == "http" and not _is_loopback(host):
        return "start with https://, or the key would travel in the clear"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_NAMES = ("__alias__", "__source__")
_OPTIONS = (*_NAMES, "__else__", "__filter__", "__key_properties__")


def _map_problems(maps: Mapping[str, Any]) -> Iterator[str]:
    """Say what in stream maps would do nothing. The SDK takes it without a word.

    A column that was to be removed would come through.
    """
    for name, stream_map in maps.items():
        options = stream_map if isinstance(stream_map, dict) else {}
        source = options.get("__source__") or name
        if not name.startswith("__") and not fnmatch(STREAM, source):
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
    """Say what a part of a stream map must be instead, if it would do nothing."""
    if key in _OPTIONS:
        return "be text that is not empty" if key in _NAMES and not value else None
    if re.fullmatch("__.*__", key):
        return "be one of " + ", ".join(_OPTIONS)
    if value not in {None, "__NULL__"}:
        return None if str(value).strip() else "be an expression that is not empty"
    columns = {column.name for column in COLUMNS}
    # Only discovery knows which custom attributes there are.
    known = key in columns or key.startswith(tuple(f"{group}_" for group in GROUPS))
    return None if known else "name a column: there is none of that name to remove"


def _batch_problems(
    batches: dict[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    """Say what the SDK would find out in the middle of a run, or never."""
    if config.get("emit_activate_version_messages"):
        yield (
            "The settings `emit_activate_version_messages` and `batch_config` cannot "
            "be used together: records in a batch have no version, so a target would "
            "delete them"
        )
    try:
        size: object = BatchConfig.from_dict(batches).batch_size
    except TypeError:
        size = None
    if not isinstance(size, int) or size < 1:
        yield (
            "The setting `batch_config` must hold `encoding` with `format` and "
            "`compression`, and `storage` with `root`. It may hold `prefix` in "
            "`storage`, and `batch_size`, an integer above 0. Nothing else is taken"
        )
