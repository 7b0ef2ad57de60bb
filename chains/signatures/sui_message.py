"""Sui personal messages: the signature carries its scheme and its key."""

import base64
import binascii
from hashlib import blake2b

from chains.ids import AccountId
from chains.signatures.address_text import uleb128
from chains.signatures.ed25519 import check_edwards
from chains.signatures.result import OwnershipResult

SCHEME = "sui-message"
_INTENT = bytes([3, 0, 0])  # personal message, version 0, application Sui
_ED25519 = 0
_BYTES = 1 + 64 + 32


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check base64 of scheme flag, signature and key over a personal message; ed25519 keys only.

    Reasons: those of `ed25519`, and `key-kind-not-covered` for other flags. Source: Sui documentation, intent signing.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if raw and raw[0] != _ED25519:
        return OwnershipResult(False, "key-kind-not-covered", SCHEME, account)
    if len(raw) != _BYTES or base64.b64encode(raw).decode("ascii") != signature:
        return OwnershipResult(False, "malformed-signature", SCHEME, account)
    return check_edwards(SCHEME, digest, account, message, raw[1:65].hex(), raw[65:].hex(), families=("sui",))


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed: the hash of the intent and the text after its length (BCS)."""
    return blake2b(_INTENT + uleb128(len(text)) + text, digest_size=32).digest()
