"""Ethereum's hash function: Keccak-256, the variant from before NIST's padding change."""

from Crypto.Hash import keccak


def keccak256(message: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest. Source: Ethereum Yellow Paper, appendix; not NIST SHA3-256."""
    return keccak.new(data=message, digest_bits=256).digest()
