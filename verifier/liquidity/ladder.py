"""What a pool could pay within an hour, a day, a week: as an interval, with what stands in the way."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chains.bitcoin.spending import Condition, least_lock
from chains.ids import AccountId, AssetId, chain_of, family_of
from chains.model import Balance, Tier
from verifier.case import Case, Position
from verifier.declaration import Pool
from verifier.liquidity.coins import Slice, slices_of_coins
from verifier.liquidity.forms import form_of
from verifier.liquidity.frozen import frozen_by
from verifier.ownership.claims import Control, control_of

NEVER = 10**9
FROZEN, FROZEN_UNKNOWN = "frozen by its token", "whether its token has frozen it is not told"
SLOW_IN_DRILL = "took so long in the drill"
SECONDS_PER_HOUR = 3_600
STALE_DAYS = 30  # an older signature does not show that the signers can be gathered today
STALE_HOURS = 168
SCRIPT_UNKNOWN = "only a hash of its script is known"
COINS_UNLISTED = "its coins are not listed"
SIGNED_LONG_AGO = "its last signature is older than 30 days"
SIGNED_UNDATED = "its last signature states no date"


Conditions = Mapping[AccountId, Condition | None]


class Liquid(NamedTuple):
    """Units of a pool that can be had within some hours: at least `low`, at most `high` (None: not bounded).

    `barred` says what keeps the rest, with the units, largest first; `open` what leaves the bounds apart.
    """

    low: int
    high: int | None
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]
    barred: tuple[tuple[str, int], ...]


def liquid_within(case: Case, conditions: Conditions, asset: AssetId, pool: Pool, hours: int) -> Liquid:
    """Return what a pool holds of an asset, under shown control, that can be had within `hours`."""
    low, high, tier, bounded = 0, 0, Tier.PROVEN, True
    evidence: set[str] = set()
    opened: Counter[str] = Counter()
    barred: Counter[str] = Counter()
    for position in case.positions_by_asset.get(asset, ()):
        if position.placement.pool is not pool:
            continue
        control = control_of(position.ownership, pool)
        if control is Control.REFUSED:
            continue
        if not isinstance(position.result, Balance):
            bounded = False
            opened[f"{position.placement.holding.account} has no agreed balance"] += 1
            continue
        tier = min(tier, case.tier_of(position.result))
        evidence.update(position.result.evidence)
        for part in _slices(case, conditions, position, position.result):
            if part.hours is None:
                high += part.units
                opened[part.why] += part.units
            elif part.hours > hours:
                barred[part.why] += part.units
            else:
                high += part.units
                low += part.units if control is Control.SIGNED else 0
        if control is not Control.SIGNED:
            opened[f"control of {position.placement.holding.account} is not shown"] += 1
    return Liquid(
        low, high if bounded else None, tier, tuple(sorted(evidence)),
        tuple(why for why, _ in opened.most_common()), tuple(barred.most_common()),
    )  # fmt: skip


def _slices(case: Case, conditions: Conditions, position: Position, balance: Balance) -> Iterator[Slice]:
    """Yield what a position holds in parts, each with the wait that its form, its script and its signers ask for."""
    (account, asset), claim = position.placement.holding, position.ownership
    frozen = frozen_by(case, account, asset)
    if frozen is not False:
        yield Slice(balance.units, NEVER, FROZEN) if frozen else Slice(balance.units, None, FROZEN_UNKNOWN)
        return
    form, drilled = form_of(asset), _drill_hours(case, position)
    undated = claim is not None and claim.age_days is None
    stale = claim is not None and claim.age_days is not None and claim.age_days > STALE_DAYS
    for part in _parts(conditions, position, balance):
        if part.hours is None or form.hours is None:
            yield Slice(part.units, None, part.why or f"{form.kind}: {form.note}")
        elif undated:
            yield Slice(part.units, None, SIGNED_UNDATED)
        elif stale and part.hours + form.hours < STALE_HOURS:
            yield Slice(part.units, STALE_HOURS, SIGNED_LONG_AGO)
        elif drilled is not None and drilled > part.hours + form.hours:
            yield Slice(part.units, drilled, SLOW_IN_DRILL)
        else:
            yield Slice(part.units, part.hours + form.hours, part.why or f"{form.kind}: {form.note}")


def _drill_hours(case: Case, position: Position) -> int | None:
    """Return how long the wallets of this pool took in the drill; what has not moved takes longer than was watched."""
    drilled = case.drilled
    if drilled is None or position.placement.pool not in drilled.pools or (drilled.hours is None and drilled.unknown):
        return None
    return drilled.watched // SECONDS_PER_HOUR + 1 if drilled.hours is None else drilled.hours


def _parts(conditions: Conditions, position: Position, balance: Balance) -> Iterator[Slice]:
    account = position.placement.holding.account
    condition = conditions[account]
    if family_of(chain_of(account)) != "bip122":
        yield Slice(balance.units, 0)
    elif condition is None or balance.coins is None:
        yield Slice(balance.units, None, SCRIPT_UNKNOWN if condition is None else COINS_UNLISTED)
    else:
        yield from slices_of_coins(balance.coins, least_lock(condition), balance.block)
