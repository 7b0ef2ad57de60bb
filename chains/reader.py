"""The interface every chain family implements."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from chains.errors import IdentifierError
from chains.ids import ChainId, chain_of
from chains.model import Anchor, BlockRef, Holding, Movements, Reading
from chains.network import Network
from chains.providers import Provider
from chains.transport import Transport


class ChainReader(Protocol):
    """Read one network through one provider.

    Every method raises a ChainError when the provider as a whole cannot answer. `read_balances` returns exactly one
    Reading for each holding, in order; a holding that could not be read has `units=None` and a `failure`.
    """

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None: ...

    def chain(self) -> ChainId:
        """Ask the provider which chain it serves."""

    def final_block(self) -> BlockRef:
        """Return the newest block this provider calls final under the network's finality rule."""

    def block_at(self, height: int) -> BlockRef:
        """Return the block this provider has at `height` on its main chain."""

    def read_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read holdings as of `block`, identified by its hash."""


def require_on_chain(network: Network, holding: Holding) -> None:
    """Raise IdentifierError when a holding's account or asset is of another chain than the one to be read."""
    if chain_of(holding.account) != network.chain or chain_of(holding.asset) != network.chain:
        raise IdentifierError(f"{holding.account} / {holding.asset}: not on {network.chain}")


@runtime_checkable
class ProvesBalances(Protocol):
    """A reader of a chain whose blocks commit to all balances."""

    def prove_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> Sequence[Reading]:
        """Read holdings as of `block` with proofs that were checked against its hash; no proof is a failure."""


@runtime_checkable
class ReadsTransfers(Protocol):
    """A reader that can tell what moved to and from an account."""

    def read_transfers(self, first: int, last: BlockRef, holdings: Sequence[Holding]) -> Sequence[Movements]:
        """Read all transfers from height `first` up to the block `last`, both included; one Movements per holding.

        A holding whose movements cannot be read completely has none and a failure.
        """


@runtime_checkable
class NamesBlocks(Protocol):
    """A reader that can look a block up by its hash."""

    def block_named(self, block_hash: str) -> BlockRef:
        """Return the block of the main chain with this hash. Raises ChainError when there is none."""


class AnchorSource(Protocol):
    """A provider whose answers prove a block from a root, so that it need not be believed."""

    def __init__(self, network: Network, provider: Provider, transport: Transport) -> None: ...

    def anchor(self) -> Anchor:
        """Return the block that follows from the root. Raises ChainError when the answers prove none."""
