"""How signatures and public keys must be written in a script: one spelling each, and everything signed."""

from coincurve import PublicKey

from chains.signatures.bip322.transactions import RefusedError
from chains.signatures.secp256k1 import ORDER

SIGHASH_ALL = 1
_SCHNORR_BYTES = 64


def check_ecdsa(signature: bytes) -> None:
    """Check the form of an ECDSA signature with its hash type; whether it signs anything is not looked at.

    Raises RefusedError: `non-canonical-der`, `high-s`, `sighash-not-all`. Source: BIP-66, BIP-62 rule 5, BIP-322.
    """
    s = _read_der(signature[:-1])
    if s is None:
        raise RefusedError("non-canonical-der")
    if s > ORDER // 2:
        raise RefusedError("high-s")
    if signature[-1] != SIGHASH_ALL:
        raise RefusedError("sighash-not-all")


def check_schnorr(signature: bytes) -> None:
    """Check the form of a Schnorr signature: 64 bytes, or 65 with the type that says everything is signed.

    Raises RefusedError: `malformed-schnorr`, `sighash-not-all`. Source: BIP-341; BIP-322 allows both spellings.
    """
    if not _SCHNORR_BYTES <= len(signature) <= _SCHNORR_BYTES + 1:
        raise RefusedError("malformed-schnorr")
    if signature[_SCHNORR_BYTES:] == b"\x00":
        raise RefusedError("malformed-schnorr")  # the default type has no byte
    if signature[_SCHNORR_BYTES:] not in (b"", bytes([SIGHASH_ALL])):
        raise RefusedError("sighash-not-all")


def check_key(key: bytes) -> None:
    """Check that a key of an ECDSA script is a point, compressed or whole; the infinite point has no such form.

    Raises RefusedError: `malformed-key`, `no-such-key`. Source: SEC 1, section 2.3.
    """
    if (len(key), key[:1]) not in ((33, b"\x02"), (33, b"\x03"), (65, b"\x04")):
        raise RefusedError("malformed-key")
    try:
        PublicKey(key)
    except ValueError as error:
        raise RefusedError("no-such-key") from error


def check_point(x_only: bytes) -> None:
    """Check that 32 bytes are the x of a point. Raises RefusedError `no-such-key`. Source: BIP-340, lift_x."""
    try:
        PublicKey(b"\x02" + x_only)
    except ValueError as error:
        raise RefusedError("no-such-key") from error


def _read_der(raw: bytes) -> int | None:
    """Return s of a strictly encoded signature (two positive integers in their shortest form), else None."""
    if not 8 <= len(raw) <= 72 or raw[0] != 0x30 or raw[1] != len(raw) - 2:
        return None
    rest, numbers = raw[2:], []
    for _ in range(2):
        if len(rest) < 3 or rest[0] != 0x02 or not 1 <= rest[1] <= len(rest) - 2:
            return None
        number, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        if number[0] & 0x80 or (len(number) > 1 and not number[0] and not number[1] & 0x80):
            return None
        numbers.append(int.from_bytes(number, "big"))
    return None if rest else numbers[1]
