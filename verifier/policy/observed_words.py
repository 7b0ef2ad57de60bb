"""The words that rest on what the chains were asked beyond balances: rights of others, and frozen coins."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from chains.ids import AssetId
from verifier.case import Case
from verifier.liquidity.debts import debt_in
from verifier.liquidity.frozen import frozen_units
from verifier.policy.case_amounts import Amounts
from verifier.policy.eligibility import SAID
from verifier.policy.finding import Reason
from verifier.policy.inputs import Atom, Doubt, missing
from verifier.policy.interval import Interval
from verifier.segregation.rights import Rights, delegated_accounts, foreign_upgrades, pullable_units, safe_modules

NOT_ASKED = "the run asked the chains for balances only (por collect asks more unless --no-questions)"


def _counted(key: str, of: Callable[[Case], Rights | None]) -> Callable[[Amounts], Atom]:
    def word(amounts: Amounts) -> Atom:
        rights = of(amounts.case)
        return missing(key, NOT_ASKED) if rights is None else _atom(key, len(rights.found), rights)

    return word


def _pullable(amounts: Amounts, asset: AssetId) -> Atom:
    found = pullable_units(amounts.case, asset)
    if found is None:
        return missing("pullable", NOT_ASKED, asset)
    return _atom("pullable", found.units, found.rights)._replace(asset=asset)


def _frozen(amounts: Amounts, asset: AssetId) -> Atom:
    found = frozen_units(amounts.case, asset)
    if found is None:
        return missing("frozen", NOT_ASKED, asset)
    said = tuple(f"{account} is frozen" for account in found.accounts)
    return _atom("frozen", found.units, Rights(said, found.tier, found.evidence, found.open))._replace(asset=asset)


def _debt(amounts: Amounts, asset: AssetId) -> Atom:
    found = debt_in(amounts.case, asset)
    if found is None:
        return missing("debt", NOT_ASKED, asset)
    return _atom("debt", found.units, Rights(found.said, found.tier, found.evidence, found.open))._replace(asset=asset)


def _atom(key: str, count: int, rights: Rights) -> Atom:
    doubts = tuple(Doubt(Reason.UNCERTAIN_BALANCE, text) for text in rights.open[:SAID])
    bounds = Interval(Fraction(count), None) if doubts else Interval.exactly(count)
    return Atom(key, bounds, rights.tier, rights.evidence, doubts, remarks=rights.found[:SAID])


OBSERVED_COUNTS: Mapping[str, Callable[[Amounts], Atom]] = {
    "delegated_accounts": _counted("delegated accounts", delegated_accounts),
    "safes_with_modules": _counted("safes with modules", safe_modules),
    "foreign_upgrades": _counted("foreign upgrades", foreign_upgrades),
}
OBSERVED_AMOUNTS: Mapping[str, Callable[[Amounts, AssetId], Atom]] = {
    "pullable": _pullable,
    "frozen": _frozen,
    "debt": _debt,
}
