"""JSON-RPC 2.0 over a transport: single calls and batches whose bytes are the same in every run."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import rfc8785

from chains.errors import InvalidAnswerError, ProviderError
from chains.providers import Provider
from chains.rest import decode_page
from chains.transport import Request, Response, Transport


class Answer(NamedTuple):
    """One result and the evidence id of the exchange it came in; `error` is set instead when the node refused."""

    result: Any
    evidence: str
    error: ProviderError | None = None


class JsonRpc:
    """Speak JSON-RPC to one provider.

    Raises TransportError when there is no answer, ProviderError when the whole answer is an error, InvalidAnswerError
    when it is not JSON-RPC. Request ids count from 0 within each request, so a replay asks with the same bytes.
    """

    def __init__(self, transport: Transport, provider: Provider) -> None:
        self._transport = transport
        self._provider = provider

    def call(self, method: str, *parameters: Any) -> Answer:
        """Call one method. Raises ProviderError when the node answers with an error object."""
        answer = self.ask(method, *parameters)
        if answer.error:
            raise answer.error
        return answer

    def ask(self, method: str, *parameters: Any) -> Answer:
        """Call one method; an error object becomes an Answer with `error` set, and keeps its evidence."""
        response = self._post(_question(0, method, parameters))
        decoded = decode_page(self._provider, response)
        answer = self._answer(decoded, response)
        if answer.error is None and (type(decoded.get("id")) is not int or decoded["id"] != 0):
            raise InvalidAnswerError(f"{self._provider.name}: the answer belongs to another question")
        return answer

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]], size: int = 1000) -> Iterator[Answer]:
        """Call many methods, `size` per request; yield one Answer per call in order, refused ones with `error` set."""
        for start in range(0, len(calls), size):
            part = calls[start : start + size]
            response = self._post([_question(number, method, args) for number, (method, args) in enumerate(part)])
            yield from self._in_order(decode_page(self._provider, response), response, len(part))

    def _in_order(self, decoded: Any, response: Response, expected: int) -> list[Answer]:
        if not isinstance(decoded, list):
            answer = self._answer(decoded, response)
            raise answer.error or InvalidAnswerError(
                f"{self._provider.name}: a batch was answered with a single result"
            )
        by_id = {item["id"]: item for item in decoded if isinstance(item, dict) and type(item.get("id")) is int}
        if set(by_id) != set(range(expected)) or len(decoded) != expected:
            raise InvalidAnswerError(
                f"{self._provider.name}: a batch of {expected} calls was answered with {len(by_id)} distinct ids"
            )
        return [self._answer(by_id[number], response) for number in range(expected)]

    def _post(self, question: Any) -> Response:
        return self._transport.send(self._provider, Request("POST", "", rfc8785.dumps(question)))

    def _answer(self, item: Any, response: Response) -> Answer:
        if not isinstance(item, dict) or ("result" not in item and item.get("error") is None):
            if response.status >= 400:
                raise ProviderError(f"{self._provider.name}: HTTP {response.status}", response.status)
            raise InvalidAnswerError(f"{self._provider.name}: the answer is JSON, but not JSON-RPC")
        failure = item.get("error")
        if failure is None and response.status >= 400:
            raise ProviderError(f"{self._provider.name}: HTTP {response.status} with a result", response.status)
        if failure is None:
            return Answer(item.get("result"), response.evidence)
        record = failure if isinstance(failure, dict) else {"message": failure}
        code = record.get("code")
        message = _printable(str(record.get("message"))[:200])
        return Answer(
            None,
            response.evidence,
            ProviderError(f"{self._provider.name}: {message} (code {code})", code if isinstance(code, int) else None),
        )


def _printable(text: str) -> str:
    """Keep what a stranger wrote from steering a terminal or breaking an encoder."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _question(number: int, method: str, parameters: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(parameters)}
