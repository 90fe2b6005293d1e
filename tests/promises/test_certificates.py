"""Whose certificates are trusted, and what a user reads about one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.servers import check, failed_at_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Tap

pytestmark = pytest.mark.usefixtures("direct")


def test_a_certificate_authority_of_ones_own_is_trusted(tap: Tap, trusted: str) -> None:
    check(tap, api_url=trusted)


def test_a_certificate_that_is_not_trusted_is_not_tried_again(
    tap: Tap, secure: str
) -> None:
    said = failed_at_once(tap, secure)
    assert said.startswith(
        f"request to {urlsplit(secure).netloc} failed: the certificate is not trusted "
    )
    assert said.endswith("name the file with its certificate in REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_not_tried_again(
    tap: Tap,
    secure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
) -> None:
    path = tmp_path / "missing.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    said = failed_at_once(tap, secure)
    assert f"cannot read the certificates in {path}, which REQUESTS_CA_BUNDLE" in said
