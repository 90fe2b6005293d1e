from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from hypothesis import settings

from sandbox import Sandbox, generate_customers
from tests.running import Tap
from tests.servers import with_tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.postgres import Database

CONNECTING = (
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"),
)

# How long an example takes says more of the machine than of the tap.
# Where it decides what is taken, the same tree comes to the same; else every run tries
# other examples, so that few are enough.
DECIDES = "CI" in os.environ
settings.register_profile(
    "tests", deadline=None, derandomize=DECIDES, max_examples=100 if DECIDES else 25
)
settings.load_profile("tests")

# A time that is taken for a local one shows only where that is not UTC.
os.environ["TZ"] = "America/St_Johns"
time.tzset()

# Where all is written at once, what is not written at the end does not show.
os.environ.pop("PYTHONUNBUFFERED", None)

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tap_on(tmp_path: Path) -> Callable[[Sandbox], Tap]:
    """Return a tap that reads from a sandbox of the test's own."""
    return lambda sandbox: Tap(sandbox, tmp_path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return the API of an account with 60 customers, without its rate limit."""
    with Sandbox(generate_customers(60, seed=1), rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def tap(sandbox: Sandbox, tap_on: Callable[[Sandbox], Tap]) -> Tap:
    """Return the tap on that account."""
    return tap_on(sandbox)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return this Meltano project with its plugins, but with state of its own."""
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    (tmp_path / ".venv-meltano").symlink_to(ROOT / ".venv-meltano")
    (tmp_path / ".meltano").mkdir()
    for plugins in ("extractors", "loaders"):
        (tmp_path / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
    return tmp_path


@pytest.fixture(scope="session")
def server() -> Iterator[Database]:
    """Return a PostgreSQL server; its empty database is to be copied."""
    from tests.postgres import postgres  # noqa: PLC0415 (few tests have to import it)

    with postgres() as server:
        yield server


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of the environment whatever this machine says of proxies and trust."""
    for name in CONNECTING:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """Return the file with its certificate."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure(sandbox: Sandbox, authority: trustme.CA) -> Iterator[str]:
    """Return the address of the sandbox over TLS."""
    with with_tls(sandbox, authority.issue_cert("localhost")) as url:
        yield url


@pytest.fixture
def trusted(
    direct: None,  # noqa: ARG001 (what it takes out must not be this)
    secure: str,
    bundle: str,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Return the address of the sandbox over TLS that the tap can trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    return secure
