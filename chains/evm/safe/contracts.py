"""Which code is a Safe's: the known contracts by the hash of their code."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class KnownContracts(NamedTuple):
    """Versions by code hash (32 bytes): of the wallets (proxies), and of the logic they run (singletons)."""

    proxies: dict[bytes, str]
    singletons: dict[bytes, str]


@cache
def known_contracts() -> KnownContracts:
    """Return the table of contracts.toml."""
    table = tomllib.loads((files("chains.evm.safe") / "contracts.toml").read_text("utf-8"))
    proxies, singletons = (
        {bytes.fromhex(entry["code_hash"][2:]): str(entry["version"]) for entry in table[kind]}
        for kind in ("proxy", "singleton")
    )
    return KnownContracts(proxies, singletons)
