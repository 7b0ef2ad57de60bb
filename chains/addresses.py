"""One spelling per account: the address checked and normalised by the rules of its own chain family."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, cast

from chains.errors import IdentifierError
from chains.ids import AccountId, account_id, address_of, chain_of, family_of
from chains.network import network_of


class _Canonical(NamedTuple):
    """Where a family's function is, and whether it needs the network beside the address."""

    function: str
    takes_network: bool


FAMILIES: dict[str, _Canonical] = {
    "eip155": _Canonical("chains.evm.address:canonical_address", takes_network=False),
    "xrpl": _Canonical("chains.xrpl:canonical_address", takes_network=False),
    "tron": _Canonical("chains.tron.address:canonical_address", takes_network=False),
    "stellar": _Canonical("chains.stellar:canonical_address", takes_network=False),
    "solana": _Canonical("chains.solana.address:canonical_address", takes_network=False),
    "tvm": _Canonical("chains.ton.address:canonical_address", takes_network=True),
    "bip122": _Canonical("chains.bitcoin.address:canonical_address", takes_network=True),
}


def canonical_account(account: AccountId) -> AccountId:
    """Return the account with its address checked (checksum, prefix) and in its family's one spelling.

    Raises IdentifierError for a wrong address or an unknown family, NetworkDataError for a network of the Bitcoin
    family that is not described here (its prefixes are needed). Source: CAIP-10.
    """
    chain, address = chain_of(account_id(account)), address_of(account)
    family = FAMILIES.get(family_of(chain))
    if family is None:
        known = ", ".join(sorted(FAMILIES))
        raise IdentifierError(f"{account!r}: no rules for addresses of {family_of(chain)!r}; known: {known}")
    module, _, name = family.function.partition(":")
    function = cast(Callable[..., str], getattr(import_module(module), name))
    spelled = function(network_of(chain), address) if family.takes_network else function(address)
    return account_id(f"{chain}:{spelled}")
