"""S3 on this machine, by moto."""

from __future__ import annotations

import subprocess
from functools import partial
from typing import TYPE_CHECKING

import requests

from tests.targets.serving import running, started_once
from tests.targets.target import VENVS

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = str(VENVS / "moto/bin/python")
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


_SERVE = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""

_endpoint = started_once(partial(running, PYTHON, "-c", _SERVE))


def create(bucket: str) -> str:
    """Make an empty bucket, and return the address of the service."""
    requests.put(f"{_endpoint()}/{bucket}", timeout=60).raise_for_status()
    return _endpoint()


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
    subprocess.run([PYTHON, "-c", _DOWNLOAD, *arguments], check=True)
    return sorted(folder.iterdir())
