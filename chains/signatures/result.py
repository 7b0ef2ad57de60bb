"""What a signature shows about an account."""

from collections.abc import Callable
from typing import NamedTuple

from chains.ids import AccountId

UNBOUND = "unbound"  # a key signed, and nothing ties the address to this key


class OwnershipResult(NamedTuple):
    """`valid` decides; `reason` says why in one word or two; `signer` is the account whose key really signed.

    `valid_from_time` and `valid_from_age` are locks a script was opened under, as BIP-322 and BIP-68 count them.
    """

    valid: bool
    reason: str
    scheme: str
    account: AccountId
    signer: AccountId | None = None
    valid_from_time: int = 0
    valid_from_age: int = 0

    @property
    def inconclusive(self) -> bool:
        """Whether the signature touches a rule that is kept for later days; such a result is not valid."""
        return self.reason.startswith("inconclusive")


Digest = Callable[[bytes], bytes]
