"""Whose certificates are trusted, and what a user reads about one that is not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from tests.servers import check, failed_at_once, with_tls

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox import Sandbox
    from tests.running import Tap

BUNDLES = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]

pytestmark = pytest.mark.usefixtures("direct")


@pytest.mark.parametrize("variable", BUNDLES)
def test_a_certificate_authority_of_ones_own_is_trusted(
    tap: Tap,
    secure: str,
    bundle: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, bundle)
    check(tap, api_url=secure)


@pytest.mark.parametrize("variable", [None, "REQUESTS_CA_BUNDLE"])
def test_a_certificate_that_is_not_trusted_is_not_tried_again(
    tap: Tap,
    secure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
) -> None:
    if variable:
        path = tmp_path / "another.pem"
        trustme.CA().cert_pem.write_to_path(str(path))
        monkeypatch.setenv(variable, str(path))
    said = failed_at_once(tap, secure)
    assert said.startswith(
        f"request to {urlsplit(secure).netloc} failed: the certificate is not trusted "
    )
    assert said.endswith("name the file with its certificate in REQUESTS_CA_BUNDLE")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_host_is_not_tried_again(
    tap: Tap, sandbox: Sandbox, authority: trustme.CA, host: str
) -> None:
    with with_tls(sandbox, authority.issue_cert("example.com")) as url:
        said = failed_at_once(tap, url.replace("localhost", host))
    assert f"request to {host}:" in said
    assert "mismatch, certificate is not valid for" in said
    assert "check `api_url`" in said


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("years", [-1, 1])
def test_a_certificate_that_is_not_valid_now_is_not_tried_again(
    tap: Tap, sandbox: Sandbox, authority: trustme.CA, years: int
) -> None:
    begin = dt.datetime.now(dt.UTC) + dt.timedelta(years * 365)
    certificate = authority.issue_cert(
        "localhost", not_before=begin, not_after=begin + dt.timedelta(30)
    )
    with with_tls(sandbox, certificate) as url:
        said = failed_at_once(tap, url)
    assert ("expired" if years < 0 else "not yet valid") in said
    assert "the clock of this machine" in said


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    ],
)
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
