"""What the chain shows of mixing: coins of clients and of the company spent together, and what went to the company."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from chains.history import History
from chains.ids import AccountId, AssetId, chain_of
from chains.model import Holding, Transfer
from verifier.case import Case
from verifier.declaration import PROTECTED_POOLS, Pool


class MixedSpend(NamedTuple):
    """A transaction that spends coins of a protected pool together with the company's own."""

    transaction: str
    height: int
    accounts: tuple[AccountId, ...]


class Outflow(NamedTuple):
    """What went from protected wallets to the company's own in one transaction."""

    transaction: str
    height: int
    asset: AssetId
    units: int


class Flows(NamedTuple):
    """Mixed spends and outflows of one window; `open` names the wallets whose transfers are not known."""

    mixed: tuple[MixedSpend, ...]
    outflows: tuple[Outflow, ...]
    evidence: tuple[str, ...]
    open: tuple[str, ...]


def flows_of(case: Case) -> Flows | None:
    """Return what moved between protected and proprietary wallets, or None when the run looked at no window."""
    if not case.past.windows:
        return None
    histories: list[History] = []
    opened: list[str] = []
    for position in case.positions:
        holding = position.placement.holding
        found = case.past.histories.get(holding)
        if isinstance(found, History):
            histories.append(found)
        else:
            opened.append(f"{holding.account}: transfers of {holding.asset} are not known")
    by_transaction = _transactions(histories)
    evidence = tuple(sorted({item for history in histories for item in history.evidence}))
    return Flows(tuple(_mixed(case, by_transaction)), tuple(_outflows(case, by_transaction)), evidence, tuple(opened))


Movement = tuple[Holding, Transfer]


def _transactions(histories: list[History]) -> dict[tuple[str, str], list[Movement]]:
    """Return the movements by (chain, transaction), in order of height."""
    found: dict[tuple[str, str], list[Movement]] = defaultdict(list)
    moved = ((history.holding, transfer) for history in histories for transfer in history.transfers)
    for holding, transfer in sorted(moved, key=lambda one: (one[1].height, one[1].transaction)):
        found[chain_of(holding.account), transfer.transaction].append((holding, transfer))
    return found


def _mixed(case: Case, transactions: dict[tuple[str, str], list[Movement]]) -> Iterator[MixedSpend]:
    for (_, transaction), moved in transactions.items():
        # Only coins name the transaction that spends them together; a token's transfers have one sender each.
        spenders = {holding.account for holding, one in moved if one.coin and one.sender == holding.account}
        pools = {case.accounts[account] for account in spenders}
        if Pool.PROPRIETARY in pools and pools.intersection(PROTECTED_POOLS):
            yield MixedSpend(transaction, moved[0][1].height, tuple(sorted(spenders)))


def _outflows(case: Case, transactions: dict[tuple[str, str], list[Movement]]) -> Iterator[Outflow]:
    for (_, transaction), moved in transactions.items():
        given: dict[AssetId, int] = defaultdict(int)
        taken: dict[AssetId, int] = defaultdict(int)
        for holding, transfer in moved:
            pool, account = case.accounts[holding.account], holding.account
            net = transfer.units * ((transfer.recipient == account) - (transfer.sender == account))
            if pool in PROTECTED_POOLS:
                given[holding.asset] -= net
            elif pool is Pool.PROPRIETARY:
                taken[holding.asset] += net
        for asset in sorted(given.keys() & taken.keys()):
            units = min(given[asset], taken[asset])
            if units > 0:
                yield Outflow(transaction, moved[0][1].height, asset, units)
