"""Small HTTP servers that stand in for services, and programs that serve."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")


class Answer(NamedTuple):
    """What a server says to a request."""

    body: bytes
    status: int = 200
    location: str = ""


@contextmanager
def serving(answer: Callable[[str, str, bytes], Answer]) -> Iterator[str]:
    """Run a server, and give its address.

    Args:
        answer: Answers a request, of which it is given the method, the path with the
            query, and the body.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            said = answer(self.command, self.path, body)
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said.body)))
            if said.location:
                self.send_header("Location", f"{address}{said.location}")
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 (its names)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


def serve(answer: Callable[[str, str, bytes], Answer]) -> None:
    """Run a server for `running`, until standard input ends."""
    with serving(answer) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def running(*command: str) -> Iterator[str]:
    """Run a program that prints its address and ends with its standard input."""
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        try:
            address = server.stdout.readline().strip()
            assert urlsplit(address).port, f"{command} does not serve"
            yield address
        finally:
            server.kill()


servers = ExitStack()
"""What is started once for all targets, and stopped at the end."""
_lock = threading.RLock()


def started_once(start: Callable[[], AbstractContextManager[T]]) -> Callable[[], T]:
    """Return a function that starts a server when it is first called.

    Args:
        start: Runs the server.
    """
    enter = cache(lambda: servers.enter_context(start()))

    def started() -> T:
        with _lock:
            return enter()

    return started
