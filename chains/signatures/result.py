"""What a signature shows about an account."""

from typing import NamedTuple

from chains.ids import AccountId


class OwnershipResult(NamedTuple):
    """`valid` decides; `reason` says why in one word or two; `signer` is the account whose key really signed."""

    valid: bool
    reason: str
    scheme: str
    account: AccountId
    signer: AccountId | None = None
