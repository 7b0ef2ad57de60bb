"""Coins that have not moved for the whole window: a sound lower bound of what was held, from the snapshot alone."""

from typing import NamedTuple

from chains.ids import AssetId
from chains.model import Balance, Tier
from verifier.case import Case
from verifier.declaration import CLIENT_POOLS


class AgedCoins(NamedTuple):
    """Units in coins that lie still since a height, of all units held; `unlisted` wallets name no coins."""

    aged: int
    held: int
    since: int
    tier: Tier
    evidence: tuple[str, ...]
    unlisted: tuple[str, ...]


def aged_coins(case: Case, asset: AssetId, since: int) -> AgedCoins:
    """Return what client wallets hold in coins of blocks up to `since`; they were held at any later block as well."""
    aged = held = 0
    tier, evidence, unlisted = Tier.PROVEN, set[str](), list[str]()
    for position in case.positions_by_asset.get(asset, ()):
        if position.placement.pool not in CLIENT_POOLS:
            continue
        result = position.result
        if not isinstance(result, Balance) or result.coins is None:
            unlisted.append(f"{position.placement.holding.account}: its coins are not listed")
            continue
        held += result.units
        aged += sum(coin.units for coin in result.coins if coin.height <= since)
        tier = min(tier, case.tier_of(result))
        evidence.update(result.evidence)
    return AgedCoins(aged, held, since, tier, tuple(sorted(evidence)), tuple(unlisted))
