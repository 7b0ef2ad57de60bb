"""What protected wallets owe to lending pools: coins that are there, and somebody else's."""

from typing import NamedTuple

from chains.ids import AssetId, token_contract
from chains.model import Tier
from verifier.case import Case
from verifier.observed import PROTECTED, debt_tokens


class Debt(NamedTuple):
    """Units of an asset that protected wallets owe; `open` names those the chain has not told about."""

    units: int
    said: tuple[str, ...]
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]


def debt_in(case: Case, asset: AssetId) -> Debt | None:
    """Return what is owed of an asset by the debt tokens that are known; None when the run asked nothing."""
    if "debt" not in case.observed.topics:
        return None
    contracts = {token_contract(token) for token, owed in debt_tokens().items() if owed == asset}
    units, said, tier, evidence, opened = 0, list[str](), Tier.PROVEN, set[str](), list[str]()
    for told in case.observed.about("debt"):
        account = told.question.account
        if told.question.detail not in contracts or case.accounts.get(account) not in PROTECTED:
            continue
        if told.text is None:
            opened.append(f"{account}: {told.failure}")
            continue
        tier = min(tier, told.tier)
        evidence.update(told.evidence)
        units += int(told.text)
        said += [f"{account} owes {told.text} base units"] if int(told.text) else []
    return Debt(units, tuple(said), tier, tuple(sorted(evidence)), tuple(opened))
