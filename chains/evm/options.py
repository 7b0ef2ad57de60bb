"""What a providers file may set for an EVM provider."""

from typing import NamedTuple

from chains.errors import NetworkDataError
from chains.providers import Provider

KNOWN = ("batch", "multicall", "block_parameter", "proofs")


class Options(NamedTuple):
    """How to ask one provider.

    `batch`: calls per JSON-RPC request (1 to 1000; some providers refuse big batches).
    `multicall`: balances per Multicall3 call (1 to 1000), 0 when switched off with "off".
    `proofs`: also ask for state proofs (eth_getProof) of balances, code and upgrade slots: some kilobytes for each one.
    `by_number`: pin reads by block number instead of block hash, for nodes without EIP-1898 (eth-tester, ganache).
    """

    batch: int = 500
    multicall: int = 500
    by_number: bool = False
    proofs: bool = False


def read_options(provider: Provider) -> Options:
    """Read a provider's options. Raises NetworkDataError for an unknown name or value."""
    for name, _ in provider.options:
        if name not in KNOWN:
            raise NetworkDataError(f"{provider.name}: unknown option {name!r}; known: {', '.join(KNOWN)}")
    parameter = provider.option("block_parameter", "hash")
    if parameter not in ("hash", "number"):
        raise NetworkDataError(f'{provider.name}: block_parameter is {parameter!r}; expected "hash" or "number"')
    proofs = provider.option("proofs", "off")
    if proofs not in ("on", "off"):
        raise NetworkDataError(f'{provider.name}: proofs is {proofs!r}; expected "on" or "off"')
    multicall = provider.option("multicall", "500")
    return Options(
        _count(provider, "batch", provider.option("batch", "500")),
        0 if multicall == "off" else _count(provider, "multicall", multicall),
        parameter == "number",
        proofs == "on",
    )


def _count(provider: Provider, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise NetworkDataError(f"{provider.name}: {name} is {text!r}; expected a number from 1 to 1000")
    return int(text)
