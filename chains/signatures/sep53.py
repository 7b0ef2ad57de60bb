"""Stellar signed messages, as its wallets sign them."""

from hashlib import sha256

from chains.ids import AccountId
from chains.signatures.ed25519 import check_edwards
from chains.signatures.result import OwnershipResult

PREFIX = b"Stellar Signed Message:\n"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check a signature (base64 or hex) over the hash of prefix and text; the address holds the key. Source: SEP-53.

    Reasons as in `ed25519`.
    """
    return check_edwards("sep-53", digest, account, message, signature, families=("stellar",))


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return sha256(PREFIX + text).digest()
