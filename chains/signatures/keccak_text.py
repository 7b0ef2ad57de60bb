"""Bare Keccak: a key signs the Keccak-256 hash of the text without any envelope, as older exchange tools do."""

from chains.evm.keccak import keccak256
from chains.ids import AccountId
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "keccak"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check r, s and v over the text's hash itself, for accounts of EVM chains.

    Without an envelope the signer could have been shown something else that has this hash; the scheme is read because
    published lists use it. Reasons as in `eip-191`. Raises IdentifierError for another family or a malformed address.
    """
    return check_recovered(SCHEME, account, message, signature, keccak256, families=("eip155",))
