"""Networks as data: one TOML file each, facts only."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.errors import NetworkDataError
from chains.ids import AssetField, ChainField, ChainId
from chains.providers import describe_validation


class Finality(BaseModel):
    """When a block counts as final: the node's own `finalized` tag, `depth` blocks below the tip, or the tip itself."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    rule: Literal["finalized", "depth", "tip"]
    depth: int = Field(default=0, ge=0, le=10_000)
    meaning: str


class Canary(BaseModel):
    """A past block whose hash everyone knows: a provider that cannot name it is not trusted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    height: int = Field(ge=0)
    hash: str
    source: str


class EvmFacts(BaseModel):
    """Contracts of an EVM network, its own beacon chain, and what a reader of balances there must know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    multicall3: str = ""
    wrapped_native: str = ""
    beacon: str = ""
    note: str = ""


class UtxoSet(BaseModel):
    """A set of unspent coins that a release of a node's software vouches for: the hash is compiled into it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    height: int = Field(ge=0)
    block_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    hash_serialized: str = Field(pattern=r"^[0-9a-f]{64}$")


class BitcoinFacts(BaseModel):
    """Prefixes and limits of a network of the Bitcoin family.

    `identity_height` is the block whose hash begins with the chain id (BIP-122): the genesis block, or the first one of
    a chain that split off. Prefixes above 255 take two bytes. `network_magic` is what UTXO sets name the network by,
    unless they are of the older format (`headerless_snapshots`). `dust_fee_rate` (satoshi per virtual byte) decides
    which outputs nodes do not pass on.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    p2pkh_prefix: int = Field(ge=0, le=65_535)
    p2sh_prefix: int = Field(ge=0, le=65_535)
    bech32_hrp: str = ""
    cashaddr_prefix: str = ""
    identity_height: int = Field(default=0, ge=0)
    bitcoinlib_network: str = ""
    message_magic: str
    max_money: int = Field(default=21_000_000 * 10**8, gt=0)
    invisible: str = ""
    network_magic: str = Field(default="", pattern=r"^([0-9a-f]{8})?$")
    headerless_snapshots: bool = False
    dust_fee_rate: int = Field(default=3, gt=0)
    known_utxo_sets: list[UtxoSet] = Field(default_factory=list)


class Network(BaseModel):
    """Facts about one network that no provider is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    chain: ChainField
    name: str
    test_network: bool = False
    native_asset: AssetField
    symbol: str
    decimals: int = Field(ge=0, le=36)
    finality: Finality
    canary: Canary | None = None
    evm: EvmFacts | None = None
    bitcoin: BitcoinFacts | None = None
    sources: list[str] = Field(min_length=1)


@cache
def networks() -> dict[ChainId, Network]:
    """Return every network we ship, by chain id. Raises NetworkDataError when a shipped file is malformed."""
    found: dict[ChainId, Network] = {}
    folder = files("chains") / "networks"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".toml"):
            continue
        try:
            network = Network.model_validate(tomllib.loads(entry.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            reason = describe_validation(error) if isinstance(error, ValidationError) else str(error)
            raise NetworkDataError(f"networks/{entry.name}: {reason}") from error
        if network.chain in found:
            raise NetworkDataError(f"networks/{entry.name}: {network.chain} is described twice")
        found[ChainId(network.chain)] = network
    return found


def network_of(chain: ChainId) -> Network:
    """Return the network of a chain id. Raises NetworkDataError naming the ones that are known."""
    known = networks()
    if chain not in known:
        names = ", ".join(sorted(known))
        raise NetworkDataError(f"{chain}: no such network here; known: {names}")
    return known[chain]
