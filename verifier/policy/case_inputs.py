"""A case as the inputs of rules: every word of the vocabulary is read from it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from chains.ids import AccountId, AssetId
from chains.model import Balance, Tier
from verifier.declaration import CLIENT_POOLS, OffChainPool, Pool
from verifier.policy.case_amounts import Amounts
from verifier.policy.case_words import ADDRESS_WORDS, ASSET_WORDS, CASE_WORDS, drill_hours
from verifier.policy.finding import Reason
from verifier.policy.inputs import Atom, Doubt, Priced, Scope, missing
from verifier.policy.interval import NOT_NEGATIVE, Interval, highest, multiply, plus
from verifier.snapshot import Price, unit_prices


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
LIQUID: Mapping[str, tuple[Pool, int]] = {
    "reserve_fund_within_1h": (Pool.RESERVE_FUND, 1),
    "reserve_fund_within_24h": (Pool.RESERVE_FUND, 24),
    "reserve_fund_within_7d": (Pool.RESERVE_FUND, 7 * 24),
    "guarantee_within_24h": (Pool.GUARANTEE, 24),
}
OFF_CHAIN = {
    "fiat_trust": OffChainPool.FIAT_TRUST,
    "insurance_limit": OffChainPool.INSURANCE,
    "bank_guarantee": OffChainPool.BANK_GUARANTEE,
}


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
        if name == "owed" or name in POOLED or name in LIQUID:
            assets = self._amounts.assets if scope is Scope.TOTAL else [AssetId(subject)]
            return [atom for asset in assets for atom in self._units(name, asset)]
        if name in OFF_CHAIN:
            return self._off_chain(OFF_CHAIN[name])
        if name in ASSET_WORDS:
            return [ASSET_WORDS[name](self._amounts, AssetId(subject))]
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
        if name in LIQUID:
            return [self._amounts.liquid(asset, *LIQUID[name])]
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
        if name == "drill_hours" and self._case.drilled is not None:
            return drill_hours(self._case.drilled)  # measured: the exchange's word does not count beside it
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
