"""Coins that their token has frozen for an account, or for everybody: there, and of no use."""

from chains.ids import AccountId, AssetId, token_contract
from chains.model import Holding
from verifier.case import Case
from verifier.protected import NOTHING, Meaning, Tally, tally_holders

SAYS_SO = ("frozen", "paused")
NOT_TOLD = "not told"


def frozen_by(case: Case, account: AccountId, asset: AssetId) -> bool | None:
    """Tell whether a token has frozen an account; None where it was asked and nobody told.

    A chain's own coin cannot be frozen; where a run asked nothing, nothing is known to be frozen.
    """
    token = token_contract(asset)
    told = case.observed.of(account, "frozen", token) if token else None
    if told is None:
        return False
    return None if told.text in (None, NOT_TOLD) else told.text in SAYS_SO


def frozen_units(case: Case, asset: AssetId) -> Tally | None:
    """Return what is frozen of an asset in protected wallets; None when the run asked nothing."""
    token = token_contract(asset)
    if token is None:
        return NOTHING if "frozen" in case.observed.topics else None

    def frozen(account: AccountId, text: str) -> Meaning:
        if text == NOT_TOLD:
            return Meaning(open="the token does not tell whether it is frozen")
        units = case.units_of(Holding(account, asset)) or 0
        return Meaning(units, f"is {text}") if text in SAYS_SO else Meaning()

    return tally_holders(case, asset, "frozen", token, frozen)
