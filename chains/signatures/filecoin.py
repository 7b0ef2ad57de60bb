"""Filecoin signed messages, as the reference node signs them."""

import re
from hashlib import blake2b

from chains.ids import AccountId
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "filecoin"
_SECP256K1 = "01"
_HEX = re.compile(r"[0-9a-f]{132}")


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check what `lotus wallet sign` prints for a secp256k1 address: 01, r, s and recovery id in hex.

    Reasons as in `eip-191`, and `key-kind-not-covered` for other kinds of key. Source: Filecoin specification.
    """
    if _HEX.fullmatch(signature) and not signature.startswith(_SECP256K1):
        return OwnershipResult(False, "key-kind-not-covered", SCHEME, account)
    digits = signature[2:] if _HEX.fullmatch(signature) else "none"
    return check_recovered(SCHEME, account, message, digits, digest, families=("fil",))


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return blake2b(text, digest_size=32).digest()
