"""Who else could take or change: delegated code, Safe modules, standing allowances, and who may upgrade a wallet.

Each answer is None when the run asked the chains nothing about it.
"""

import json
from collections.abc import Sequence

from chains.evm_topics import PERMIT2
from chains.ids import AccountId, AssetId, address_of, chain_of, token_contract
from chains.model import Holding
from verifier.case import Case
from verifier.protected import NOTHING, Meaning, Tally, joined, tally_accounts, tally_holders

SHOWN = 3


def delegated_accounts(case: Case) -> Tally | None:
    """Return protected accounts whose key lets somebody's code act for it. Source: EIP-7702."""

    def delegate(_: AccountId, text: str) -> Meaning:
        return Meaning(1, f"delegates to {text[10:]}") if text.startswith("delegated ") else Meaning()

    return tally_accounts(case, "code", delegate)


def safe_modules(case: Case) -> Tally | None:
    """Return protected Safes with modules, which move coins without the owners."""

    def modules(_: AccountId, text: str) -> Meaning:
        enabled = json.loads(text)["state"].get("modules") or []
        return Meaning(1, f"runs the modules {', '.join(enabled)}") if enabled else Meaning()

    return tally_accounts(case, "safe", modules)


def foreign_upgrades(case: Case) -> Tally | None:
    """Return protected proxies that somebody outside their own pool may change. Source: EIP-1967.

    A proxy that names no admin may be changed by its own code: who that lets is not known.
    """

    def foreign(account: AccountId, text: str) -> Meaning:
        named = dict(part.split(" ") for part in text.split(", ")) if text != "none" else {}
        if not named:
            return Meaning()
        if "admin" not in named:
            return Meaning(open="a proxy without an admin, changed by its own code")
        admin = AccountId(f"{chain_of(account)}:{named['admin']}")
        if case.accounts.get(admin) == case.accounts.get(account):
            return Meaning()
        return Meaning(1, f"can be changed by {address_of(admin)}")

    return tally_accounts(case, "upgrade", foreign)


def pullable_units(case: Case, asset: AssetId) -> Tally | None:
    """Return what others may take of an asset from protected wallets, at most what is there.

    Permit2 is asked about by itself; all others are those whom the token's events name.
    """
    if not {"allowance", "approvals"} & set(case.observed.topics):
        return None
    token = token_contract(asset)
    if token is None:
        return NOTHING

    def pulled(account: AccountId, text: str) -> Meaning:
        return _taken(case, Holding(account, asset), [(PERMIT2, int(text))], 0)

    def approved(account: AccountId, text: str) -> Meaning:
        permitted = case.observed.of(account, "allowance", f"{token} {PERMIT2}")
        before = int(permitted.text) if permitted is not None and permitted.text is not None else 0
        spenders = [(spender, int(units)) for spender, units in json.loads(text) if spender != PERMIT2]
        return _taken(case, Holding(account, asset), spenders, before)

    return joined(
        tally_holders(case, asset, "allowance", f"{token} {PERMIT2}", pulled),
        tally_holders(case, asset, "approvals", token, approved),
    )


def _taken(case: Case, holding: Holding, spenders: Sequence[tuple[str, int]], before: int) -> Meaning:
    """Say what spenders may take of what is left when `before` units are taken already."""
    allowed = sum(units for _, units in spenders)
    if not allowed:
        return Meaning()
    held = case.units_of(holding)
    if held is None:
        return Meaning(open="has no agreed balance")
    taken = min(allowed, max(0, held - before))
    names = ["Permit2" if spender == PERMIT2 else spender for spender, units in spenders if units]
    return Meaning(taken, f"may lose {taken} base units by {', '.join(names[:SHOWN])}") if taken else Meaning()
