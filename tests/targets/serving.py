"""Programs that stand in for services."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

servers = ExitStack()
"""What is started for the targets, and stopped at the end."""


def started(*command: str) -> str:
    """Start a program that prints its address and ends with its standard input."""
    server = servers.enter_context(
        subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    servers.callback(server.kill)
    assert server.stdout
    address = server.stdout.readline().strip()
    assert address, f"{command} does not serve"
    return address


class Answer(NamedTuple):
    """What a stand-in says to a request."""

    body: bytes
    status: int = 200
    location: str = ""


def serve(answer: Callable[[str, str, bytes], Answer]) -> None:
    """Serve in a program that is `started`, one request at a time.

    A request is given by its method, its path with the query, and its body.
    """
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            with lock:
                said = answer(self.command, self.path, body)
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said.body)))
            if said.location:
                self.send_header("Location", f"{address}{said.location}")
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 (its names)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
