"""Which network a row is on: by the list's own word for it, by the coin's label, or by the form of the address."""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from chains.ids import ChainId, family_of

OTHER_EVM = ChainId("eip155:0")  # an Ethereum-like chain whose number is not recorded
TRON = ChainId("tron:728126428")
BEACON = ChainId("beacon:mainnet")  # validators of Ethereum, listed by their keys under whatever name
_SEPARATORS = re.compile(r"[-\s._/]+")
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_VALIDATOR_KEY = re.compile(r"0x[0-9a-fA-F]{96}")
_TRON_ADDRESS = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")


class ListedNetwork(NamedTuple):
    """A network as lists name it."""

    chain: ChainId


class Label(NamedTuple):
    """What a coin's label says: the asset, and the network inside the label if there is one."""

    unit: str
    network: ListedNetwork | None


@cache
def listed_networks() -> dict[str, ListedNetwork]:
    """Return the networks by every name that lists use."""
    table = tomllib.loads((files("verifier.wallet_lists") / "networks.toml").read_text("utf-8"))
    return {name: ListedNetwork(ChainId(entry["chain"])) for entry in table["network"] for name in entry["names"]}


def normal(text: str) -> str:
    """Return a name in capitals with one underscore between its parts."""
    return _SEPARATORS.sub("_", text.strip().upper()).strip("_")


@lru_cache(maxsize=4096)
def parse_label(text: str) -> Label:
    """Split a label such as `USDT-TRC20`, `ERC20-USDC` or `USDT-Avalanche C-Chain` into asset and network.

    A label that is a network's own name stands for its coin: `BTC`, `ETH`. A network at the end counts before one at
    the start, a longer name before a shorter one.
    """
    whole = normal(text)
    parts, known = whole.split("_")[:12], listed_networks()
    if whole in known:
        unit = parts[0] if parts[0] in known or len(parts) == 1 else whole
        return Label(unit, known[whole])
    spans = [(start, len(parts)) for start in range(1, len(parts))]
    spans += [(0, end) for end in range(len(parts) - 1, 0, -1)]
    spans += [(place, place + 1) for place in range(1, len(parts) - 1)]
    for start, end in spans:
        name = "_".join(parts[start:end])
        if name in known:
            rest = parts[:start] + parts[end:]
            return Label(rest[0], known[name])
    return Label(parts[0] if len(parts) == 1 else whole, None)


def network_of_row(network: str, asset: str, address: str) -> tuple[ListedNetwork | None, bool]:
    """Return a row's network, and whether the list named it (False: guessed from the form of the address)."""
    named = parse_label(network or asset).network
    if _VALIDATOR_KEY.fullmatch(address) and (named is None or family_of(named.chain) == "eip155"):
        return ListedNetwork(BEACON), True
    if named is not None:
        return named, True
    if _EVM_ADDRESS.fullmatch(address):
        return ListedNetwork(OTHER_EVM), False
    return (ListedNetwork(TRON), False) if _TRON_ADDRESS.fullmatch(address) else (None, False)
