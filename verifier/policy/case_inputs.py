"""A case as the inputs of rules: every word of the vocabulary is read from it once, however many packs ask."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from chains.ids import AccountId, AssetId
from chains.model import Balance, Tier
from verifier.case import Case, Position
from verifier.declaration import CLIENT_POOLS, OffChainPool, Pool, utc_seconds
from verifier.ownership.claims import Control, control_of
from verifier.policy.eligibility import UNSHOWN, pool_amount
from verifier.policy.finding import Reason
from verifier.policy.inputs import Atom, Doubt, Priced, Scope, missing
from verifier.policy.interval import NOT_NEGATIVE, UNKNOWN, Interval, highest, multiply, plus
from verifier.snapshot import Price, unit_prices

RELIED_ON = (*CLIENT_POOLS, Pool.GUARANTEE, Pool.RESERVE_FUND)
NO_LIABILITIES = "no liabilities were committed to"
NO_DATE = "the signed message states no date"
SECONDS_PER_HOUR = 3600


class _Pooled(NamedTuple):
    """A quantity that is what certain pools hold; `controlled`: only as far as control is shown."""

    pools: tuple[Pool, ...]
    controlled: bool


POOLED: Mapping[str, _Pooled] = {
    "client_held": _Pooled(CLIENT_POOLS, controlled=False),
    "client_controlled": _Pooled(CLIENT_POOLS, controlled=True),
    "client_hot_held": _Pooled((Pool.CLIENT_HOT,), controlled=False),
    "client_cold_held": _Pooled((Pool.CLIENT_COLD,), controlled=False),
    "client_cold_controlled": _Pooled((Pool.CLIENT_COLD,), controlled=True),
    "client_third_party_held": _Pooled((Pool.CLIENT_THIRD_PARTY,), controlled=False),
    "guarantee_controlled": _Pooled((Pool.GUARANTEE,), controlled=True),
    "reserve_fund_controlled": _Pooled((Pool.RESERVE_FUND,), controlled=True),
    "proprietary_held": _Pooled((Pool.PROPRIETARY,), controlled=False),
}
OFF_CHAIN = {
    "fiat_trust": OffChainPool.FIAT_TRUST,
    "insurance_limit": OffChainPool.INSURANCE,
    "bank_guarantee": OffChainPool.BANK_GUARANTEE,
}


class Amounts:
    """What a case holds per asset, pool and shown control, each counted once for every rulebook."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._counted: dict[tuple[AssetId, Pool, bool], Atom] = {}

    @cached_property
    def assets(self) -> list[AssetId]:
        """The assets that are declared or owed, in order."""
        owed = self.case.liabilities.totals if self.case.liabilities else {}
        return sorted({AssetId(one.asset) for one in self.case.declaration.assets} | set(owed))

    @cached_property
    def wallets(self) -> dict[AccountId, Position]:
        """The accounts of client, guarantee and reserve pools, each with a position that shows its claim."""
        return {p.placement.holding.account: p for p in self.case.positions if p.placement.pool in RELIED_ON}

    def held(self, asset: AssetId, pool: Pool, controlled: bool) -> Atom:
        """Return the units of an asset in a pool, all of them or those under shown control."""
        key = (asset, pool, controlled)
        if key not in self._counted:
            amount = pool_amount(self.case, asset, (pool,), signed_only=controlled)
            high = None if amount.high is None else Fraction(amount.high)
            self._counted[key] = Atom(
                f"{pool} {asset} {'controlled' if controlled else 'held'}",
                Interval(Fraction(amount.low), high),
                amount.tier,
                amount.evidence,
                tuple(Doubt(Reason.UNCERTAIN_BALANCE, text) for text in amount.open),
                asset,
                amount.refused,
            )
        return self._counted[key]

    def owed(self, asset: AssetId) -> Atom:
        """Return what clients are owed of an asset."""
        liabilities = self.case.liabilities
        if liabilities is None:
            return missing(f"owed {asset}", NO_LIABILITIES, asset)
        units = Interval.exactly(liabilities.totals.get(asset, 0))
        return Atom(f"owed {asset}", units, liabilities.tier, (liabilities.commitment,), asset=asset)


