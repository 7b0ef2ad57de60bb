"""The words that are not simply what a pool holds: one small function each."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from chains.ids import AssetId
from chains.model import Tier
from verifier.case import Position
from verifier.declaration import utc_seconds
from verifier.dressing.coin_age import aged_coins
from verifier.dressing.patterns import covers_aftermath, departures, round_trips
from verifier.dressing.profile import Profile, held_at_drawn
from verifier.drill import Drilled
from verifier.ownership.claims import Control, control_of
from verifier.policy.case_amounts import NO_LIABILITIES, Amounts
from verifier.policy.eligibility import UNSHOWN
from verifier.policy.finding import Reason
from verifier.policy.inputs import SAID, Atom, Doubt, at_least, doubts_of, missing
from verifier.policy.interval import UNKNOWN, Interval
from verifier.policy.observed_words import OBSERVED_AMOUNTS, OBSERVED_COUNTS
from verifier.segregation.roles import shared_addresses

NO_DATE = "the signed message states no date"
NO_WINDOW = "the run looked at no window before the snapshot (por collect --window DAYS)"
SECONDS_PER_HOUR = 3600


def _control_shown(position: Position) -> Atom:
    control = control_of(position.ownership, position.placement.pool)
    if control in UNSHOWN:
        return missing("control", UNSHOWN[control])
    return Atom("control", Interval.exactly(control is Control.SIGNED), Tier.PROVEN)


def _claim_binding(position: Position) -> Atom:
    if position.ownership is None:
        return missing("binding", UNSHOWN[Control.UNCLAIMED])
    return Atom("binding", Interval.exactly(position.ownership.binding), Tier.PROVEN)


def _claim_age(position: Position) -> Atom:
    age = position.ownership.age_days if position.ownership else None
    if age is None:
        text = NO_DATE if position.ownership else UNSHOWN[Control.UNCLAIMED]
        return Atom("age", UNKNOWN, Tier.PROVEN, doubts=(Doubt(Reason.MISSING_INPUT, text),))
    return Atom("age", Interval.exactly(age), Tier.PROVEN)


def _assets_owed(amounts: Amounts) -> Atom:
    liabilities = amounts.case.liabilities
    if liabilities is None:
        return missing("assets owed", NO_LIABILITIES)
    count = sum(1 for units in liabilities.totals.values() if units)
    return Atom("assets owed", Interval.exactly(count), liabilities.tier, (liabilities.commitment,))


def _assets_covered(amounts: Amounts) -> Atom:
    liabilities = amounts.case.liabilities
    if liabilities is None:
        return missing("assets covered", NO_LIABILITIES)
    held = amounts.case.positions_by_asset
    count = sum(1 for asset, units in liabilities.totals.items() if units and asset in held)
    return Atom("assets covered", Interval.exactly(count), liabilities.tier, (liabilities.commitment,))


def _client_accounts(amounts: Amounts) -> Atom:
    liabilities = amounts.case.liabilities
    if liabilities is None:
        return missing("client accounts", NO_LIABILITIES)
    return Atom("client accounts", Interval.exactly(liabilities.accounts), liabilities.tier, (liabilities.commitment,))


def _snapshot_spread(amounts: Amounts) -> Atom:
    blocks, stated = amounts.case.blocks, utc_seconds(amounts.case.declaration.as_of)
    if not blocks:
        return missing("snapshot spread", "no block was pinned")
    seconds = max(abs(block.time - stated) for block in blocks)
    return Atom("snapshot spread", Interval.exactly(Fraction(seconds, SECONDS_PER_HOUR)), Tier.OBSERVED)


def _addresses_in_two_pools(amounts: Amounts) -> Atom:
    found = shared_addresses(amounts.case)
    remarks = tuple(f"{one.address} is declared as {' and '.join(one.pools)}" for one in found[:SAID])
    return Atom("addresses in two pools", Interval.exactly(len(found)), Tier.PROVEN, remarks=remarks)


def _shared_quorums(amounts: Amounts) -> Atom:
    overview = amounts.keys
    found = [one for one in overview.shared if one.suffices]
    remarks = tuple(f"{one.account} ({one.pool}) can be moved with the company's own keys" for one in found[:SAID])
    return at_least("shared quorums", len(found), _key_doubts(overview.unknown), remarks)


def _wallets_with_shared_keys(amounts: Amounts) -> Atom:
    overview = amounts.keys
    remarks = tuple(f"{one.account} ({one.pool}) shares {one.keys[0]}" for one in overview.shared[:SAID])
    return at_least("shared keys", len(overview.shared), _key_doubts(overview.unknown), remarks)


def _key_doubts(unknown: Sequence[str]) -> list[str]:
    return [f"{account}: whose keys move it is not known" for account in unknown]


def _mixed_spends(amounts: Amounts) -> Atom:
    flows = amounts.flows
    if flows is None:
        return missing("mixed spends", NO_WINDOW)
    remarks = tuple(
        f"transaction {one.transaction} spends from {' and '.join(one.accounts[:2])}" for one in flows.mixed
    )
    atom = at_least("mixed spends", len(flows.mixed), list(flows.open), remarks)
    return atom._replace(tier=Tier.OBSERVED, evidence=flows.evidence)


def _outflow_to_own(amounts: Amounts, asset: AssetId) -> Atom:
    flows = amounts.flows
    if flows is None:
        return missing("outflow to own", NO_WINDOW, asset)
    found = [one for one in flows.outflows if one.asset == asset]
    opened = [one for one in flows.open if asset in one]
    remarks = tuple(f"{one.units} base units in transaction {one.transaction}" for one in found[:SAID])
    atom = at_least("outflow to own", sum(one.units for one in found), opened, remarks)
    return atom._replace(tier=Tier.OBSERVED, evidence=flows.evidence, asset=asset)


def _client_average(amounts: Amounts, asset: AssetId) -> Atom:
    owed = amounts.owed(asset)
    if owed.value.exact is None:
        return owed._replace(key="client average")
    most = int(owed.value.exact)
    return _followed(amounts, asset, "client average", lambda profile: profile.capped_mean(most), Fraction(most))


def _client_least(amounts: Amounts, asset: AssetId) -> Atom:
    return _followed(amounts, asset, "client least", lambda profile: Fraction(profile.least), None)


def _followed(
    amounts: Amounts, asset: AssetId, key: str, of: Callable[[Profile], Fraction], most: Fraction | None
) -> Atom:
    """Return a number of an asset's profile; wallets that could not be followed leave it open upwards."""
    profile = amounts.profile(asset)
    if profile is None:
        return missing(key, NO_WINDOW, asset)
    if profile.contradiction:
        return missing(key, profile.contradiction, asset)
    value = of(profile)
    doubts = doubts_of(profile.open)
    bounds = Interval(value, most) if doubts else Interval.exactly(value)
    return Atom(key, bounds, profile.tier, profile.evidence, doubts, asset)


