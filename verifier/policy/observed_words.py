"""The words that rest on what the chains were asked beyond balances: rights of others, and frozen coins."""

from collections.abc import Callable, Mapping

from chains.ids import AssetId
from verifier.case import Case
from verifier.liquidity.debts import debt_in
from verifier.liquidity.frozen import frozen_units
from verifier.policy.case_amounts import Amounts
from verifier.policy.inputs import Atom, at_least, missing
from verifier.protected import Tally
from verifier.segregation.rights import delegated_accounts, foreign_upgrades, pullable_units, safe_modules

NOT_ASKED = "the run asked the chains for balances only (por collect asks more unless --no-questions)"


def _wallets(key: str, of: Callable[[Case], Tally | None]) -> Callable[[Amounts], Atom]:
    return lambda amounts: _atom(key, of(amounts.case), None)


def _units(key: str, of: Callable[[Case, AssetId], Tally | None]) -> Callable[[Amounts, AssetId], Atom]:
    return lambda amounts, asset: _atom(key, of(amounts.case, asset), asset)


def _atom(key: str, found: Tally | None, asset: AssetId | None) -> Atom:
    if found is None:
        return missing(key, NOT_ASKED, asset or "")
    atom = at_least(key, found.total, found.open, found.words)
    return atom._replace(tier=found.tier, evidence=found.evidence, asset=asset or "")


OBSERVED_COUNTS: Mapping[str, Callable[[Amounts], Atom]] = {
    "delegated_accounts": _wallets("delegated accounts", delegated_accounts),
    "safes_with_modules": _wallets("safes with modules", safe_modules),
    "foreign_upgrades": _wallets("foreign upgrades", foreign_upgrades),
}
OBSERVED_AMOUNTS: Mapping[str, Callable[[Amounts, AssetId], Atom]] = {
    "pullable": _units("pullable", pullable_units),
    "frozen": _units("frozen", frozen_units),
    "debt": _units("debt", debt_in),
}
