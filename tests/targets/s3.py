"""S3 on this machine, by moto."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

from tests.targets.servers import started_once
from tests.targets.target import VENVS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIN = VENVS / "moto/bin"
REGION = "us-east-1"
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}

_DOWNLOAD = """
import sys, boto3
endpoint, bucket, region, key, secret, folder = sys.argv[1:]
bucket = boto3.resource(
    "s3",
    endpoint_url=endpoint,
    region_name=region,
    aws_access_key_id=key,
    aws_secret_access_key=secret,
).Bucket(bucket)
objects = sorted(bucket.objects.all(), key=lambda each: (each.last_modified, each.key))
for number, object in enumerate(objects):
    bucket.download_file(object.key, f"{folder}/{number:05}")
"""


@contextmanager
def _serve() -> Iterator[str]:
    """Run the service, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [BIN / "moto_server", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait(address, server)
            yield address
        finally:
            server.kill()


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None
        try:
            requests.get(address, timeout=60)
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


endpoint = started_once(_serve)


def create(bucket: str) -> str:
    """Make an empty bucket, and return the address of the service."""
    requests.put(f"{endpoint()}/{bucket}", timeout=60).raise_for_status()
    return endpoint()


def download(address: str, bucket: str, folder: Path) -> list[Path]:
    """Get the objects of a bucket.

    Args:
        address: The address of the service.
        bucket: Its name.
        folder: Where to put them.

    Returns:
        The files, the oldest object first.
    """
    folder.mkdir()
    arguments = (address, bucket, REGION, *KEYS.values(), str(folder))
    subprocess.run(
        [str(BIN / "python"), "-c", _DOWNLOAD, *arguments],
        check=True,
    )
    return sorted(folder.iterdir())
