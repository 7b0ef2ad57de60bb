"""MuHash: a commitment to a set in which the order of its members does not matter.

Source: Bitcoin Core, src/crypto/muhash.cpp; Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing".
"""

from collections.abc import Iterable
from hashlib import sha256

from Crypto.Cipher import ChaCha20

MODULUS = 2**3072 - 1_103_717
NUMBER_BYTES = 384
_ZEROS = bytes(NUMBER_BYTES)
_NONCE = bytes(8)


def number_of(member: bytes) -> int:
    """Return the 3072-bit number a member stands for: ChaCha20's stream under the member's SHA-256."""
    stream = ChaCha20.new(key=sha256(member).digest(), nonce=_NONCE).encrypt(_ZEROS)
    return int.from_bytes(stream, "little")


def product_of(members: Iterable[bytes], product: int = 1) -> int:
    """Return `product` times the numbers of all members, modulo the prime."""
    for member in members:
        product = product * number_of(member) % MODULUS
    return product


def digest_of(product: int) -> str:
    """Return the commitment to the members whose numbers make this product, in the node's reversed hex."""
    return sha256(product.to_bytes(NUMBER_BYTES, "little")).digest()[::-1].hex()
