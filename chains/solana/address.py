"""Addresses of Solana: 32 bytes in Base58, without a checksum."""

from chains.base_codecs import base58, from_base58
from chains.errors import IdentifierError

MAX_TEXT = 44


def is_key(text: object) -> bool:
    """Say whether a value is the Base58 text of exactly 32 bytes, in its one spelling."""
    if not isinstance(text, str):
        return False
    raw = from_base58(text, MAX_TEXT)
    return raw is not None and len(raw) == 32 and base58(raw) == text


def canonical_address(address: str) -> str:
    """Return an address as it is. Raises IdentifierError. Source: CAIP-10 profile of the namespace solana.

    There is no checksum: a mistyped address of the right length is another account.
    """
    if not is_key(address):
        raise IdentifierError(f"{address[:100]!r} is not a Solana address (32 bytes in Base58)")
    return address
