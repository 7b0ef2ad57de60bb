"""A hard end for an HTTP exchange, also against a server that drips its answer byte by byte."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_exchange_of_thread = threading.local()


class Deadline:
    """Cut an exchange off after so many seconds: a timeout between bytes does not stop a server that drips them."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _exchange_of_thread.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _exchange_of_thread.deadline = None

    def watch(self, connected: socket.socket) -> None:
        self._sockets.append(connected)
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        self.passed = True
        for connected in self._sockets:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)


class _WatchedRequest:
    """Put the socket a request went out on under the deadline of the exchange that this thread is in."""

    sock: socket.socket | None

    def request(self, *arguments: Any, **named: Any) -> None:
        super().request(*arguments, **named)  # type: ignore[misc]  # the other base class has it
        deadline: Deadline | None = getattr(_exchange_of_thread, "deadline", None)
        if deadline is not None and self.sock is not None:
            deadline.watch(self.sock)


class _WatchedConnection(_WatchedRequest, HTTPConnection):
    pass


class _WatchedTlsConnection(_WatchedRequest, HTTPSConnection):
    pass


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class WatchedAdapter(HTTPAdapter):
    """Hand every connection's socket to the deadline of the exchange it serves."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}
