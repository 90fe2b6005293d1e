"""Checks settings, and says in one wording what is wrong with them."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from singer_sdk.exceptions import ConfigurationError
from singer_sdk.typing import (
    DEFAULT_JSONSCHEMA_VALIDATOR,
    extend_validator_with_defaults,
)

from tap_chartmogul_customers.stream_maps import map_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from jsonschema import ValidationError

_MOST = Decimal(10**9)
"""Means no more than a larger number would, and is one that sockets take as seconds."""

_Validator = extend_validator_with_defaults(DEFAULT_JSONSCHEMA_VALIDATOR)

_KINDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


class SettingsError(ConfigurationError):
    """Settings that are wrong, missing or unknown.

    Args:
        problems: A line for each, which names the setting and never shows its value.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def normalize(config: MutableMapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Bring each setting into the one form that it is checked and used in, in place.

    `null` stands for the default. Text may stand for a number, true, false or an
    object, as in the environment, where all is text.

    Args:
        config: The settings.
        schema: Their JSON schema.
    """
    for name, setting in schema["properties"].items():
        value = config.get(name)
        if isinstance(value, str) and "string" not in setting["type"]:
            value = _from_text(value)
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            value = _plain(value)
        if value is not None:
            config[name] = value
        else:
            config.pop(name, None)


def problems(
    config: MutableMapping[str, Any], schema: Mapping[str, Any], *, complete: bool
) -> Iterator[str]:
    """Say what is wrong with settings, and fill in their defaults.

    Args:
        config: The settings, normalized.
        schema: Their JSON schema.
        complete: Whether those that are required must be there.

    Yields:
        A line for each, which names the setting and never shows its value.
    """
    for name in sorted(config.keys() - schema["properties"].keys()):
        yield f"`{name}` is not a setting of this tap"
    missing = [name for name in schema["required"] if name not in config]
    if config.get("flattening_enabled") and "flattening_max_depth" not in config:
        missing.append("flattening_max_depth")
    if complete:
        yield from (f"The setting `{name}` is missing" for name in missing)
    wrong = dict(_wrong(config, schema))
    if "api_url" not in wrong and (must := _url_must(config["api_url"])):
        wrong["api_url"] = must
    if "api_key" not in wrong and re.search(r"\s", config.get("api_key", "")):
        wrong["api_key"] = "be a key alone, without spaces or line breaks"
    for name, must in wrong.items():
        yield f"The setting `{name}` must {must}"
    if not any(name.startswith("stream_maps") for name in wrong):
        yield from map_problems(config.get("stream_maps", {}))
    if config.get("emit_activate_version_messages") and config.get("batch_config"):
        yield (
            "The settings `emit_activate_version_messages` and `batch_config` exclude "
            "each other: the records in a batch have no version, and a target would "
            "delete them"
        )


def _wrong(
    config: MutableMapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the settings that do not fit their schema, and what each must be."""
    for name, value in config.items():
        if isinstance(value, str) and not _is_utf8(value):
            yield name, "be text that UTF-8 can hold"
    for error in map(_innermost, _Validator(schema).iter_errors(config)):
        if path := ".".join(map(str, error.absolute_path)):
            yield path, f"be {_form(cast('dict[str, Any]', error.schema))}"


def _from_text(text: str) -> Any:  # noqa: ANN401 (any JSON value)
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return text


def _plain(number: float | Decimal) -> float | str:
    """Return a number as an integer if it is whole; as text if it is not finite.

    JSON schema would take NaN for a number within any bounds.
    """
    exact = Decimal(number)
    if not exact.is_finite():
        return str(number)
    bounded = max(-_MOST, min(exact, _MOST))
    return int(bounded) if bounded == int(bounded) else float(bounded)


def _innermost(error: ValidationError) -> ValidationError:
    """Return the error that is deepest in a value that fits none of several forms."""
    inner = map(_innermost, error.context or [])
    return max([error, *inner], key=lambda one: len(one.absolute_path))


def _form(schema: Mapping[str, Any]) -> str:
    """Say in words which values a JSON schema takes."""
    if "const" in schema:
        return f'"{schema["const"]}"'
    if values := schema.get("enum"):
        return "one of " + ", ".join(str(value) for value in values if value)
    types = schema.get("type", [])
    kinds = [types] if isinstance(types, str) else [t for t in types if t != "null"]
    forms = [_KINDS[kind] for kind in kinds] or [*map(_form, schema.get("anyOf", []))]
    return (" or ".join(forms) or "of another type") + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if "minLength" in schema:
        return " that is not empty"
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']}"
    if most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f" of at least {least}"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _url_must(url: str) -> str | None:
    if re.search(r"[\s\x00-\x1f\x7f\\?#@]|/\.\.?(/|$)", url):
        return (
            "be an address alone, without user, query, fragment, spaces, \\ or .., "
            "such as https://api.chartmogul.com/v1"
        )
    try:
        # What `requests` makes of it decides where the key goes.
        parts = urlsplit(requests.Request("GET", url).prepare().url or "")
        host = parts.hostname or ""
        host.encode("idna")
        takes_port = urlsplit(url).port != 0
    except (requests.RequestException, ValueError):
        host, takes_port = "", False
    if not (host and takes_port and url.lower().startswith(("http://", "https://"))):
        return "be an address such as https://api.chartmogul.com/v1"
    if parts.scheme == "http" and not _is_loopback(host):
        return "start with https://, or the key would travel in the clear"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
