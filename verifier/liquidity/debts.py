"""What protected wallets owe to lending pools: coins that are there, and somebody else's."""

from chains.ids import AccountId, AssetId, token_contract
from verifier.case import Case
from verifier.observed import debt_tokens
from verifier.protected import Meaning, Tally, tally_accounts


def debt_in(case: Case, asset: AssetId) -> Tally | None:
    """Return what is owed of an asset by the debt tokens that are known; None when the run asked nothing."""
    contracts = [token_contract(token) or "" for token, owed in debt_tokens().items() if owed == asset]

    def owed(_: AccountId, text: str) -> Meaning:
        return Meaning(int(text), f"owes {text} base units") if int(text) else Meaning()

    return tally_accounts(case, "debt", owed, contracts)
