"""What stands between the tap and the sandbox, or in its place. What comes of it."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import trustme

    from sandbox import Sandbox
    from tests.running import Tap


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def served(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Talk to everyone who connects, and return the port."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as clients:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    clients.callback(client.close)
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        def one(client: socket.socket) -> None:
            with suppress(OSError), client:
                talk(client)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def relay(client: socket.socket, service: socket.socket) -> None:
    back = threading.Thread(target=pump, args=(service, client), daemon=True)
    back.start()
    pump(client, service)
    back.join()


@contextmanager
def with_tls(sandbox: Sandbox, certificate: trustme.LeafCert) -> Iterator[str]:
    """Serve the sandbox over TLS, and return its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    port = urlsplit(sandbox.url).port
    assert port

    def talk(client: socket.socket) -> None:
        with (
            context.wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", port)) as service,
        ):
            relay(secured, service)

    with served(talk) as secured_port:
        yield f"https://localhost:{secured_port}/v1"


@contextmanager
def proxy(
    seen: list[bytes], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n"
) -> Iterator[str]:
    """Run a proxy, and return its address."""

    def talk(client: socket.socket) -> None:
        asked = client.recv(65536)
        seen.append(asked)
        client.sendall(answer)
        host, port = asked.split()[1].decode().rsplit(":", 1)
        if b" 200 " in answer:
            with socket.create_connection((host, int(port))) as service:
                relay(client, service)

    with served(talk) as port:
        yield f"127.0.0.1:{port}"


def nobody() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextmanager
def busy() -> Iterator[int]:
    """Return a port at which nobody is let in."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as en:
        for _ in range(3):
            waiting = en.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def check(tap: Tap, **settings: object) -> None:
    """Read the whole account, without a warning."""
    run = tap.run(per_page=20, **settings)
    assert run.code == 0, run.log
    assert run.uuids == [customer["uuid"] for customer in tap.sandbox.customers]
    assert not run.warnings


def failed_at_once(tap: Tap, api_url: str) -> str:
    """Return the one line of a run that has nothing to try again."""
    run = tap.run(api_url=api_url)
    assert run.code == 1
    assert not run.warnings
    assert "Traceback" not in run.log
    (line,) = run.errors
    assert run.log.rstrip().endswith(line)
    return line.partition("GET /v1/customers, page 1: ")[2]
