"""NEAR signed messages: text, nonce and recipient, as a wallet shows them."""

import base64
import binascii
import re
from hashlib import sha256

from chains.ids import AccountId
from chains.signatures.ed25519 import check_edwards
from chains.signatures.result import OwnershipResult

SCHEME = "nep-413"
_TAG = 2**31 + 413
_HEX_NONCE = re.compile(r"[0-9a-f]{64}")
MAX_TEXT = 10_000


def verify(
    account: AccountId,
    message: str,
    signature: str,
    *,
    nonce: str,
    recipient: str,
    callback_url: str = "",
    public_key: str = "",
) -> OwnershipResult:
    """Check a signature over the Borsh record of message, 32-byte nonce (hex or base64), recipient and callback URL.

    Reasons: those of `ed25519`, and `malformed-nonce`. A named account may have other keys than its id shows: it is
    `unbound` then. Source: NEP-413.
    """
    raw = _nonce(nonce)
    if raw is None or max(len(recipient), len(callback_url)) > MAX_TEXT:
        return OwnershipResult(False, "malformed-nonce", SCHEME, account)

    def digest(text: bytes) -> bytes:
        callback = b"\x01" + _string(callback_url.encode()) if callback_url else b"\x00"
        record = _TAG.to_bytes(4, "little") + _string(text) + raw + _string(recipient.encode()) + callback
        return sha256(record).digest()

    return check_edwards(SCHEME, digest, account, message, signature, public_key, families=("near",))


def _string(text: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text


def _nonce(text: str) -> bytes | None:
    if _HEX_NONCE.fullmatch(text):
        return bytes.fromhex(text)
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == 32 and base64.b64encode(raw).decode("ascii") == text else None
