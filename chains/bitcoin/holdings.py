"""Turn holdings into the addresses and scripts to ask for, and answers into readings; the same for every dialect."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from chains.bitcoin.address import canonical_address, script_of
from chains.errors import IdentifierError, InvalidAnswerError, ProviderError
from chains.ids import address_of, chain_of
from chains.model import BlockRef, Holding, Reading
from chains.network import Network
from chains.providers import Provider
from chains.transport import Response

_HASH = re.compile(r"[0-9a-f]{64}")
MAX_HEIGHT = 2**31 - 1
MAX_TIME = 2**32 - 1


class Target(NamedTuple):
    """What to ask for one holding: the canonical address and its script, or why it cannot be asked for."""

    holding: Holding
    address: str = ""
    script: bytes = b""
    failure: str = ""


def targets_of(network: Network, holdings: Sequence[Holding]) -> list[Target]:
    """Return one target per holding, in order; what is not this chain's native coin gets a failure."""
    return [_target(network, holding) for holding in holdings]


def _target(network: Network, holding: Holding) -> Target:
    if holding.asset != network.native_asset:
        return Target(holding, failure=f"{holding.asset} is not on {network.name}, which holds {network.native_asset}")
    if chain_of(holding.account) != network.chain:
        return Target(holding, failure=f"{holding.account} is not an account of {network.name} ({network.chain})")
    try:
        address = canonical_address(network, address_of(holding.account))
        return Target(holding, address, script_of(network, address))
    except IdentifierError as error:
        return Target(holding, failure=str(error))


def reading(
    provider: Provider, block: BlockRef, target: Target, units: int | None, evidence: Sequence[str], failure: str = ""
) -> Reading:
    """Return the reading of one target; a target that could not be asked for keeps its own failure."""
    if target.failure or failure:
        return Reading(target.holding, provider.operator, block, None, tuple(evidence), target.failure or failure)
    return Reading(target.holding, provider.operator, block, units, tuple(evidence))


def moved(block: BlockRef, height: object, block_hash: object) -> str:
    """Say that the provider answers for another block than the pinned one."""
    where = f"{height}" if isinstance(height, int) else "an unknown height"
    return (
        f"the tip moved: asked as of block {block.height} ({block.hash[:20]}…), answered as of {where} "
        f"({str(block_hash)[:20]}…); this dialect reads balances at the tip only: fix a new snapshot and ask again"
    )


def checked_hash(provider: Provider, value: Any, what: str) -> str:
    """Return a block or transaction id. Raises InvalidAnswerError unless it is 64 lower-case hexadecimal digits."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise InvalidAnswerError(f"{provider.name}: {what} is {str(value)[:80]!r}, not 64 hexadecimal digits")
    return value


def checked_number(provider: Provider, value: Any, what: str, most: int = MAX_HEIGHT) -> int:
    """Return a whole number from 0 to `most`. Raises InvalidAnswerError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InvalidAnswerError(f"{provider.name}: {what} is {str(value)[:80]!r}, not a whole number of 0 to {most}")
    return value


def checked_record(provider: Provider, value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object. Raises InvalidAnswerError."""
    if not isinstance(value, dict):
        raise InvalidAnswerError(f"{provider.name}: {what} is {str(value)[:80]!r}, not an object")
    return value


def refused(provider: Provider, response: Response) -> ProviderError:
    """Return the error a page other than 200 stands for, without characters that could steer a terminal."""
    text = response.body[:120].decode("utf-8", "replace").strip()
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return ProviderError(f"{provider.name}: HTTP {response.status}: {shown}", response.status)
