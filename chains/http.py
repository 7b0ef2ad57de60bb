"""The only door to the network: bounded, paced, retrying HTTP over requests."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError

from chains.deadline import Deadline, WatchedAdapter
from chains.errors import TransportError
from chains.pacing import TokenBucket
from chains.providers import Provider
from chains.transport import Request, Response, evidence_id

RETRY_STATUS = frozenset({429, 502, 503, 504})


class Limits(NamedTuple):
    """Bounds on one exchange: seconds to connect, between bytes, and in all; bytes of the answer; tries in all."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 600.0
    bytes: int = 64 * 1024 * 1024
    tries: int = 4
    longest_wait: float = 60.0


class HttpTransport:
    """Send over HTTP(S) with timeouts, retries that respect Retry-After, and bounds on the answer's size."""

    def __init__(self, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._limits = limits or Limits()
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter())
        self._session.headers["User-Agent"] = "reserve-verifier"
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def send(self, provider: Provider, request: Request) -> Response:
        if not provider.url:
            raise TransportError(
                f"{provider.name}: has no address; it comes from a recorded run and can only be replayed"
            )
        bucket = self._bucket(provider)
        deadline = time.monotonic() + self._allowed(provider)
        for attempt in range(1, self._limits.tries + 1):
            asked = time.monotonic()
            bucket.take()
            deadline += time.monotonic() - asked  # waiting for our turn is not the provider's slowness
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
            bucket.pause(wait)
        raise TransportError(f"{provider.name}: the number of tries must be at least 1")

    def pause(self, seconds: float) -> None:
        """Wait before a question is asked again."""
        self._sleep(seconds)

    def _bucket(self, provider: Provider) -> TokenBucket:
        with self._lock:
            if provider.name not in self._buckets:
                self._buckets[provider.name] = TokenBucket(provider.rate, sleep=self._sleep)
            return self._buckets[provider.name]

    def _exchange(self, provider: Provider, request: Request, deadline: float) -> tuple[int, bytes, float]:
        with Deadline(deadline - time.monotonic()) as limit:
            try:
                return self._ask(provider, request, limit)
            except (requests.RequestException, HTTPError) as error:
                if limit.passed:
                    raise self._too_long(provider) from error
                raise

    def _allowed(self, provider: Provider) -> float:
        return max(self._limits.total, provider.patience)

    def _too_long(self, provider: Provider) -> TransportError:
        return TransportError(f"{provider.name}: the answer took longer than {self._allowed(provider):g} s")

    def _ask(self, provider: Provider, request: Request, limit: Deadline) -> tuple[int, bytes, float]:
        with self._session.request(
            request.method,
            provider.url + request.path,
            data=request.body or None,
            headers={"Content-Type": "application/json"} if request.body else None,
            auth=(provider.username, provider.password) if provider.username else None,
            timeout=(self._limits.connect, max(self._limits.read, provider.patience)),
            stream=True,
            allow_redirects=False,
        ) as answer:
            body = self._read(provider, answer, limit)
            return answer.status_code, body, _seconds(answer.headers.get("Retry-After", ""))

    def _read(self, provider: Provider, answer: requests.Response, limit: Deadline) -> bytes:
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
    """Return how long a Retry-After header asks to wait: seconds, or a date (RFC 9110); 0 for anything else."""
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= 6 else 0.0
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _describe(error: Exception) -> str:
    """Name a failure without the address in it: the URL may hold a key."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate was not accepted"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return f"the exchange broke off ({type(error).__name__})"
