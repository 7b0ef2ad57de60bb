"""One connection over which questions and answers travel as lines, over TCP or TLS: bounded, and never deadlocked."""

import hmac
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import sha256
from urllib.parse import urlsplit

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, TransportError
from chains.http import Limits
from chains.providers import Provider

MAX_LINE = 16 * 1024 * 1024  # the largest transaction in hexadecimal digits is half of it
MAX_NOTIFICATIONS = 10_000
IN_FLIGHT = 500
PORTION = 32 * 1024
_CHUNK = 64 * 1024
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectionLostError(TransportError):
    """The connection failed in a way that a new one may not."""


class Allowance:
    """How long an exchange may take: in all, and between two signs of life; waiting for our own turn is not counted."""

    def __init__(self, provider: Provider, limits: Limits) -> None:
        self._name = provider.name
        self._total = max(limits.total, provider.patience)
        self._quiet = max(limits.read, provider.patience)
        self.end = time.monotonic() + self._total
        self._heard = time.monotonic()

    def excuse(self, seconds: float) -> None:
        """Put the end off, because we did not let the provider answer."""
        self.end += seconds
        self._heard += seconds

    def hear(self) -> None:
        """Note a sign of life."""
        self._heard = time.monotonic()

    def left(self) -> float:
        """Return how many seconds to wait for more. Raises TransportError when time is up, for good or for now."""
        now = time.monotonic()
        if now >= self.end:
            raise TransportError(f"{self._name}: the answer took longer than {self._total:g} s")
        if now >= self._heard + self._quiet:
            raise ConnectionLostError(f"{self._name}: no answer in time")
        return min(self.end, self._heard + self._quiet) - now


class Conversation:
    """The questions of one exchange by id, and what was answered so far."""

    def __init__(self, provider: Provider, questions: dict[int, bytes], max_bytes: int) -> None:
        self.answers: dict[int, bytes] = {}
        self.unsent = deque(questions.values())
        self._name = provider.name
        self._asked = questions.keys()
        self._max_bytes = max_bytes
        self._size = self._notifications = 0

    @property
    def finished(self) -> bool:
        return len(self.answers) == len(self._asked)

    @property
    def in_flight(self) -> int:
        return len(self._asked) - len(self.unsent) - len(self.answers)

    def weigh(self, size: int) -> None:
        """Count received bytes. Raises TransportError above the bound."""
        self._size += size
        if self._size > self._max_bytes:
            raise TransportError(f"{self._name}: the answer is larger than {self._max_bytes:,} bytes; not read")

    def hear(self, line: bytes) -> None:
        """Keep an answer, drop a notification. Raises TransportError for what is neither."""
        try:
            record = parse_json(line)
        except InvalidAnswerError as error:
            raise TransportError(f"{self._name}: a line of the answer is not usable: {error}") from error
        if is_notification(record):
            self._notifications += 1
            if self._notifications > MAX_NOTIFICATIONS:
                raise TransportError(f"{self._name}: more than {MAX_NOTIFICATIONS:,} lines that nobody asked for")
            return
        number = record.get("id") if isinstance(record, dict) else None
        if type(number) is not int or number not in self._asked:
            raise TransportError(f"{self._name}: a line answers no question that was asked")
        if number in self.answers:
            raise TransportError(f"{self._name}: question {number} was answered twice")
        self.answers[number] = line


def is_notification(record: object) -> bool:
    """Say whether a line is sent by the server of its own accord: it names a method and answers no id."""
    return isinstance(record, dict) and "method" in record and record.get("id") is None


