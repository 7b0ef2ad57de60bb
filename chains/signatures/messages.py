"""The exact bytes that are signed: a text inside the envelope of each scheme, as wallets and exchanges wrap it."""

from functools import lru_cache
from hashlib import sha256

from chains.evm.keccak import keccak256

ETHEREUM_PREFIX = b"\x19Ethereum Signed Message:\n"
TRON_PREFIX = b"\x19TRON Signed Message:\n"
OKX_MAGIC = b"OKX Signed Message:\n"
REMEMBERED = 256  # a list repeats the same few messages on every row


def compact_size(size: int) -> bytes:
    """Return a length as Bitcoin writes it before variable data. Source: Bitcoin protocol, CompactSize."""
    if size < 0xFD:
        return bytes([size])
    if size <= 0xFFFF:
        return b"\xfd" + size.to_bytes(2, "little")
    return b"\xfe" + size.to_bytes(4, "little")


def with_lengths(magic: bytes, text: bytes) -> bytes:
    """Return the magic and the text, each after its length."""
    return compact_size(len(magic)) + magic + compact_size(len(text)) + text


@lru_cache(maxsize=REMEMBERED)
def bitcoin_digest(magic: bytes, text: bytes) -> bytes:
    """Return what a Bitcoin signed message signs: double SHA-256. Source: BIP-137."""
    return sha256(sha256(with_lengths(magic, text)).digest()).digest()


@lru_cache(maxsize=REMEMBERED)
def text_digest(text: bytes) -> bytes:
    """Return what `personal_sign` signs: Keccak-256 of prefix, length and text. Source: EIP-191, version 0x45."""
    return keccak256(ETHEREUM_PREFIX + str(len(text)).encode() + text)


@lru_cache(maxsize=REMEMBERED)
def hash_digest(text: bytes) -> bytes:
    """Return what is signed when the text's Keccak-256 hash takes the place of the text (EIP-191 of 32 bytes)."""
    return keccak256(ETHEREUM_PREFIX + b"32" + keccak256(text))


@lru_cache(maxsize=REMEMBERED)
def tron_hash_digest(text: bytes) -> bytes:
    """Return what Tron's first message format signs: the text's hash after a prefix that says 32 bytes."""
    return keccak256(TRON_PREFIX + b"32" + keccak256(text))


@lru_cache(maxsize=REMEMBERED)
def tron_unhashed_digest(text: bytes) -> bytes:
    """Return what early Tron wallets sign: the text itself after a prefix that says 32 bytes, whatever its length."""
    return keccak256(TRON_PREFIX + b"32" + text)


@lru_cache(maxsize=REMEMBERED)
def tron_text_digest(text: bytes) -> bytes:
    """Return what Tron's second message format signs: the text after its own length. Source: TIP-104."""
    return keccak256(TRON_PREFIX + str(len(text)).encode() + text)


@lru_cache(maxsize=REMEMBERED)
def okx_text(text: bytes) -> bytes:
    """Return the envelope OKX's own tools put around a text for chains without a message standard of their own."""
    return with_lengths(OKX_MAGIC, text)


@lru_cache(maxsize=REMEMBERED)
def okx_digest(text: bytes) -> bytes:
    """Return what OKX's tools sign with secp256k1 keys: Keccak-256 of their envelope."""
    return keccak256(okx_text(text))
