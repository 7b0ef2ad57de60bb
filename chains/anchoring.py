"""Where a block's balances can be proven from: a light client that names a block, or a set of all coins at one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from chains.errors import ChainError
from chains.model import Anchor, BlockRef, Exclusion, Holding, ProofKind, Reading
from chains.network import Network
from chains.providers import Provider
from chains.registry import is_anchor_source, open_anchor_source
from chains.transport import Transport


class CoinSet(Protocol):
    """All coins of declared scripts out of one set of all unspent coins, which `root` commits to.

    `base_hash` is the block after which the set was written; `prove_balances` gives one Reading per holding, in order.
    """

    @property
    def base_hash(self) -> str: ...

    @property
    def root(self) -> str: ...

    @property
    def about(self) -> str: ...

    def prove_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]: ...


class Anchorage(NamedTuple):
    """The anchor that was found, if any, and the sources that gave none, each with the reason."""

    anchor: Anchor | None
    refused: tuple[Exclusion, ...]


def find_anchor(
    network: Network,
    providers: Sequence[Provider],
    transport: Transport,
    coins: CoinSet | None,
    block_named: Callable[[str], BlockRef | None],
) -> Anchorage:
    """Return the block that proofs can speak of: that of the coin set, else of the first light client that proves one.

    `block_named` asks the operators for a block by its hash. Raises MissingExtraError or NetworkDataError when a source
    cannot be asked at all on this machine.
    """
    if coins is not None:
        block = block_named(coins.base_hash)
        if block is None:
            unknown = f"is of block {coins.base_hash}, which no operator knows on its main chain"
            return Anchorage(None, (Exclusion("UTXO set", "UTXO set", unknown),))
        return Anchorage(Anchor(block, ProofKind.UTXO_SET, coins.root, coins.about), ())
    refused: list[Exclusion] = []
    for provider in providers:
        if not is_anchor_source(provider):
            continue
        source = open_anchor_source(network, provider, transport)
        try:
            return Anchorage(source.anchor(), tuple(refused))
        except ChainError as error:
            refused.append(Exclusion(provider.name, provider.operator, str(error)))
    return Anchorage(None, tuple(refused))
