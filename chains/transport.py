"""What a transport carries: a question to a provider, its answer, and the id under which the exchange is kept."""

import hashlib
import time
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import rfc8785

from chains.providers import Provider


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


@runtime_checkable
class Waits(Protocol):
    """A transport that decides itself how long to wait before a question is asked again."""

    def pause(self, seconds: float) -> None: ...


def pause(transport: Transport, seconds: float) -> None:
    """Wait before asking a busy provider again; a replay has nobody to wait for."""
    (transport.pause if isinstance(transport, Waits) else time.sleep)(seconds)


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
