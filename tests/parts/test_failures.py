"""What is said of a request that failed."""

from __future__ import annotations

import pytest

from tap_chartmogul_customers.api.failures import failure


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://localhost/v1", "localhost:80"),
        ("https://localhost/v1", "localhost:443"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
    ],
)
def test_a_port_is_named_whether_the_address_has_one_or_not(
    url: str, where: str
) -> None:
    why, _ = failure(ConnectionError(), url, {"proxies": {}, "verify": True})
    assert f"request to {where} failed" in why
