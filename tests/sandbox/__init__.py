"""Asks the sandbox as any client of the API would."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from sandbox import Sandbox


def get(sandbox: Sandbox, **query: object) -> requests.Response:
    return requests.get(
        f"{sandbox.url}/customers",
        params={name: str(value) for name, value in query.items()},
        auth=(sandbox.api_key, ""),
        timeout=10,
    )


def page(sandbox: Sandbox, **query: object) -> dict[str, Any]:
    response = get(sandbox, **query)
    response.raise_for_status()
    body: dict[str, Any] = response.json(parse_float=Decimal)
    return body


def read_all(sandbox: Sandbox, **query: object) -> list[dict[str, Any]]:
    body = page(sandbox, **query)
    entries = list(body["entries"])
    while body["has_more"]:
        body = page(sandbox, cursor=body["cursor"], **query)
        entries += body["entries"]
    return entries
