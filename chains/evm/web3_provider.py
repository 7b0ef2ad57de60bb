"""Let web3 ask its questions through our recorded, bounded transport: it never opens a connection itself."""

from typing import Any

from web3.providers import BaseProvider
from web3.types import RPCEndpoint, RPCError, RPCResponse

from chains.errors import InvalidAnswerError
from chains.evm.hexadecimal import data, quantity
from chains.jsonrpc import JsonRpc
from chains.providers import Provider
from chains.transport import Transport

_NUMBERS = frozenset({"eth_chainId", "eth_blockNumber", "eth_getBalance"})


class TransportProvider(BaseProvider):
    """A web3 provider over a Transport; request ids are always 0, so a replay asks with the same bytes.

    `evidence` names the exchange of the last request. Off-chain lookups (ERC-3668), with which a contract makes web3
    open other addresses, are switched off. ChainErrors of the transport pass through web3 unchanged. Answers are
    checked before web3 sees them: it reads "5", 5.5 and "0x1_0" as numbers.
    """

    global_ccip_read_enabled = False

    def __init__(self, provider: Provider, transport: Transport) -> None:
        super().__init__()
        self._rpc = JsonRpc(transport, provider)
        self._name = provider.name
        self.evidence = ""

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one question; return the node's answer in web3's own form. Raises InvalidAnswerError, TransportError."""
        answer = self._rpc.ask(method, *params)
        self.evidence = answer.evidence
        if answer.error:
            code = answer.error.code
            return RPCResponse(
                jsonrpc="2.0",
                id=0,
                error=RPCError(code=-32000 if code is None else code, message=str(answer.error)),
            )
        try:
            _check(method, answer.result)
        except InvalidAnswerError as error:
            raise InvalidAnswerError(f"{self._name}: {error}") from error
        return RPCResponse(jsonrpc="2.0", id=0, result=answer.result)

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Say whether a question can be asked at all; whether it is answered, the question itself tells."""
        return True


def _check(method: str, result: Any) -> None:
    if method in _NUMBERS:
        quantity(result, method)
    elif method == "eth_call":
        data(result, method)
    elif method == "eth_getBlockByNumber" and result is not None:
        if not isinstance(result, dict):
            raise InvalidAnswerError(f"{method} answered no object")
        quantity(result.get("number"), "the block's number")
        quantity(result.get("timestamp"), "the block's timestamp")
        data(result.get("hash"), "the block's hash", 32)
