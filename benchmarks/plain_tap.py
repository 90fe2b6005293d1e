"""A tap for the same customers, as the SDK's template makes it, and no more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from requests.auth import HTTPBasicAuth
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import JSONPathPaginator

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

_ANY_OBJECT = th.ObjectType(additional_properties=True)
_TEXTS = th.ArrayType(th.StringType)
_TYPES: dict[type[th.JSONTypeHelper[Any]] | th.JSONTypeHelper[Any], str] = {
    th.IntegerType: "id mrr arr",
    th.StringType: (
        "uuid external_id data_source_uuid name email company status owner website_url "
        "country state city zip billing_system_url chartmogul_url billing_system_type "
        "currency currency_sign"
    ),
    th.DateTimeType: "customer_since lead_created_at free_trial_started_at",
    _TEXTS: "external_ids data_source_uuids",
    th.ObjectType(
        th.Property("tags", _TEXTS),
        *(th.Property(name, _ANY_OBJECT) for name in ("stripe", "clearbit", "custom")),
    ): "attributes",
    th.ObjectType(
        *(
            th.Property(name, th.StringType)
            for name in ("address_zip", "city", "state", "country")
        )
    ): "address",
}


class _Paginator(JSONPathPaginator):
    """Follows the cursor for as long as there is more."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        return bool(response.json()["has_more"])


class _Customers(RESTStream[str]):
    """The customers of the account."""

    name = "customers"
    path = "/customers"
    primary_keys = ("uuid",)
    records_jsonpath = "$.entries[*]"
    schema = th.PropertiesList(
        *(
            th.Property(name, kind)
            for kind, names in _TYPES.items()
            for name in names.split()
        )
    ).to_dict()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> HTTPBasicAuth:
        return HTTPBasicAuth(self.config["api_key"], "")

    @override
    def get_new_paginator(self) -> _Paginator:
        return _Paginator("$.cursor")

    @override
    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        request.params = {"per_page": 200, "cursor": page.next_page_token}
        return request

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        return {name.replace("-", "_"): value for name, value in row.items()}


class PlainTap(Tap):
    """A tap without anything that its author had to think about."""

    name = "plain-tap"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
    ).to_dict()

    @override
    def discover_streams(self) -> list[_Customers]:
        return [_Customers(self)]


if __name__ == "__main__":
    PlainTap.cli()
