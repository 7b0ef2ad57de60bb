"""What addresses and signed messages of a coin of the Bitcoin family look like: facts, by chain id."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from chains.bitcoin.address import version_bytes
from chains.errors import NetworkDataError
from chains.ids import ChainId
from chains.network import networks


class Coin(NamedTuple):
    """Prefixes of a coin's addresses, and the magics its wallets sign messages with (the first is the usual one)."""

    name: str
    magics: tuple[bytes, ...]
    p2pkh: tuple[bytes, ...]
    p2sh: tuple[bytes, ...]
    bech32: str
    cashaddr: str


@cache
def coins() -> dict[ChainId, Coin]:
    """Return every coin of the Bitcoin family: the networks of chains/networks, and those of coins.toml."""
    table = tomllib.loads((files("chains.signatures") / "coins.toml").read_text("utf-8"))
    found = {ChainId(entry["chain"]): _read(entry) for entry in table["coin"]}
    for chain, network in networks().items():
        if network.bitcoin:
            facts = network.bitcoin
            magics, hrp = (facts.message_magic.encode(),), facts.bech32_hrp
            prefixes = ((version_bytes(facts.p2pkh_prefix),), (version_bytes(facts.p2sh_prefix),))
            found[chain] = Coin(network.name, magics, *prefixes, hrp, facts.cashaddr_prefix)
    return found


def is_coin(chain: ChainId) -> bool:
    """Tell whether a chain is a coin of the Bitcoin family that is described here."""
    return chain in coins()


def coin_of(chain: ChainId) -> Coin:
    """Return the coin of a chain id. Raises NetworkDataError naming the ones that are known."""
    known = coins()
    if chain not in known:
        names = ", ".join(sorted(coin.name for coin in known.values()))
        raise NetworkDataError(f"{chain}: no coin of the Bitcoin family known here; known: {names}")
    return known[chain]


def _read(entry: dict[str, object]) -> Coin:
    def texts(name: str) -> list[str]:
        value = entry.get(name, [])
        return [str(item) for item in value] if isinstance(value, list) else []

    return Coin(
        str(entry["name"]),
        tuple(magic.encode() for magic in texts("magics")),
        tuple(bytes.fromhex(prefix) for prefix in texts("p2pkh")),
        tuple(bytes.fromhex(prefix) for prefix in texts("p2sh")),
        str(entry.get("bech32", "")),
        str(entry.get("cashaddr", "")),
    )
