"""Every question and every answer, kept by content, so that anyone can replay the run without a network."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple, Self, cast

import rfc8785

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, NetworkDataError, TransportError
from chains.providers import Provider
from chains.transport import Request, Response, Transport, evidence_id, pause

MAX_LINE = 256 * 1024 * 1024
MAX_CALLS = 2_000_000


class Key(NamedTuple):
    """Which call: who was asked what, and for the how-manieth time (a block hash is read again on purpose)."""

    provider: str
    request: Request
    ordinal: int


class Call(NamedTuple):
    """One exchange as recorded: the answer, or why there was none."""

    key: Key
    status: int
    answer: bytes
    failure: str = ""


class Transcript:
    """All calls of a run, in canonical order; the digest names the whole evidence."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._calls = {call.key: call for call in calls}

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, key: Key) -> Call | None:
        return self._calls.get(key)

    def to_bytes(self) -> bytes:
        """Return the canonical form: one RFC 8785 line per call, sorted by key."""
        return b"".join(encode_call(self._calls[key]) for key in sorted(self._calls))

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, lower-case hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def load(cls, path: Path, *, unfinished: bool = False) -> Self:
        """Read a transcript file; with `unfinished`, a torn last line and failed calls are left out, to be asked again.

        Raises NetworkDataError naming the line.
        """
        calls: list[Call] = []
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
                if unfinished and not line.endswith(b"\n"):
                    break
                calls.append(_decode_line(path, number, line))
                if number > MAX_CALLS:
                    raise NetworkDataError(f"{path}: more than {MAX_CALLS:,} calls; not read further")
        if unfinished:
            calls = [call for call in calls if not call.failure]
        transcript = cls(calls)
        if len(transcript) != len(calls):
            raise NetworkDataError(f"{path}: the same call is recorded twice")
        return transcript


def _text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _bytes(record: dict[str, str]) -> bytes:
    return record["text"].encode("utf-8") if "text" in record else base64.b64decode(record["base64"], validate=True)


def encode_call(call: Call) -> bytes:
    """Return one call as a canonical JSON line."""
    record: dict[str, Any] = {
        "provider": call.key.provider,
        "method": call.key.request.method,
        "path": call.key.request.path,
        "body": _text(call.key.request.body),
        "ordinal": call.key.ordinal,
    }
    record |= {"failure": call.failure} if call.failure else {"status": call.status, "answer": _text(call.answer)}
    return rfc8785.dumps(record) + b"\n"


def _decode_line(path: Path, number: int, line: bytes) -> Call:
    try:
        record = parse_json(line)
        request = Request(cast(Literal["GET", "POST"], record["method"]), record["path"], _bytes(record["body"]))
        key = Key(record["provider"], request, record["ordinal"])
        if "failure" in record:
            call = Call(key, 0, b"", record["failure"])
        else:
            call = Call(key, record["status"], _bytes(record["answer"]))
        well_formed = encode_call(call) == line
    except (InvalidAnswerError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise NetworkDataError(f"{path}: line {number} is not a recorded call: {error}") from error
    if not well_formed:
        raise NetworkDataError(f"{path}: line {number} is not in canonical form; it was edited after it was recorded")
    return call


class _Ordinals:
    """Count identical questions per provider, so that the n-th asking meets the n-th answer."""

    def __init__(self) -> None:
        self._asked: Counter[tuple[str, Request]] = Counter()
        self._lock = Lock()

    def next_key(self, provider: Provider, request: Request) -> Key:
        with self._lock:
            ordinal = self._asked[provider.name, request]
            self._asked[provider.name, request] += 1
        return Key(provider.name, request, ordinal)


class RecordingTransport:
    """Ask through another transport and append every exchange to a journal, answer by answer, so a kill loses nothing.

    Calls already in the journal are answered from it: nothing is asked twice.
    """

    def __init__(self, inner: Transport, journal: Path) -> None:
        self._inner = inner
        self._ordinals = _Ordinals()
        self._lock = Lock()
        known = Transcript.load(journal, unfinished=True) if journal.exists() else Transcript(())
        self._known = known
        self._calls: list[Call] = []
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_bytes(known.to_bytes())
        self._file = journal.open("ab")
        self.resumed = len(known)

    def send(self, provider: Provider, request: Request) -> Response:
        key = self._ordinals.next_key(provider, request)
        recorded = self._known.find(key)
        if recorded is not None:
            with self._lock:
                self._calls.append(recorded)
            return _replay(provider, recorded)
        try:
            response = self._inner.send(provider, request)
        except TransportError as error:
            self._record(Call(key, 0, b"", str(error)))
            raise
        self._record(Call(key, response.status, response.body))
        return response

    def pause(self, seconds: float) -> None:
        """Wait as the transport underneath does."""
        pause(self._inner, seconds)

    def _record(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)
            self._file.write(encode_call(call))
            self._file.flush()

    def close(self) -> Transcript:
        """Close the journal and return what this run asked for, and nothing else."""
        self._file.close()
        return Transcript(self._calls)


class ReplayTransport:
    """Answer from a transcript alone; it has no way to reach a network."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._ordinals = _Ordinals()
        self._used: set[Key] = set()

    def send(self, provider: Provider, request: Request) -> Response:
        key = self._ordinals.next_key(provider, request)
        call = self._transcript.find(key)
        if call is None:
            asked = request.body[:80].decode("utf-8", "replace") or request.path
            raise TransportError(
                f"{provider.name}: the transcript has no answer to {asked!r} (asking {key.ordinal + 1})"
            )
        self._used.add(key)
        return _replay(provider, call)

    def pause(self, seconds: float) -> None:
        """Go on at once: the answers are all there."""

    def unused(self) -> int:
        """Return how many recorded calls no step of the run asked for; a faithful transcript has none."""
        return len(self._transcript) - len(self._used)


def _replay(provider: Provider, call: Call) -> Response:
    if call.failure:
        raise TransportError(call.failure)
    return Response(call.status, call.answer, evidence_id(provider, call.key.request, call.status, call.answer))
