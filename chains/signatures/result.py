"""What a signature shows about an account."""

from collections.abc import Callable
from typing import NamedTuple

from chains.ids import AccountId

UNBOUND = "unbound"  # a key signed, and nothing ties the address to this key


class OwnershipResult(NamedTuple):
    """`valid` decides; `reason` says why in one word or two; `signer` is the account whose key really signed."""

    valid: bool
    reason: str
    scheme: str
    account: AccountId
    signer: AccountId | None = None


Digest = Callable[[bytes], bytes]
