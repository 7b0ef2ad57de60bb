"""The door to servers that speak in lines (Electrum): one kept connection each, paced, bounded and retried."""

import threading
import time
from collections.abc import Callable

import rfc8785

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, TransportError
from chains.http import Limits
from chains.line_connection import Allowance, ConnectionLostError, Conversation, LineConnection
from chains.pacing import TokenBucket
from chains.providers import Provider
from chains.transport import Request, Response, evidence_id

# What a dialect's server wants to hear before anything else on every new connection.
GREETINGS = {"electrum": ("server.version", ["reserve-verifier", ["1.4", "1.5"]])}


class _Desk:
    """One provider's connection, if one stands, and when it may be asked; one exchange at a time."""

    def __init__(self, provider: Provider, sleep: Callable[[float], None]) -> None:
        self.lock = threading.Lock()
        self.bucket = TokenBucket(provider.rate, sleep=sleep)
        self.connection: LineConnection | None = None

    def hang_up(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


class LineTransport:
    """Carry requests whose body is JSON-RPC questions, one a line, to tcp:// and ssl:// addresses.

    The answer's body is one line per question, in the order of their ids; notifications are dropped. Raises
    TransportError when not every question was answered within the bounds.
    """

    def __init__(self, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._limits = limits or Limits()
        self._sleep = sleep
        self._desks: dict[Provider, dict[str, _Desk]] = {}
        self._lock = threading.Lock()

    def send(self, provider: Provider, request: Request) -> Response:
        if not provider.url:
            raise TransportError(
                f"{provider.name}: has no address; it comes from a recorded run and can only be replayed"
            )
        questions = _questions(provider, request.body)
        desk = self._desk(provider)
        with desk.lock:
            answers = self._ask(provider, desk, questions)
        body = b"\n".join(answers[number] for number in sorted(answers))
        return Response(200, body, evidence_id(provider, request, 200, body))

    def close(self) -> None:
        """Close all connections; the next request opens its own again."""
        with self._lock:
            desks = [desk for places in self._desks.values() for desk in places.values()]
        for desk in desks:
            with desk.lock:
                desk.hang_up()

    def _desk(self, provider: Provider) -> _Desk:
        with self._lock:
            # providers compare without their address, and one operator may have several
            places = self._desks.setdefault(provider, {})
            return places.setdefault(provider.url, _Desk(provider, self._sleep))

    def _ask(self, provider: Provider, desk: _Desk, questions: dict[int, bytes]) -> dict[int, bytes]:
        allowance = Allowance(provider, self._limits)
        for attempt in range(1, self._limits.tries + 1):
            try:
                return self._exchange(provider, desk, questions, allowance)
            except ConnectionLostError as error:
                desk.hang_up()
                wait = min(0.5 * 2**attempt, self._limits.longest_wait)
                if attempt == self._limits.tries or time.monotonic() + wait > allowance.end:
                    raise TransportError(f"{error}, after {attempt} tries") from error
                desk.bucket.pause(wait)
            except BaseException:
                desk.hang_up()  # what the server still sends must not be taken for the answer to another question
                raise
        raise TransportError(f"{provider.name}: the number of tries must be at least 1")

    def _exchange(
        self, provider: Provider, desk: _Desk, questions: dict[int, bytes], allowance: Allowance
    ) -> dict[int, bytes]:
        if desk.connection and not desk.connection.is_in_step():
            desk.hang_up()
        if not desk.connection:
            began = time.monotonic()
            desk.bucket.take()
            allowance.excuse(time.monotonic() - began)
            desk.connection = LineConnection(provider, self._limits)
            self._greet(provider, desk, desk.connection, allowance)
        talk = Conversation(provider, questions, self._limits.bytes)
        desk.connection.converse(talk, allowance, desk.bucket.take)
        return talk.answers

    def _greet(self, provider: Provider, desk: _Desk, connection: LineConnection, allowance: Allowance) -> None:
        if provider.dialect not in GREETINGS:
            return
        method, parameters = GREETINGS[provider.dialect]
        line = rfc8785.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters})
        talk = Conversation(provider, {0: line}, self._limits.bytes)
        connection.converse(talk, allowance, lambda: None)
        if parse_json(talk.answers[0]).get("error") is not None:
            raise TransportError(f"{provider.name}: refused the greeting {method} {parameters[1]}")


def _questions(provider: Provider, body: bytes) -> dict[int, bytes]:
    """Return the lines by the id each asks for."""
    lines = body.split(b"\n") if body else []
    try:
        records = [parse_json(line) for line in lines]
    except InvalidAnswerError as error:
        raise TransportError(f"{provider.name}: a question is no line of JSON: {error}") from error
    numbers = [record.get("id") if isinstance(record, dict) else None for record in records]
    by_number = {number: line for number, line in zip(numbers, lines, strict=True) if type(number) is int}
    if len(by_number) != len(lines) or not lines:
        raise TransportError(f"{provider.name}: each question needs a number of its own as its id")
    return by_number
