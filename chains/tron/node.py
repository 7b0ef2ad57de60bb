"""One java-tron node's two interfaces: its own over HTTP, and one like Ethereum's below the same address."""

from typing import Any

import rfc8785

from chains.errors import InvalidAnswerError, ProviderError
from chains.ids import ChainId
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef
from chains.network import Network
from chains.providers import Provider
from chains.rest import decode_page
from chains.transport import Request, Response, Transport
from chains.tron.header import block_id


class _UnderJsonRpc:
    """Carry questions to the interface that is like Ethereum's."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, provider: Provider, request: Request) -> Response:
        return self._transport.send(provider, request._replace(path="/jsonrpc"))


class Node:
    """Ask one node; `rpc` speaks JSON-RPC to it.

    Raises TransportError when there is no answer, ProviderError when the node refuses, InvalidAnswerError when the
    answer does not have the documented form.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._chain, self._provider, self._transport = ChainId(network.chain), provider, transport
        self.name = provider.name
        self.rpc = JsonRpc(_UnderJsonRpc(transport), provider)

    def solidified(self) -> tuple[BlockRef, str]:
        """Return the newest block that will not be replaced, and the evidence."""
        return self.block("/walletsolidity/getnowblock", {})

    def block(self, path: str, question: dict[str, Any]) -> tuple[BlockRef, str]:
        """Return the block an answer describes, its id recomputed, and the evidence."""
        answer, evidence = self.post(path, question)
        if not answer:
            raise ProviderError(f"{self.name}: has no such block: {question}")
        header = inside(answer, "block_header", "raw_data")
        found = block_id(header)
        if found is None or answer.get("blockID") != found:
            raise self.invalid("the block's id does not follow from its header")
        seconds = header.get("timestamp", 0) // 1000
        return BlockRef(self._chain, header.get("number", 0), found, seconds), evidence

    def post(self, path: str, question: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Post a question; return the object that answers it, and the evidence."""
        response = self._transport.send(self._provider, Request("POST", path, rfc8785.dumps(question)))
        answer = decode_page(self._provider, response)
        if isinstance(answer, dict) and "Error" in answer:
            raise ProviderError(f"{self.name}: {_printable(answer['Error'])}")
        if response.status >= 400:
            raise ProviderError(f"{self.name}: HTTP {response.status}", response.status)
        if not isinstance(answer, dict):
            raise self.invalid(f"{path} answered no object")
        return answer, response.evidence

    def invalid(self, text: str) -> InvalidAnswerError:
        """Return the error that says what is wrong with this node's answer."""
        return InvalidAnswerError(f"{self.name}: {text}")


def inside(value: Any, *path: str | int) -> Any:
    """Return what lies at a path inside decoded JSON, or None when there is nothing of that shape."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def _printable(text: Any) -> str:
    """Keep what a stranger wrote from steering a terminal or breaking an encoder."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(text)[:200])
