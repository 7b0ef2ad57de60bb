"""What is held: per asset against what is owed, per pool by how it is known, and how soon it could be paid out."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from chains.ids import AssetId
from chains.model import Balance, Tier
from verifier.case import Case, Position
from verifier.declaration import CLIENT_POOLS, PROTECTED_POOLS, Pool
from verifier.liquidity.ladder import Liquid, liquid_within
from verifier.ownership.claims import Control, control_of
from verifier.policy.amounts import show_number, show_units
from verifier.policy.case_amounts import Amounts
from verifier.policy.eligibility import pool_amount
from verifier.policy.japanese import in_japanese
from verifier.report.content import Amount, Coverage, LadderRow, OffChainRow, Part, PoolRow
from verifier.report.names import asset_names
from verifier.report.words import Words

HOURS = (1, 24, 168)
TIERS = tuple(sorted(Tier, reverse=True))
SAID = 3


def amount(case: Case, asset: AssetId, units: int) -> Amount:
    """Return base units with what a reader knows them as."""
    return Amount(str(units), show_units(case, asset, units))


def coverage_rows(case: Case, say: Words) -> tuple[Coverage, ...]:
    """Return every asset that is declared or owed, the least covered first."""
    owed = case.liabilities.totals if case.liabilities else {}
    assets = [AssetId(one.asset) for one in case.declaration.assets]
    assets += [asset for asset in sorted(owed) if asset not in set(assets)]
    rows = [(_share(case, asset), number, asset) for number, asset in enumerate(assets)]
    names = asset_names(case)
    return tuple(_coverage(case, asset, names[asset], say) for _, _, asset in sorted(rows))


def _share(case: Case, asset: AssetId) -> Fraction:
    liability = case.liabilities.totals.get(asset) if case.liabilities else None
    held = pool_amount(case, asset, CLIENT_POOLS, signed_only=True).low
    return Fraction(held, liability) if liability else Fraction(10**12)


def _coverage(case: Case, asset: AssetId, name: str, say: Words) -> Coverage:
    found = pool_amount(case, asset, CLIENT_POOLS, signed_only=True)
    liability = case.liabilities.totals.get(asset, 0) if case.liabilities else None
    read = asset in case.positions_by_asset
    if not read and not liability:
        state, difference = "none", ""
    elif liability is None:
        state, difference = "unknown", ""
    elif found.low >= liability:
        state, difference = "covered", show_units(case, asset, found.low - liability)
    else:
        # What is not agreed or not signed may still be there: only an upper bound below what is owed is a shortfall.
        short = found.high is not None and found.high < liability
        state, difference = "short" if short else "open", show_units(case, asset, liability - found.low)
    return Coverage(
        asset,
        name,
        amount(case, asset, found.low),
        None if liability is None else amount(case, asset, liability),
        say(f"coverage.{state}", difference=difference),
        _percent(found.low, liability) if liability else "",
        state,
        say(f"tier.{found.tier.label}") if read else "",
    )


def _percent(units: int, of: int) -> str:
    parts = units * 1_000_000 // of
    return f"{parts // 10_000:,}.{parts % 10_000:04d} %"


def pool_rows(case: Case, say: Words) -> tuple[PoolRow, ...]:
    """Return what each pool holds of each asset, by how it is known."""
    found: dict[tuple[Pool, AssetId], list[Position]] = {}
    for position in case.positions:
        found.setdefault((position.placement.pool, AssetId(position.placement.holding.asset)), []).append(position)
    names = asset_names(case)
    order = sorted(found, key=lambda key: (names[key[1]], key[1], list(Pool).index(key[0])))
    return tuple(_pool_row(case, pool, asset, found[pool, asset], names[asset], say) for pool, asset in order)


def _pool_row(case: Case, pool: Pool, asset: AssetId, positions: list[Position], name: str, say: Words) -> PoolRow:
    units, holdings = Counter[Tier](), Counter[Tier]()
    controlled = 0
    for position in positions:
        if isinstance(position.result, Balance):
            tier = case.tier_of(position.result)
            units[tier] += position.result.units
            holdings[tier] += 1
            signed = control_of(position.ownership, pool) is Control.SIGNED
            controlled += position.result.units if signed else 0
    parts = (
        Part(tier.label, say(f"tier.{tier.label}"), amount(case, asset, units[tier]), holdings[tier])
        for tier in TIERS
        if holdings[tier]
    )
    return PoolRow(
        str(pool),
        say(f"pool.{pool}"),
        asset,
        name,
        amount(case, asset, units.total()),
        amount(case, asset, controlled),
        len(positions),
        len(positions) - holdings.total(),
        tuple(parts),
    )


def off_chain_rows(case: Case, say: Words) -> tuple[OffChainRow, ...]:
    """Return what is declared to be outside the chains."""
    return tuple(
        OffChainRow(
            say(f"pool.{one.pool}"),
            f"{show_number(Fraction(int(one.units), 10**one.decimals))} {one.currency}",
            one.document,
        )
        for one in case.declaration.off_chain
    )


def ladder_rows(amounts: Amounts, say: Words) -> tuple[LadderRow, ...]:
    """Return how soon each protected pool could pay what it holds of each asset."""
    case = amounts.case
    kept = {(p.placement.pool, p.placement.holding.asset) for p in case.positions}
    names = asset_names(case)
    return tuple(
        _ladder_row(amounts, pool, asset, names[asset], say)
        for asset in sorted(amounts.assets, key=lambda one: (names[one], one))
        for pool in PROTECTED_POOLS
        if (pool, asset) in kept
    )


def _ladder_row(amounts: Amounts, pool: Pool, asset: AssetId, name: str, say: Words) -> LadderRow:
    case = amounts.case
    rungs = [liquid_within(case, amounts.conditions, asset, pool, hours) for hours in HOURS]
    total = pool_amount(case, asset, (pool,), signed_only=False).low
    within = [amount(case, asset, rung.low) for rung in rungs]
    why = dict.fromkeys(_why(rungs))
    return LadderRow(
        str(pool),
        say(f"pool.{pool}"),
        asset,
        name,
        (within[0], within[1], within[2]),
        amount(case, asset, max(total - rungs[-1].low, 0)),
        amount(case, asset, total),
        say("ladder.bounds_open") if any(rung.high != rung.low for rung in rungs) else "",
        tuple(in_japanese(one) if say.japanese else one for one in list(why)[:SAID]),
    )


def _why(rungs: list[Liquid]) -> Iterator[str]:
    for rung in rungs:
        yield from rung.open[:SAID]
        yield from (said for said, _ in rung.barred[:SAID])
