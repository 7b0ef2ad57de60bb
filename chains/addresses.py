"""One spelling per account: the address checked and normalised by the rules of its own chain family."""

from collections.abc import Callable
from importlib import import_module
from typing import Literal, NamedTuple, cast

from chains.errors import IdentifierError
from chains.ids import AccountId, account_id, address_of, chain_of, family_of
from chains.network import network_of


class _Canonical(NamedTuple):
    """Where a family's function is, and whether it takes the address, its network beside it, or the whole account."""

    function: str
    takes: Literal["address", "network", "account"] = "address"


_SIGNERS = _Canonical("chains.signatures.account_names:canonical_name", "account")

FAMILIES: dict[str, _Canonical] = {
    "eip155": _Canonical("chains.evm.address:canonical_address"),
    "xrpl": _Canonical("chains.xrpl:canonical_address"),
    "tron": _Canonical("chains.tron.address:canonical_address"),
    "stellar": _Canonical("chains.stellar:canonical_address"),
    "solana": _Canonical("chains.solana.address:canonical_address"),
    "tvm": _Canonical("chains.ton.address:canonical_address", "network"),
    "bip122": _Canonical("chains.bitcoin.address:canonical_address", "network"),
    "algorand": _SIGNERS,
    "antelope": _SIGNERS,
    "aptos": _SIGNERS,
    "beacon": _SIGNERS,
    "cip34": _SIGNERS,
    "cosmos": _SIGNERS,
    "fil": _SIGNERS,
    "near": _SIGNERS,
    "polkadot": _SIGNERS,
    "slip44": _SIGNERS,
    "starknet": _SIGNERS,
    "sui": _SIGNERS,
}


def canonical_account(account: AccountId) -> AccountId:
    """Return the account with its address checked (checksum, prefix) and in its family's one spelling.

    Raises IdentifierError for a wrong address, an unknown family or a Cosmos, Substrate or SLIP-44 chain without rules
    here, NetworkDataError for a network of the Bitcoin family that is not described here (its prefixes are needed).
    Families without a checksum (Antelope, Aptos, beacon, NEAR, Sui, Starknet in one case) are checked by form alone.
    Source: CAIP-10.
    """
    chain, address = chain_of(account_id(account)), address_of(account)
    family = FAMILIES.get(family_of(chain))
    if family is None:
        known = ", ".join(sorted(FAMILIES))
        raise IdentifierError(f"{account!r}: no rules for addresses of {family_of(chain)!r}; known: {known}")
    module, _, name = family.function.partition(":")
    function = cast(Callable[..., str], getattr(import_module(module), name))
    match family.takes:
        case "address":
            spelled = function(address)
        case "network":
            spelled = function(network_of(chain), address)
        case "account":
            spelled = function(account)
    return account_id(f"{chain}:{spelled}")
