"""Decred signed messages: as Bitcoin's, with a magic and a hash function of their own."""

import base64
import binascii
from functools import lru_cache

from chains.errors import IdentifierError
from chains.ids import AccountId, ChainId, chain_of
from chains.signatures.blake256 import blake256
from chains.signatures.key_addresses import secp256k1_addresses
from chains.signatures.messages import REMEMBERED, with_lengths
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult
from chains.signatures.secp256k1 import is_high_s, recover_key

SCHEME = "decred-message"
CHAIN = ChainId("slip44:42")
MAGIC = b"Decred Signed Message:\n"
_FIRST_HEADER = 31  # 27, and 4 for a compressed key: Decred has no other


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check 65 bytes of base64 over magic and text by the one key of a `Ds…` address.

    Reasons: `malformed-message`, `malformed-signature`, `unknown-header`, `high-s`, `no-such-key`, `signer-differs`.
    Raises IdentifierError for another chain. Source: dcrd, `verifymessage`.
    """
    if chain_of(account) != CHAIN:
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of {CHAIN} only")
    reason = _reason(plain_address(account), message, signature)
    return OwnershipResult(not reason, reason or "signed", SCHEME, account, None if reason else account)


@lru_cache(maxsize=REMEMBERED)
def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return blake256(with_lengths(MAGIC, text))


def _reason(address: str, message: str, signature: str) -> str:
    text = encode(message)
    if text is None:
        return "malformed-message"
    raw = _compact(signature)
    if raw is None:
        return "malformed-signature"
    if not 0 <= raw[0] - _FIRST_HEADER < 4:
        return "unknown-header"
    if is_high_s(raw[1:]):
        return "high-s"
    key = recover_key(raw[1:], raw[0] - _FIRST_HEADER, digest(text))
    if key is not None and address in secp256k1_addresses(CHAIN, key):
        return ""
    return "signer-differs" if key else "no-such-key"


def _compact(signature: str) -> bytes | None:
    """Return header, r and s from the one base64 spelling there is of them, else None."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == 65 and base64.b64encode(raw).decode("ascii") == signature else None
