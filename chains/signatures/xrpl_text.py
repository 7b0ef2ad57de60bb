"""XRP Ledger keys sign a text; wallets agree on no prefix, so the bytes are those of the text."""

import re
from hashlib import sha512

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from chains.ids import AccountId
from chains.signatures.known_key import check_named_key
from chains.signatures.result import OwnershipResult

SCHEME = "xrpl-text"
_DER = re.compile(r"[0-9A-F]{16,144}")
_WIDE = 32


def verify(account: AccountId, message: str, signature: str, *, public_key: str) -> OwnershipResult:
    """Check a DER signature (capital hex) by a secp256k1 key over half of the text's SHA-512.

    The ledger lets an account set another key: a signature by a key that is not the address's own is `unbound`. Keys of
    ed25519 are not covered. Reasons as in `chains.signatures.known_key`. Source: XRP Ledger, cryptographic keys.
    """
    return check_named_key(SCHEME, account, message, _compact(signature), public_key, digest, ("xrpl",))


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return sha512(text).digest()[:32]


def _compact(signature: str) -> bytes | None:
    """Return r and s from the one DER spelling there is of them, else None."""
    if not _DER.fullmatch(signature) or len(signature) % 2:
        return None
    raw = bytes.fromhex(signature)
    try:
        r, s = decode_dss_signature(raw)
        if encode_dss_signature(r, s) != raw:
            return None
        return r.to_bytes(_WIDE) + s.to_bytes(_WIDE)
    except (ValueError, OverflowError):
        return None