class LineConnection:
    """A connected socket that is read and written at the same time, so that full buffers stop neither side.

    Opening raises ConnectionLostError, and TransportError when TLS is not accepted or the address is impossible; no
    message holds the address.
    """

    def __init__(self, provider: Provider, limits: Limits) -> None:
        self._name = provider.name
        self._max_line = min(MAX_LINE, limits.bytes)
        self._socket = _connect(provider, limits.connect)
        self._socket.setblocking(False)
        self._portion = 1 if provider.rate else PORTION  # a provider with a rate is sent line after line
        self._incoming = bytearray()
        self._searched = 0
        self._outgoing = b""

    def close(self) -> None:
        self._socket.close()

    def is_in_step(self) -> bool:
        """Say whether the connection still stands, and nothing but notifications came since the last exchange."""
        try:
            while self._receive():
                for line in self._lines():
                    if not is_notification(parse_json(line)):
                        return False
        except (OSError, TransportError, InvalidAnswerError):
            return False
        return not self._incoming

    def converse(self, talk: Conversation, allowance: Allowance, take_turn: Callable[[], None]) -> None:
        """Ask all questions, some hundred at a time, and read until each is answered.

        Raises ConnectionLostError when asking again may help, TransportError when a bound is broken.
        """
        while not talk.finished:
            try:
                self._fill(talk, allowance, take_turn)
                sent = self._send()
                received = self._receive()
            except OSError as error:
                raise ConnectionLostError(f"{self._name}: the connection broke off ({type(error).__name__})") from error
            talk.weigh(received)
            for line in self._lines():
                talk.hear(line)
            if received:
                allowance.hear()
            left = allowance.left()
            if not sent and not received:
                self._wait(left)

    def _fill(self, talk: Conversation, allowance: Allowance, take_turn: Callable[[], None]) -> None:
        parts = [self._outgoing]
        size = len(self._outgoing)
        while talk.unsent and talk.in_flight < IN_FLIGHT and size < self._portion:
            asked = time.monotonic()
            take_turn()
            allowance.excuse(time.monotonic() - asked)
            parts += [talk.unsent.popleft(), b"\n"]
            size += len(parts[-2]) + 1
        self._outgoing = b"".join(parts)

    def _send(self) -> int:
        if not self._outgoing:
            return 0
        try:
            sent = self._socket.send(self._outgoing)
        except _NOT_NOW:
            return 0
        self._outgoing = self._outgoing[sent:]
        return sent

    def _receive(self) -> int:
        try:
            chunk = self._socket.recv(_CHUNK)
        except _NOT_NOW:
            return 0
        if not chunk:
            raise ConnectionLostError(f"{self._name}: closed the connection")
        self._incoming += chunk
        return len(chunk)

    def _lines(self) -> Iterator[bytes]:
        while (end := self._incoming.find(b"\n", self._searched)) >= 0:
            line = bytes(self._incoming[:end])
            del self._incoming[: end + 1]
            self._searched = 0
            yield line
        self._searched = len(self._incoming)
        if self._searched > self._max_line:
            raise TransportError(f"{self._name}: a line of the answer is longer than {self._max_line:,} bytes")

    def _wait(self, seconds: float) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, events)
            selector.select(seconds)


def _connect(provider: Provider, seconds: float) -> socket.socket:
    scheme, host, port = _place(provider)
    pinned = provider.option("certificate").lower()
    if pinned and scheme != "ssl":
        raise TransportError(f"{provider.name}: pins a certificate, but its address is not of ssl://")
    try:
        plain = socket.create_connection((host, port), timeout=seconds)
    except (OSError, UnicodeError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
        raise ConnectionLostError(f"{provider.name}: {reason}") from error
    if scheme != "ssl":
        return plain
    try:
        return _secured(provider, plain, host, pinned)
    except BaseException:
        plain.close()
        raise


def _place(provider: Provider) -> tuple[str, str, int]:
    try:
        parts = urlsplit(provider.url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("tcp", "ssl") or not host or not port:
        raise TransportError(f"{provider.name}: the address has not the form tcp://host:port or ssl://host:port")
    return scheme, host, port


def _secured(provider: Provider, plain: socket.socket, host: str, pinned: str) -> socket.socket:
    """Shake hands; the certificate must be valid for the host or, when one is pinned, exactly that one."""
    context = ssl.create_default_context()
    if pinned:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        secured = context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise TransportError(
            f"{provider.name}: the TLS certificate was not accepted; if the server's own is meant, pin its SHA-256 as"
            " the option `certificate`"
        ) from error
    except TimeoutError as error:
        raise ConnectionLostError(f"{provider.name}: no answer in time") from error
    except (OSError, ValueError) as error:
        raise ConnectionLostError(f"{provider.name}: TLS could not be agreed on ({type(error).__name__})") from error
    shown = sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    if pinned and not hmac.compare_digest(shown.encode(), pinned.encode()):
        secured.close()
        raise TransportError(f"{provider.name}: the TLS certificate has the SHA-256 {shown}; another one is pinned")
    return secured
