"""Read r, s and v in hex and find the secp256k1 key that made them; every spelling but one is refused."""

import re

import coincurve

from chains.signatures.secp256k1 import COMPACT_BYTES, is_high_s, recover_key

_HEX = re.compile(r"(?:0x)?([0-9a-f]{130}|[0-9A-F]{130})")
_PARITY = {0: 0, 1: 1, 27: 0, 28: 1}


def recover_signer(signature: str, digest: bytes) -> coincurve.PublicKey | str:
    """Return the key that signed a 32-byte digest, or the reason why there is none.

    The signature is r, s and v (0, 1, 27 or 28) in 130 hex digits of one case. Reasons: `malformed-signature`,
    `unknown-v`, `high-s`, `no-such-key`. Source: SEC 1 (recovery), EIP-2 (s in the lower half).
    """
    match = _HEX.fullmatch(signature)
    if not match:
        return "malformed-signature"
    raw = bytes.fromhex(match[1])
    compact, parity = raw[:COMPACT_BYTES], _PARITY.get(raw[COMPACT_BYTES])
    if parity is None:
        return "unknown-v"
    if is_high_s(compact):
        return "high-s"
    return recover_key(compact, parity, digest) or "no-such-key"


def encode(message: str) -> bytes | None:
    """Return a message in UTF-8, or None for half a surrogate pair, which is no text."""
    try:
        return message.encode()
    except UnicodeEncodeError:
        return None
