"""Read balances from an Esplora block explorer over its REST pages."""

from collections.abc import Sequence
from typing import Any

from chains.bitcoin.address import bitcoin_facts
from chains.bitcoin.holdings import (
    MAX_TIME,
    Target,
    checked_hash,
    checked_number,
    checked_record,
    moved,
    reading,
    refused,
    targets_of,
)
from chains.decode import parse_json
from chains.errors import InvalidAnswerError, ProviderError
from chains.ids import ChainId, chain_id
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.transport import Request, Response, Transport

MAX_FLOW = 2**63 - 1  # what an address ever received may exceed all coins there are: coins return


class EsploraReader:
    """Read one network of the Bitcoin family through one Esplora explorer (dialect `esplora`).

    An explorer states balances at its tip and names no block beside them. So the tip's hash is asked before and after
    all addresses; unless both are the pinned block, every reading is a failure. Source: Esplora's HTTP API page.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None:
        self._network = network
        self._facts = bitcoin_facts(network)
        self._provider = provider
        self._transport = transport

    def chain(self) -> ChainId:
        """Ask for the hash of the chain's first own block, the start of which is the chain id. Source: BIP-122."""
        height = bitcoin_facts(self._network).identity_height
        return chain_id(f"bip122:{self._hash(f'/block-height/{height}')[0][:32]}")

    def final_block(self) -> BlockRef:
        """Return the explorer's tip: the only block it states balances at.

        How deep a block must lie to count as final is the network's fact; see `CoreReader.final_block`.
        """
        return self._block(self._hash("/blocks/tip/hash")[0])

    def block_at(self, height: int) -> BlockRef:
        """Return the block at `height` on the explorer's main chain. Raises ProviderError when there is none."""
        block = self._block(self._hash(f"/block-height/{height}")[0])
        if block.height != height:
            raise InvalidAnswerError(f"{self._provider.name}: asked for block {height}, was shown block {block.height}")
        return block

    def block_named(self, block_hash: str) -> BlockRef:
        """Return the block of the explorer's main chain with this hash. Raises ChainError when there is none."""
        found = self.block_at(self._block(block_hash).height)
        if found.hash != block_hash:
            raise ProviderError(f"{self._provider.name}: {block_hash} is not on the main chain")
        return found

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read holdings as of `block`, one page per address, between two looks at the tip."""
        targets = targets_of(self._network, holdings)
        before, first = self._hash("/blocks/tip/hash")
        if before != block.hash:
            return [self._failed(block, target, (first,), before) for target in targets]
        answers = {target.address: self._confirmed(target.address) for target in targets if not target.failure}
        after, last = self._hash("/blocks/tip/hash")
        if after != block.hash:
            return [self._failed(block, target, (first, last), after) for target in targets]
        return [self._reading(block, target, answers, (first, last)) for target in targets]

    def _failed(self, block: BlockRef, target: Target, evidence: Sequence[str], tip: str) -> Reading:
        return reading(self._provider, block, target, None, evidence, moved(block, None, tip))

    def _reading(
        self, block: BlockRef, target: Target, answers: dict[str, tuple[int | None, str, str]], tips: tuple[str, str]
    ) -> Reading:
        if target.failure:
            return reading(self._provider, block, target, None, ())
        units, evidence, failure = answers[target.address]
        return reading(self._provider, block, target, units, (tips[0], evidence, tips[1]), failure)

    def _confirmed(self, address: str) -> tuple[int | None, str, str]:
        """Return units, evidence and failure of one address; unconfirmed coins (`mempool_stats`) do not count."""
        response = self._get(f"/address/{address}")
        if response.status != 200:
            return None, response.evidence, str(refused(self._provider, response))
        page = self._json(response, f"the page of {address}")
        if page.get("address") != address:
            raise InvalidAnswerError(f"{self._provider.name}: asked for {address}, was shown {page.get('address')!r}")
        stats = checked_record(self._provider, page.get("chain_stats"), f"chain_stats of {address}")
        funded = checked_number(self._provider, stats.get("funded_txo_sum"), "funded_txo_sum", MAX_FLOW)
        spent = checked_number(self._provider, stats.get("spent_txo_sum"), "spent_txo_sum", MAX_FLOW)
        if not 0 <= funded - spent <= self._facts.max_money:
            raise InvalidAnswerError(f"{self._provider.name}: {address} received {funded} and spent {spent} base units")
        return funded - spent, response.evidence, ""

    def _block(self, block_hash: str) -> BlockRef:
        response = self._get(f"/block/{block_hash}")
        if response.status != 200:
            raise refused(self._provider, response)
        page = self._json(response, f"block {block_hash}")
        if page.get("id") != block_hash:
            raise InvalidAnswerError(f"{self._provider.name}: asked for {block_hash}, was shown {page.get('id')!r}")
        height = checked_number(self._provider, page.get("height"), "the block's height")
        time = checked_number(self._provider, page.get("timestamp"), "the block's time", MAX_TIME)
        return BlockRef(ChainId(self._network.chain), height, block_hash, time)

    def _hash(self, path: str) -> tuple[str, str]:
        """Return a hash that is the whole page, and the evidence."""
        response = self._get(path)
        if response.status != 200:
            raise refused(self._provider, response)
        text = response.body[:100].decode("ascii", "replace").strip()
        return checked_hash(self._provider, text, path), response.evidence

    def _json(self, response: Response, what: str) -> dict[str, Any]:
        try:
            return checked_record(self._provider, parse_json(response.body), what)
        except InvalidAnswerError as error:
            raise InvalidAnswerError(f"{self._provider.name}: {what}: {error}") from error

    def _get(self, path: str) -> Response:
        return self._transport.send(self._provider, Request("GET", path))
