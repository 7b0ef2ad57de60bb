"""Read balances of Ethereum-like chains with the web3 library: one plain call per holding, nothing clever.

A second implementation, independent of `chains.evm.reader` in its encoding and decoding, that must give the same
numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import TxParams

from chains.errors import IdentifierError, InvalidAnswerError, NetworkDataError, ProviderError
from chains.evm.finality import final_block
from chains.evm.hexadecimal import hexadecimal
from chains.evm.proving import Question
from chains.evm.reader import question_of, require_chain
from chains.evm.web3_provider import TransportProvider
from chains.ids import ChainId
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.transport import Transport

ERC20_ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "account", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]
# web3's formatters raise these bare errors for answers that are not what the method promises.
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, DecodingError)
T = TypeVar("T")


class Web3Reader:
    """Read an EVM network through web3, pinned to one block by its hash (EIP-1898). Takes no provider options."""

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        if provider.options:
            raise NetworkDataError(f"{provider.name}: the dialect web3 takes no options")
        self._network = network
        self._provider = provider
        self._asked = TransportProvider(provider, transport)
        # No middleware: it would ask further questions of its own and rename answers.
        self._web3 = Web3(self._asked, middleware=[])

    def chain(self) -> ChainId:
        """Ask the provider which chain it serves."""
        return ChainId(f"eip155:{self._call('eth_chainId', lambda: self._web3.eth.chain_id)}")

    def final_block(self) -> BlockRef:
        """Return the newest block that is final under the network's rule: the node's own tag, a depth, or the tip."""
        return final_block(self._network, self._provider, self._block, self.block_at, self._tip_height)

    def _tip_height(self) -> int:
        return self._call("eth_blockNumber", lambda: self._web3.eth.block_number)

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the provider's main chain. Raises ProviderError when it has none."""
        block = self._block(height)
        if block.height != height:
            raise InvalidAnswerError(f"{self._provider.name}: asked for block {height}, got block {block.height}")
        return block

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read native coins and ERC-20 tokens as of `block`, in base units; one Reading per holding, in order."""
        require_chain(self._network, block)
        return [self._read(block, holding) for holding in holdings]

    def _read(self, block: BlockRef, holding: Holding) -> Reading:
        operator = self._provider.operator
        try:
            question = question_of(self._network, holding)
        except IdentifierError as error:
            return Reading(holding, operator, block, None, (), str(error))
        try:
            units = self._call("balance", lambda: self._units(block, question))
        except (ProviderError, InvalidAnswerError) as error:
            return Reading(holding, operator, block, None, (self._asked.evidence,), str(error))
        return Reading(holding, operator, block, units, (self._asked.evidence,))

    def _units(self, block: BlockRef, question: Question) -> int:
        pin: Any = {"blockHash": block.hash, "requireCanonical": True}
        owner = to_checksum_address(question.address)
        if question.token is None:
            units = self._web3.eth.get_balance(owner, block_identifier=pin)
        else:
            # Not contract.functions…call(): web3 would replace a block hash by the height of that block first.
            token = self._web3.eth.contract(to_checksum_address(question.token), abi=ERC20_ABI)
            asked = TxParams(to=token.address, data=token.encode_abi("balanceOf", [owner]))
            returned = self._web3.eth.call(asked, block_identifier=pin)
            if len(returned) != 32:
                raise InvalidAnswerError(f"{self._provider.name}: balanceOf returned {len(returned)} bytes, not 32")
            (units,) = self._web3.codec.decode(["uint256"], returned)
        return int(units)

    def _block(self, which: Any) -> BlockRef:
        block = self._call("eth_getBlockByNumber", lambda: self._web3.eth.get_block(which))
        return self._call(
            "eth_getBlockByNumber",
            lambda: BlockRef(
                ChainId(self._network.chain),
                int(block["number"]),
                hexadecimal(bytes(block["hash"])),
                int(block["timestamp"]),
            ),
        )

    def _call(self, what: str, question: Callable[[], T]) -> T:
        """Ask through web3 and turn its errors into ours."""
        try:
            return question()
        except Web3Exception as error:
            raise ProviderError(f"{self._provider.name}: {error}"[:300]) from error
        except _MALFORMED as error:
            raise InvalidAnswerError(f"{self._provider.name}: {what}: {error}"[:300]) from error
