"""The tap's settings, as data. `checks.py` says what is wrong with them."""

from __future__ import annotations

from singer_sdk import typing as th

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

FILTERS = (
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
        description=(
            "Read only customers in this status: "
            f"{', '.join(STATUSES[:-1])} or {STATUSES[-1]}."
        ),
    ),
    th.Property(
        "system",
        _TEXT,
        title="Billing system",
        description=(
            "Read only customers from this billing system, such as Stripe "
            "(case-sensitive)."
        ),
    ),
)
"""The API's filters, each sent under its own name."""

SETTINGS = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType(pattern=r"^\S+$(?!\n)"),
        required=True,
        secret=True,
        title="API key",
        description="An API key of the ChartMogul account, with read access.",
    ),
    *FILTERS,
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
        description=(
            "Address of the API; http:// is accepted for a loopback host only."
        ),
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request time-out",
        description=(
            "Seconds to wait for a connection, for the next part of an answer, and for "
            "the whole of its body."
        ),
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
        description="How many requests may run at once, from the second sync on.",
    ),
    th.Property(
        "resume_max_age_hours",
        th.NumberType(minimum=0),
        default=6,
        title="Age of a sync to resume",
        description=(
            "An interrupted sync that started longer ago than this starts over. 0: "
            "never resume."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Tell the target, after a whole read, which rows have gone, so that it can "
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
            "attributes. Each key becomes a column. 0: off."
        ),
    ),
    additional_properties=False,
)
