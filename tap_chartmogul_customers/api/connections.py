"""Connections on which a whole try of a request has one deadline.

`http.client` starts its time-out anew at each address of a host, in each TLS handshake
and at every byte that arrives, and has none for looking a host up.
"""

from __future__ import annotations

import http.client
import io
import logging
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from urllib3 import HTTPConnectionPool, PoolManager

# It logs headers that it cannot read, as they came, with the address and a traceback.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let whatever this thread does on its connections end within a time.

    Args:
        seconds: The time.
    """
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        msg = "the deadline has passed"
        raise TimeoutError(msg)
    return left


class _Reader(io.RawIOBase):
    """What arrives on a socket, until the deadline."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        sock.settimeout(_left())

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer)
        # For the next read, or the TLS handshake that follows a proxy's answer.
        self._sock.settimeout(_left())
        return count

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that ends before the deadline, without interim ones ahead of it."""

    fp: io.BufferedReader

    def __init__(self, sock: socket.socket, *args: object, **kwargs: object) -> None:
        super().__init__(sock, *args, **kwargs)  # type: ignore[arg-type]
        self.fp = io.BufferedReader(_Reader(sock, self.fp.detach()))

    @override
    def begin(self) -> None:
        super().begin()
        # `http.client` skips 100 alone, and reads no headers while it has some.
        while self.status < HTTPStatus.OK:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


class _Connection:
    """What is added to each class of connections that `urllib3` has."""

    response_class = _Response
    timeout: float

    def _new_conn(self) -> socket.socket:
        # The one place that sees the socket before TLS does: `connect` does the rest.
        self.timeout = _left()
        sock = _in_time(super()._new_conn, self.timeout)  # type: ignore[misc]
        sock.settimeout(_left())
        return sock


def _in_time(connect: Callable[[], socket.socket], seconds: float) -> socket.socket:
    """Connect on a thread of its own: no look-up of a host can be broken off.

    A connection that comes too late is closed.
    """
    made: Future[socket.socket] = Future()

    def run() -> None:
        try:
            sock = connect()
        except Exception as error:  # noqa: BLE001 (raised where it is waited for)
            if made.set_running_or_notify_cancel():
                made.set_exception(error)
        else:
            if made.set_running_or_notify_cancel():
                made.set_result(sock)
            else:
                sock.close()

    threading.Thread(target=run, name="connect", daemon=True).start()
    try:
        return made.result(seconds)
    except TimeoutError:
        if made.cancel():
            raise ConnectTimeoutError from None
        return made.result()


class DeadlineAdapter(HTTPAdapter):
    """Sends requests over such connections, with or without a proxy."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_connections(self.poolmanager)

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _use_connections(manager)
        return manager


def _use_connections(manager: PoolManager) -> None:
    """Let a manager's pools, whichever they are, use connections with a deadline."""
    manager.pool_classes_by_scheme = {
        scheme: _with_deadline(pool)
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _with_deadline(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type("Connection", (_Connection, pool.ConnectionCls), {})
    return type("Pool", (pool,), {"ConnectionCls": connection})