def _client_at_drawn(amounts: Amounts, asset: AssetId) -> Atom:
    profile = amounts.profile(asset)
    if profile is None:
        return missing("client at drawn", NO_WINDOW, asset)
    drawn = held_at_drawn(amounts.case, asset, profile)
    if drawn is None:
        return missing("client at drawn", profile.contradiction or "no block was drawn", asset)
    # At every drawn block as much is known to be held: what is not known can only be more, at any of them.
    doubts = doubts_of(drawn.open)
    bounds = Interval(Fraction(drawn.least), None) if doubts else Interval.exactly(drawn.least)
    remarks = (f"least at block {drawn.height}, of {drawn.blocks} drawn",)
    return Atom("client at drawn", bounds, drawn.tier, drawn.evidence, doubts, asset, remarks)


def _client_aged(amounts: Amounts, asset: AssetId) -> Atom:
    profile = amounts.profile(asset)
    if profile is None:
        return missing("client aged", NO_WINDOW, asset)
    found = aged_coins(amounts.case, asset, profile.window.opening.height)
    doubts = doubts_of(found.unlisted)
    bounds = Interval(Fraction(found.aged), None) if doubts else Interval.exactly(found.aged)
    return Atom("client aged", bounds, found.tier, found.evidence, doubts, asset)


