"""Who else could take or change: delegated code, Safe modules, standing allowances, and who may upgrade a wallet."""

import json
from collections.abc import Callable
from typing import NamedTuple

from chains.evm_topics import PERMIT2
from chains.ids import AccountId, AssetId, address_of, chain_of, token_contract
from chains.model import Balance, Tier
from verifier.case import Case
from verifier.observed import PROTECTED

Says = Callable[[AccountId, str], str]


class Rights(NamedTuple):
    """Accounts to which something applies, in words; `open` names those the chain has not told about."""

    found: tuple[str, ...]
    tier: Tier
    evidence: tuple[str, ...]
    open: tuple[str, ...]


class Pullable(NamedTuple):
    """Units that others may take by a standing allowance, at most what is there."""

    units: int
    rights: Rights


def delegated_accounts(case: Case) -> Rights | None:
    """Return protected accounts whose key lets somebody's code act for it. Source: EIP-7702."""
    return _collect(case, "code", lambda _, text: f"delegates to {text[10:]}" if text.startswith("delegated ") else "")


def safe_modules(case: Case) -> Rights | None:
    """Return protected Safes with modules, which move coins without the owners."""

    def modules(_: AccountId, text: str) -> str:
        enabled = json.loads(text)["state"].get("modules") or []
        return f"runs the modules {', '.join(enabled)}" if enabled else ""

    return _collect(case, "safe", modules)


def foreign_upgrades(case: Case) -> Rights | None:
    """Return protected proxies that somebody outside their own pool may change. Source: EIP-1967.

    A proxy that names no admin may be changed by its own code: who that lets is not known.
    """
    opened: list[str] = []

    def foreign(account: AccountId, text: str) -> str:
        named = dict(part.split(" ") for part in text.split(", ")) if text != "none" else {}
        admin = AccountId(f"{chain_of(account)}:{named['admin']}") if "admin" in named else None
        if named and admin is None:
            opened.append(f"{account}: a proxy without an admin, changed by its own code")
        if admin is None or case.accounts.get(admin) == case.accounts.get(account):
            return ""
        return f"can be changed by {address_of(admin)}"

    rights = _collect(case, "upgrade", foreign)
    return rights._replace(open=(*rights.open, *opened)) if rights else None


def pullable_units(case: Case, asset: AssetId) -> Pullable | None:
    """Return what Permit2 may take of an asset from protected wallets; None when the run asked nothing."""
    if "allowance" not in case.observed.topics:
        return None
    token = token_contract(asset)
    units, found, tier, evidence, opened = 0, list[str](), Tier.PROVEN, set[str](), list[str]()
    for position in case.positions_by_asset.get(asset, ()) if token else ():
        account = position.placement.holding.account
        if position.placement.pool not in PROTECTED:
            continue
        told = case.observed.of(account, "allowance", f"{token} {PERMIT2}")
        if told is None or told.text is None or not isinstance(position.result, Balance):
            opened.append(f"{account}: {told.failure if told else 'was not asked'}")
            continue
        tier = min(tier, told.tier)
        evidence.update(told.evidence)
        taken = min(int(told.text), position.result.units)
        units += taken
        found += [f"{account}: {taken} base units by Permit2"] if taken else []
    return Pullable(units, Rights(tuple(found), tier, tuple(sorted(evidence)), tuple(opened)))


def _collect(case: Case, topic: str, says: Says) -> Rights | None:
    if topic not in case.observed.topics:
        return None
    found, tier, evidence, opened = list[str](), Tier.PROVEN, set[str](), list[str]()
    for told in case.observed.about(topic):
        account = told.question.account
        if case.accounts.get(account) not in PROTECTED:
            continue
        if told.text is None:
            opened.append(f"{account}: {told.failure}")
            continue
        tier = min(tier, told.tier)
        evidence.update(told.evidence)
        said = says(account, told.text)
        found += [f"{account} {said}"] if said else []
    return Rights(tuple(found), tier, tuple(sorted(evidence)), tuple(opened))
