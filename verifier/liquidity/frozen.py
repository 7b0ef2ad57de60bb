"""Coins that their token has frozen for an account, or for everybody: there, and of no use."""

from typing import NamedTuple

from chains.ids import AccountId, AssetId, token_contract
from chains.model import Balance, Tier
from verifier.case import Case
from verifier.observed import PROTECTED

SAYS_SO = ("frozen", "paused")


class Frozen(NamedTuple):
    """Units of protected wallets that are frozen; `open` names wallets for which the token does not tell."""

    units: int
    tier: Tier
    evidence: tuple[str, ...]
    accounts: tuple[AccountId, ...]
    open: tuple[str, ...]


def frozen_by(case: Case, account: AccountId, asset: AssetId) -> bool:
    """Tell whether a token is known to have frozen an account."""
    token = token_contract(asset)
    told = case.observed.of(account, "frozen", token) if token else None
    return told is not None and told.text in SAYS_SO


def frozen_units(case: Case, asset: AssetId) -> Frozen | None:
    """Return what is frozen of an asset; None when the run asked nothing. A chain's own coin cannot be frozen."""
    if "frozen" not in case.observed.topics:
        return None
    token = token_contract(asset)
    units, tier, evidence, accounts, opened = 0, Tier.PROVEN, set[str](), list[AccountId](), list[str]()
    for position in case.positions_by_asset.get(asset, ()) if token else ():
        account = position.placement.holding.account
        if position.placement.pool not in PROTECTED:
            continue
        told = case.observed.of(account, "frozen", token or "")
        if told is None or told.text in (None, "not told"):
            opened.append(f"{account}: the token does not tell whether it is frozen")
            continue
        tier = min(tier, told.tier)
        evidence.update(told.evidence)
        if told.text in SAYS_SO:
            accounts.append(account)
            units += position.result.units if isinstance(position.result, Balance) else 0
    return Frozen(units, tier, tuple(sorted(evidence)), tuple(accounts), tuple(opened))
