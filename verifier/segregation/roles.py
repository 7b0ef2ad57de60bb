"""One address, one role: the same address for clients and for the company, on any chain, is no separation."""

from collections import defaultdict
from typing import NamedTuple

from chains.ids import AccountId, address_of, chain_of, family_of
from verifier.case import Case
from verifier.declaration import Pool


class SharedAddress(NamedTuple):
    """An address that is declared in more than one pool; on the EVM family one key moves it on every chain."""

    address: str
    pools: tuple[Pool, ...]
    accounts: tuple[AccountId, ...]


def shared_addresses(case: Case) -> list[SharedAddress]:
    """Return the addresses declared in several pools: the same account, or the same address on another chain."""
    pools: dict[tuple[str, str], dict[Pool, None]] = defaultdict(dict)
    accounts: dict[tuple[str, str], dict[AccountId, None]] = defaultdict(dict)
    for position in case.positions:
        account = position.placement.holding.account
        key = _identity(account)
        pools[key][position.placement.pool] = None
        accounts[key][account] = None
    return [
        SharedAddress(key[1], tuple(sorted(found)), tuple(sorted(accounts[key])))
        for key, found in sorted(pools.items())
        if len(found) > 1
    ]


def _identity(account: AccountId) -> tuple[str, str]:
    """Return what one key stands behind: an EVM address on every chain of the family, elsewhere the account."""
    family = family_of(chain_of(account))
    return (family, address_of(account).lower()) if family == "eip155" else (chain_of(account), address_of(account))
