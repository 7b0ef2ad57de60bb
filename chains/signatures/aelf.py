"""aelf wallets sign the SHA-256 hash of a text, without a prefix."""

from hashlib import sha256

from chains.errors import IdentifierError
from chains.ids import AccountId, ChainId, chain_of
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "aelf"
CHAIN = ChainId("slip44:1616")


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check r, s and recovery id in hex over a text's hash; the account is bare or written `ELF_…_AELF`.

    Nothing in these bytes tells a text from a transaction: only the text's own words do. Reasons as in `eip-191`.
    Raises IdentifierError for another chain. Source: aelf SDK, wallet.
    """
    if chain_of(account) != CHAIN:
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of {CHAIN} only")
    return check_recovered(SCHEME, account, message, signature, digest)


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return sha256(text).digest()