def _round_trip_inflow(amounts: Amounts, asset: AssetId) -> Atom:
    profile = amounts.profile(asset)
    if profile is None:
        return missing("round trips", NO_WINDOW, asset)
    found = round_trips(amounts.case, asset)
    remarks = tuple(
        f"{one.came} base units came from {one.counterpart or 'an unnamed sender'}, {one.returned} went back"
        for one in found[:SAID]
    )
    doubts = [*profile.open, *_no_aftermath(amounts, asset)]
    atom = at_least("round trips", sum(one.returned for one in found), doubts, remarks)
    return atom._replace(tier=Tier.OBSERVED, evidence=profile.evidence, asset=asset)


def _left_after_snapshot(amounts: Amounts, asset: AssetId) -> Atom:
    profile = amounts.profile(asset)
    if profile is None:
        return missing("departures", NO_WINDOW, asset)
    found = departures(amounts.case, asset)
    remarks = tuple(f"{one.left} of {one.held} base units left {one.account}" for one in found[:SAID])
    doubts = [*profile.open, *_no_aftermath(amounts, asset)]
    atom = at_least("departures", sum(one.left for one in found), doubts, remarks)
    return atom._replace(tier=Tier.OBSERVED, evidence=profile.evidence, asset=asset)


def drill_hours(drilled: Drilled) -> Atom:
    """Return the hours until nineteen of twenty drawn wallets had moved; not so many yet: at least so long."""
    remarks = (f"{drilled.moved} of {drilled.wallets} drawn wallets moved", *drilled.texts)
    if drilled.most is not None:
        hours = Interval.exactly(Fraction(drilled.most, SECONDS_PER_HOUR))
        return Atom("drill hours", hours, drilled.tier, remarks=remarks)
    doubts = (Doubt(Reason.UNCERTAIN_BALANCE, "not nineteen of twenty drawn wallets are known to have moved"),)
    watched = Fraction(0) if drilled.unknown else Fraction(drilled.watched, SECONDS_PER_HOUR)
    return Atom("drill hours", Interval(watched, None), drilled.tier, doubts=doubts, remarks=remarks)


def _no_aftermath(amounts: Amounts, asset: AssetId) -> list[str]:
    return [] if covers_aftermath(amounts.case, asset) else ["the blocks end less than 48 hours after the snapshot"]


ADDRESS_WORDS: Mapping[str, Callable[[Position], Atom]] = {
    "control_shown": _control_shown,
    "claim_binding": _claim_binding,
    "claim_age": _claim_age,
}
CASE_WORDS: Mapping[str, Callable[[Amounts], Atom]] = {
    "assets_owed": _assets_owed,
    "assets_covered": _assets_covered,
    "client_accounts": _client_accounts,
    "snapshot_spread": _snapshot_spread,
    "addresses_in_two_pools": _addresses_in_two_pools,
    "shared_quorums": _shared_quorums,
    "wallets_with_shared_keys": _wallets_with_shared_keys,
    "mixed_spends": _mixed_spends,
    **OBSERVED_COUNTS,
}
ASSET_WORDS: Mapping[str, Callable[[Amounts, AssetId], Atom]] = {
    "client_average": _client_average,
    "client_least": _client_least,
    "client_at_drawn": _client_at_drawn,
    "client_aged": _client_aged,
    "round_trip_inflow": _round_trip_inflow,
    "left_after_snapshot": _left_after_snapshot,
    "outflow_to_own": _outflow_to_own,
    **OBSERVED_AMOUNTS,
}
