"""The public key behind a recoverable ECDSA signature, and the limit that makes a signature unique."""

import coincurve

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
COMPACT_BYTES = 64


def recover_key(compact: bytes, recovery_id: int, digest: bytes) -> coincurve.PublicKey | None:
    """Return the key that signed a 32-byte digest, or None when no key can have.

    `compact` is r and s, 32 bytes each, `recovery_id` 0 to 3. Source: SEC 1, section 4.1.6.
    """
    try:
        return coincurve.PublicKey.from_signature_and_message(compact + bytes([recovery_id]), digest, hasher=None)
    except ValueError:  # coincurve's word for r or s out of range, or a point that is not on the curve
        return None


def is_high_s(compact: bytes) -> bool:
    """Tell whether s is in the upper half: everyone can turn such a signature into its twin. Source: BIP-62."""
    return int.from_bytes(compact[32:], "big") > ORDER // 2
