"""What a case holds and owes, counted once however many rulebooks ask."""

from fractions import Fraction
from functools import cached_property

from chains.bitcoin.spending import Condition
from chains.ids import AccountId, AssetId
from verifier.case import Case, Position
from verifier.conditions import spending_conditions
from verifier.declaration import PROTECTED_POOLS, Pool
from verifier.dressing.profile import Profile, client_profile
from verifier.liquidity.ladder import liquid_within
from verifier.policy.eligibility import pool_amount
from verifier.policy.finding import Reason
from verifier.policy.inputs import SAID, Atom, Doubt, doubts_of, missing
from verifier.policy.interval import Interval
from verifier.segregation.flows import Flows, flows_of
from verifier.segregation.keys import KeyOverview, key_overview

NO_LIABILITIES = "no liabilities were committed to"


class Amounts:
    """What a case holds per asset, pool and shown control, each counted once for every rulebook."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._counted: dict[tuple[AssetId, Pool, bool], Atom] = {}
        self._profiles: dict[AssetId, Profile | None] = {}
        self._liquid: dict[tuple[AssetId, Pool, int], Atom] = {}

    @cached_property
    def assets(self) -> list[AssetId]:
        """The assets that are declared or owed, in order."""
        owed = self.case.liabilities.totals if self.case.liabilities else {}
        return sorted({AssetId(one.asset) for one in self.case.declaration.assets} | set(owed))

    @cached_property
    def wallets(self) -> dict[AccountId, Position]:
        """The accounts of client, guarantee and reserve pools, each with a position that shows its claim."""
        return {p.placement.holding.account: p for p in self.case.positions if p.placement.pool in PROTECTED_POOLS}

    @cached_property
    def flows(self) -> Flows | None:
        """What moved between protected and proprietary wallets."""
        return flows_of(self.case)

    @cached_property
    def keys(self) -> KeyOverview:
        """Whose keys move which wallets."""
        return key_overview(self.case, self.conditions)

    @cached_property
    def conditions(self) -> dict[AccountId, Condition | None]:
        """What it takes to move each account."""
        return spending_conditions(self.case)

    def liquid(self, asset: AssetId, pool: Pool, hours: int) -> Atom:
        """Return what a pool could pay of an asset within some hours, under shown control."""
        key = (asset, pool, hours)
        if key not in self._liquid:
            self._liquid[key] = self._within(asset, pool, hours)
        return self._liquid[key]

    def _within(self, asset: AssetId, pool: Pool, hours: int) -> Atom:
        found = liquid_within(self.case, self.conditions, asset, pool, hours)
        return Atom(
            f"{pool} {asset} within {hours} hours",
            Interval(Fraction(found.low), None if found.high is None else Fraction(found.high)),
            found.tier,
            found.evidence,
            doubts_of(found.open),
            asset,
            tuple(f"{units} base units: {why}" for why, units in found.barred[:SAID]),
        )

    def profile(self, asset: AssetId) -> Profile | None:
        """Return what client wallets of an asset held block by block."""
        if asset not in self._profiles:
            self._profiles[asset] = client_profile(self.case, asset)
        return self._profiles[asset]

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
