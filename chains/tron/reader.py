"""Read TRX and TRC-20 tokens through one java-tron node.

No real node was available to test against; the simulator in the tests speaks the documented wire format.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from chains.errors import IdentifierError, InvalidAnswerError, ProviderError
from chains.ids import ChainId, address_of, chain_id
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.reader import require_on_chain
from chains.transport import Transport
from chains.tron.address import canonical_address
from chains.tron.node import Node, inside
from chains.tron.tokens import Outcome, read_token

MAX_SUN = 2**63 - 1
_HASH = re.compile(r"[0-9a-f]{64}")


class TronReader:
    """Read one Tron network through one java-tron node's HTTP interface (dialect `tron`).

    TRX is asked by block id from the node's balance history. A node without that history answers zero for everybody,
    so a zero without a record counts only when the node has the history of the pinned block and no such account now.

    TRC-20 balances exist for the newest solidified block only. Such a balance is taken back to the pinned block by the
    Transfer events from and to the holder since then. That is weaker than a pinned read: what a token changes without
    that event (USDT's issue, redeem and destroyBlackFunds; tokens that rebase) is not seen, and a list of events that
    the node shortened cannot be told from a complete one. Every call is in the reading's evidence.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network, self._provider = network, provider
        self._node = Node(network, provider, transport)

    def chain(self) -> ChainId:
        """Say which chain the node serves: the last four bytes of its first block's id. Source: CAIP-2 for Tron."""
        return chain_id(f"tron:{int(self.block_at(0).hash[-8:], 16)}")

    def final_block(self) -> BlockRef:
        """Return the newest solidified block."""
        return self._node.solidified()[0]

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the node's main chain. Raises ProviderError when it has none."""
        block, _ = self._node.block("/wallet/getblockbynum", {"num": height})
        if block.height != height:
            raise self._node.invalid(f"asked for block {height}, got block {block.height}")
        return block

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read TRX (in sun) and TRC-20 tokens as of `block`; one Reading per holding, in order."""
        history = cache(lambda: self._history(block))
        place = cache(lambda: self._place(block))
        return [
            Reading(holding, self._provider.operator, block, *self._outcome(block, holding, history, place))
            for holding in holdings
        ]

    def _outcome(
        self, block: BlockRef, holding: Holding, history: Callable[[], str], place: Callable[[], str]
    ) -> Outcome:
        try:
            address, token = self._question(holding)
            if token is None:
                return self._native(block, address, history)
            there = place()
            found = read_token(self._node, block, address, token)
            return found._replace(evidence=(there, *found.evidence))
        except (IdentifierError, InvalidAnswerError, ProviderError) as error:
            return Outcome(None, (), str(error))

    def _question(self, holding: Holding) -> tuple[str, str | None]:
        require_on_chain(self._network, holding)
        address = canonical_address(address_of(holding.account))
        if holding.asset == self._network.native_asset:
            return address, None
        namespace, _, reference = holding.asset.partition("/")[2].partition(":")
        if namespace != "trc20":
            raise IdentifierError(f"{holding.asset}: neither {self._network.native_asset} nor a trc20 token")
        return address, canonical_address(reference)

    def _native(self, block: BlockRef, address: str, history: Callable[[], str]) -> Outcome:
        pin = {"hash": block.hash, "number": block.height}
        question = {"account_identifier": {"address": address}, "block_identifier": pin, "visible": True}
        answer, evidence = self._node.post("/wallet/getaccountbalance", question)
        units, named = answer.get("balance", 0), answer.get("block_identifier")
        if not self._at_or_before(block, named):
            return self._failed("answered for a block that is not the pinned one or one before it", evidence)
        if type(units) is not int or not 0 <= units <= MAX_SUN:
            return self._failed(f"the balance {str(units)[:40]!r} is no number of sun", evidence)
        if units == 0 and inside(named, "hash") == block.hash:
            return self._without_record(address, evidence, history())
        return Outcome(units, (evidence,))

    @staticmethod
    def _at_or_before(block: BlockRef, named: Any) -> bool:
        """Whether `named` is the pinned block or an earlier one: the node names the one that last changed a balance."""
        if not isinstance(named, dict):
            return False
        found, height = named.get("hash"), named.get("number", 0)
        if not isinstance(found, str) or not _HASH.fullmatch(found) or type(height) is not int:
            return False
        if height >= block.height:
            return found == block.hash and height == block.height
        return int(found[:16], 16) == height

    def _without_record(self, address: str, evidence: str, history: str) -> Outcome:
        account, seen = self._node.post("/wallet/getaccount", {"address": address, "visible": True})
        if account:
            return self._failed("has no record of the balance of an account that exists", evidence, history, seen)
        return Outcome(0, (evidence, history, seen))

    def _history(self, block: BlockRef) -> str:
        """Return the evidence that the node has the balance history of a block. Raises ProviderError without it."""
        pin = {"hash": block.hash, "number": block.height}
        try:
            answer, evidence = self._node.post("/wallet/getblockbalance", pin)
        except ProviderError as error:
            setting = "the node needs storage.balance.history.lookup = true, and to have had it at this block"
            raise ProviderError(f"{error}; a zero without balance history says nothing: {setting}") from error
        named = answer.get("block_identifier")
        if not isinstance(named, dict) or (named.get("hash"), named.get("number", 0)) != (block.hash, block.height):
            raise self._node.invalid("answered with the balance history of another block")
        return evidence

    def _place(self, block: BlockRef) -> str:
        found, evidence = self._node.block("/wallet/getblockbynum", {"num": block.height})
        if found != block:
            raise ProviderError(f"{self._provider.name}: block {block.height} is {found.hash}, not {block.hash}")
        return evidence

    def _failed(self, text: str, *evidence: str) -> Outcome:
        return Outcome(None, evidence, f"{self._node.name}: {text}")
