"""Who could move what: whether the company's own keys suffice for wallets of clients, as far as scripts show."""

from collections.abc import Mapping
from typing import NamedTuple

from chains.bitcoin.spending import Condition, can_spend, keys_of
from chains.ids import AccountId
from verifier.case import Case
from verifier.declaration import PROTECTED_POOLS, Pool


class SharedQuorum(NamedTuple):
    """A protected wallet whose keys are also keys of the company's own wallets; `suffices` when they are enough."""

    account: AccountId
    pool: Pool
    keys: tuple[str, ...]
    suffices: bool


class KeyOverview(NamedTuple):
    """The protected wallets with keys in common with the company's own, and those nothing is known of."""

    shared: tuple[SharedQuorum, ...]
    unknown: tuple[AccountId, ...]


def key_overview(case: Case, conditions: Mapping[AccountId, Condition | None]) -> KeyOverview:
    """Compare the keys behind protected wallets with those behind proprietary ones.

    A key is the same when its extended key, its public key, or the hash of it in an address is the same. A key derived
    from an extended key is not compared with a bare one.
    """
    company = [conditions[account] for account, pool in case.accounts.items() if pool is Pool.PROPRIETARY]
    own = {name for condition in company if condition is not None for name in keys_of(condition)}
    blind = None in company
    shared, unknown = [], []
    for account, pool in case.accounts.items():
        condition = conditions[account]
        if pool not in PROTECTED_POOLS:
            continue
        if condition is None:
            unknown.append(account)
            continue
        common = keys_of(condition) & own
        if common:
            shared.append(SharedQuorum(account, pool, tuple(sorted(common)), can_spend(condition, own)))
        elif blind:
            unknown.append(account)
    return KeyOverview(tuple(shared), tuple(unknown))