class CaseInputs:
    """Answer what rules ask from one case, in one currency."""

    def __init__(self, amounts: Amounts, currency: str) -> None:
        self._amounts, self._case, self._currency = amounts, amounts.case, currency
        self._prices: dict[int, dict[AssetId, Price]] = {}

    def subjects(self, scope: Scope) -> Sequence[str]:
        """Return the assets declared or owed, the wallets relied on, or the one subject of the other scopes."""
        if scope is Scope.ASSET:
            return self._amounts.assets
        return list(self._amounts.wallets) if scope is Scope.ADDRESS else [str(scope)]

    def quantity(self, name: str, scope: Scope, subject: str) -> Sequence[Atom]:
        """Return the atoms of a word, or of a fact that the exchange states."""
        if scope is Scope.ADDRESS and name in ADDRESS_WORDS:
            return [ADDRESS_WORDS[name](self._amounts.wallets[AccountId(subject)])]
        if name == "owed" or name in POOLED:
            assets = self._amounts.assets if scope is Scope.TOTAL else [AssetId(subject)]
            return [atom for asset in assets for atom in self._units(name, asset)]
        if name in OFF_CHAIN:
            return self._off_chain(OFF_CHAIN[name])
        if name in CASE_WORDS:
            return [CASE_WORDS[name](self._amounts)]
        return [self._largest_wallet()] if name == "largest_wallet" else [self._statement(name, subject)]

    def price(self, asset: str, lookback_days: int) -> Priced | None:
        """Return the price of one base unit from the case's quotes."""
        if lookback_days not in self._prices:
            quotes = [quote for quote in self._case.prices if quote.lookback_days == lookback_days]
            self._prices[lookback_days] = unit_prices(quotes, self._currency, self._case.declaration.decimals())
        found = self._prices[lookback_days].get(AssetId(asset))
        return None if found is None else Priced(Interval(found.low, found.high), found.source)

    def override(self, parameter: str) -> Interval | None:
        """Return nothing: only example cases bring parameters of their own."""
        return None

    def _units(self, name: str, asset: AssetId) -> list[Atom]:
        if name == "owed":
            return [self._amounts.owed(asset)]
        pooled = POOLED[name]
        return [self._amounts.held(asset, pool, pooled.controlled) for pool in pooled.pools]

    def _off_chain(self, pool: OffChainPool) -> list[Atom]:
        return [
            Atom(
                f"{pool} {number}",
                Interval.exactly(Fraction(int(holding.units), 10**holding.decimals)),
                Tier.DECLARED,
                (holding.document,),
            )
            for number, holding in enumerate(self._case.declaration.off_chain)
            if holding.pool is pool and holding.currency == self._currency
        ]

    def _statement(self, name: str, subject: str) -> Atom:
        for stated in self._case.declaration.statements or ():
            if stated.name == name and (stated.asset is None or stated.asset == subject):
                value = Interval.exactly(Fraction(stated.value))
                return Atom(f"stated {name}", value, Tier.DECLARED, (stated.document,) if stated.document else ())
        return missing(f"stated {name}", f"the declaration states no {name}")

    def _largest_wallet(self) -> Atom:
        wallets: dict[AccountId, Interval] = {}
        for position in self._case.positions:
            holding, pool, _ = position.placement
            if pool in CLIENT_POOLS:
                result = position.result
                units = Interval.exactly(result.units) if isinstance(result, Balance) else NOT_NEGATIVE
                price = self.price(holding.asset, 0)
                value = multiply(units, price.value if price else NOT_NEGATIVE)
                wallets[holding.account] = plus(wallets.get(holding.account, Interval.exactly(0)), value)
        doubts = (Doubt(Reason.UNCERTAIN_BALANCE, "the value of a client wallet is not known"),)
        most = highest([Interval.exactly(0), *wallets.values()])
        return Atom("largest wallet", most, Tier.OBSERVED, doubts=doubts if most.high is None else ())


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
}
