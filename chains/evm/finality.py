"""When a block of an EVM network counts as final: one rule for every way of reading."""

from collections.abc import Callable

from chains.errors import ProviderError
from chains.model import BlockRef
from chains.network import Network
from chains.providers import Provider


def final_block(
    network: Network,
    provider: Provider,
    tagged: Callable[[str], BlockRef],
    block_at: Callable[[int], BlockRef],
    tip_height: Callable[[], int],
) -> BlockRef:
    """Return the newest final block under the network's rule: the node's own tag, a depth below the tip, or the tip.

    The three functions ask the provider. Raises ProviderError when the chain is shorter than the depth.
    """
    finality = network.finality
    if finality.rule == "finalized":
        return tagged("finalized")
    if finality.rule == "tip":
        return tagged("latest")
    height = tip_height() - finality.depth
    if height < 0:
        raise ProviderError(f"{provider.name}: the chain is shorter than {finality.depth} blocks")
    return block_at(height)
