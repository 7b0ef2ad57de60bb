"""Who controls each wallet: the declaration's claims, checked one by one."""

from enum import StrEnum
from typing import NamedTuple

from chains.addresses import canonical_account
from chains.errors import ChainError
from chains.ids import AccountId
from chains.signatures import verify
from verifier.declaration import Declaration, OwnershipClaim


class Control(StrEnum):
    """What the claims for an account show; no claim at all is a state of its own, not a refusal."""

    SIGNED = "signed"
    REFUSED = "refused"
    UNCLAIMED = "unclaimed"


class Ownership(NamedTuple):
    """The best claim for one account: did its key sign, and does the message name this exchange and this date."""

    account: AccountId
    control: Control
    scheme: str
    bound: bool
    reason: str


def check_ownership(declaration: Declaration) -> dict[AccountId, Ownership]:
    """Check every ownership claim; the best one per account counts. An unreadable claim is refused, not fatal."""
    found: dict[AccountId, Ownership] = {}
    for claim in declaration.ownership:
        result = _check(declaration, claim)
        earlier = found.get(result.account)
        if earlier is None or _rank(result) > _rank(earlier):
            found[result.account] = result
    return found


def _rank(ownership: Ownership) -> tuple[bool, bool]:
    return ownership.control is Control.SIGNED, ownership.bound


def _check(declaration: Declaration, claim: OwnershipClaim) -> Ownership:
    bound = declaration.exchange.id in claim.message and declaration.as_of in claim.message
    try:
        account = canonical_account(AccountId(claim.account))
        result = verify(claim.scheme, account, claim.message, claim.signature)
    except ChainError as error:
        return Ownership(AccountId(claim.account), Control.REFUSED, claim.scheme, bound, str(error))
    control = Control.SIGNED if result.valid else Control.REFUSED
    return Ownership(account, control, claim.scheme, bound, result.reason)
