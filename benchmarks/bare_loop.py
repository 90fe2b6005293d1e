"""The least that any reader does: fetch, decode, encode, write, page after page."""

from __future__ import annotations

import sys

import msgspec
import requests


def main(url: str, api_key: str) -> None:
    """Write every customer to standard output.

    Args:
        url: The base URL of the API.
        api_key: The API key.
    """
    encode = msgspec.json.Encoder().encode
    write = sys.stdout.buffer.write
    session = requests.Session()
    session.auth = (api_key, "")
    params = {"per_page": "200"}
    more = True
    while more:
        response = session.get(f"{url}/customers", params=params, timeout=60)
        response.raise_for_status()
        page = msgspec.json.decode(response.content)
        for customer in page["entries"]:
            message = {"type": "RECORD", "stream": "customers", "record": customer}
            write(encode(message) + b"\n")
        params["cursor"] = page["cursor"]
        more = page["has_more"]


if __name__ == "__main__":
    main(*sys.argv[1:])
