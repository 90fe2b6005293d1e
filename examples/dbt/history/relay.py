"""A port of the loopback interface that leads to a socket in a folder.

The tests' PostgreSQL listens on the latter alone, and target-postgres takes no folder
for a host.
"""

from __future__ import annotations

import socket
import socketserver
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def relay(path: str) -> Iterator[int]:
    """Relay connections.

    Args:
        path: The socket's path.

    Yields:
        The port.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(path)
                there = Thread(target=_pump, args=(self.request, server))
                there.start()
                _pump(server, self.request)
                there.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as relay:
        relay.daemon_threads = True
        Thread(target=relay.serve_forever).start()
        try:
            yield relay.server_address[1]
        finally:
            relay.shutdown()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
