"""The only door to the network: bounded, retrying HTTP over requests."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, NamedTuple, Protocol, Self

import requests
import rfc8785
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from chains.errors import TransportError
from chains.providers import Provider

RETRY_STATUS = frozenset({429, 502, 503, 504})


class Request(NamedTuple):
    """One question: `path` is appended to the provider's URL, `body` is posted as JSON when the method is POST."""

    method: Literal["GET", "POST"]
    path: str = ""
    body: bytes = b""


class Response(NamedTuple):
    """One answer: HTTP status, raw body, and the id under which the transcript keeps the exchange."""

    status: int
    body: bytes
    evidence: str


class Transport(Protocol):
    """Carry a question to a provider. Raises TransportError when no answer comes back within the bounds."""

    def send(self, provider: Provider, request: Request) -> Response: ...


class Limits(NamedTuple):
    """Bounds on one exchange: seconds to connect, between bytes, and in all; bytes of the answer; tries in all."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 600.0
    bytes: int = 64 * 1024 * 1024
    tries: int = 4
    longest_wait: float = 60.0


def evidence_id(provider: Provider, request: Request, status: int, body: bytes) -> str:
    """Name an exchange by content: SHA-256 over the canonical JSON (RFC 8785) of who was asked what, and the answer."""
    record: dict[str, Any] = {
        "provider": provider.name,
        "method": request.method,
        "path": request.path,
        "body": hashlib.sha256(request.body).hexdigest(),
        "status": status,
        "answer": hashlib.sha256(body).hexdigest(),
    }
    return hashlib.sha256(rfc8785.dumps(record)).hexdigest()


_exchange_of_thread = threading.local()


class _Deadline:
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
        deadline: _Deadline | None = getattr(_exchange_of_thread, "deadline", None)
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


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}


class HttpTransport:
    """Send over HTTP(S) with timeouts, retries that respect Retry-After, and bounds on the answer's size."""

    def __init__(self, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._limits = limits or Limits()
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _WatchedAdapter())
        self._session.headers["User-Agent"] = "reserve-verifier"

    def send(self, provider: Provider, request: Request) -> Response:
        if not provider.url:
            raise TransportError(
                f"{provider.name}: has no address; it comes from a recorded run and can only be replayed"
            )
        deadline = time.monotonic() + self._limits.total
        for attempt in range(1, self._limits.tries + 1):
            try:
                status, body, retry_after = self._exchange(provider, request, deadline)
            except (requests.RequestException, HTTPError) as error:
                reason, wait = _describe(error), 0.5 * 2**attempt
            else:
                if status not in RETRY_STATUS:
                    return Response(status, body, evidence_id(provider, request, status, body))
                reason, wait = f"HTTP {status}", retry_after or 0.5 * 2**attempt
            wait = min(wait, self._limits.longest_wait)
            if attempt == self._limits.tries or time.monotonic() + wait > deadline:
                raise TransportError(f"{provider.name}: {reason}, after {attempt} tries")
            self._sleep(wait)
        raise TransportError(f"{provider.name}: the number of tries must be at least 1")

    def _exchange(self, provider: Provider, request: Request, deadline: float) -> tuple[int, bytes, float]:
        with _Deadline(deadline - time.monotonic()) as limit:
            try:
                return self._ask(provider, request, limit)
            except (requests.RequestException, HTTPError) as error:
                if limit.passed:
                    raise self._too_long(provider) from error
                raise

    def _too_long(self, provider: Provider) -> TransportError:
        return TransportError(f"{provider.name}: the answer took longer than {self._limits.total:g} s")

    def _ask(self, provider: Provider, request: Request, limit: _Deadline) -> tuple[int, bytes, float]:
        with self._session.request(
            request.method,
            provider.url + request.path,
            data=request.body or None,
            headers={"Content-Type": "application/json"} if request.body else None,
            auth=(provider.username, provider.password) if provider.username else None,
            timeout=(self._limits.connect, self._limits.read),
            stream=True,
            allow_redirects=False,
        ) as answer:
            body = self._read(provider, answer, limit)
            return answer.status_code, body, _seconds(answer.headers.get("Retry-After", ""))

    def _read(self, provider: Provider, answer: requests.Response, limit: _Deadline) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_content(64 * 1024):
            size += len(part)
            if size > self._limits.bytes:
                raise TransportError(
                    f"{provider.name}: the answer is larger than {self._limits.bytes:,} bytes; not read"
                )
            parts.append(part)
        if limit.passed:
            # A body without a length ends where the connection does, also when it was us who cut it.
            raise self._too_long(provider)
        return b"".join(parts)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0.0


def _describe(error: Exception) -> str:
    """Name a failure without the address in it: the URL may hold a key."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate was not accepted"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return f"the exchange broke off ({type(error).__name__})"
