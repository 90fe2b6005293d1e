"""The tap's settings as data, and the checks that JSON schema cannot make."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

STATUSES = (
    "New_Lead",
    "Working_Lead",
    "Qualified_Lead",
    "Unqualified_Lead",
    "Active",
    "Past_Due",
    "Cancelled",
)

_TEXT = th.StringType(min_length=1)

SETTINGS = th.PropertiesList(
    th.Property(
        "api_key",
        _TEXT,
        required=True,
        secret=True,
        title="API key",
        description="An API key of the ChartMogul account, with read access.",
    ),
    th.Property(
        "data_source_uuid",
        _TEXT,
        title="Data source UUID",
        description="Read only customers of the data source with this UUID.",
    ),
    th.Property(
        "external_id",
        _TEXT,
        title="External ID",
        description="Read only customers with this identifier in their data source.",
    ),
    th.Property(
        "status",
        th.StringType(allowed_values=list(STATUSES)),
        title="Status",
        description="Read only customers in this status.",
    ),
    th.Property(
        "system",
        _TEXT,
        title="Billing system",
        description=(
            "Read only customers from this billing system, such as Stripe; capitals "
            "count."
        ),
    ),
    th.Property(
        "per_page",
        th.IntegerType(minimum=1, maximum=200),
        default=200,
        title="Customers per page",
        description="How many customers to ask for at once, 1 to 200.",
    ),
    th.Property(
        "api_url",
        _TEXT,
        default="https://api.chartmogul.com/v1",
        title="API URL",
        description="Address of the API; http:// is taken for a loopback host alone.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request time-out",
        description="Seconds that one try of one request may take.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=10,
        title="Retries",
        description="How often one request that failed is tried again.",
    ),
    th.Property(
        "parallel_requests",
        th.IntegerType(minimum=1, maximum=20),
        default=4,
        title="Requests at once",
        description=(
            "How many requests may be on their way at once, once a first sync has "
            "finished."
        ),
    ),
    th.Property(
        "resume_max_age_hours",
        th.NumberType(minimum=0),
        default=6,
        title="Age of a sync to resume",
        description=(
            "Hours after its start until which an interrupted sync is resumed; an "
            "older one starts over. 0: never resume."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Tell the target after a whole read which rows have gone, so that it can "
            "delete them."
        ),
    ),
    th.Property(
        "custom_attributes_sample_size",
        th.IntegerType(minimum=0),
        default=0,
        title="Sample size for custom attributes",
        description=(
            "How many customers discovery reads to find the keys and types of custom "
            "attributes, each of which becomes a column of its own; 0: off."
        ),
    ),
    additional_properties=False,
)

_NUMBERS = ("request_timeout", "resume_max_age_hours")


def numbers_from_text(config: MutableMapping[str, Any]) -> None:
    """Turn numbers that the environment gave as text into numbers, in place.

    The SDK does so for integers only.

    Args:
        config: The settings.
    """
    for name in _NUMBERS:
        if isinstance(text := config.get(name), str):
            try:
                config[name] = float(text)
            except ValueError:
                continue


def problems(config: MutableMapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with settings that JSON schema finds right.

    Args:
        config: The settings.

    Yields:
        A line for each, naming the setting.
    """
    api_url = config.get("api_url")
    if isinstance(api_url, str) and (problem := _url_problem(api_url)):
        yield f"`api_url` {problem}"
    if config.get("emit_activate_version_messages") and config.get("batch_config"):
        yield (
            "`emit_activate_version_messages` and `batch_config` exclude each other: "
            "the records in a batch have no version, and a target would delete them"
        )


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in {"http", "https"} or not host:
        return "must be a URL such as https://api.chartmogul.com/v1"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must be an address alone, without user, query or fragment"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must start with https://, or the key would travel in the clear"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
