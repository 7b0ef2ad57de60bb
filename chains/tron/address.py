"""Addresses of Tron: Base58Check in public, twenty bytes as on Ethereum inside contracts."""

from chains.base_codecs import base58_check, from_base58_check
from chains.errors import IdentifierError

_ACCOUNT_PREFIX = b"\x41"


def canonical_address(address: str) -> str:
    """Return a Base58Check address as it is. Raises IdentifierError. Source: Tron documentation, account addresses."""
    return base58_check(_payload(address))


def ethereum_form(address: str) -> str:
    """Return an address as 0x and the hexadecimal of its twenty bytes, as contracts know it. Raises IdentifierError."""
    return "0x" + _payload(address)[1:].hex()


def _payload(address: str) -> bytes:
    payload = from_base58_check(address)
    if payload is None or len(payload) != 21 or payload[:1] != _ACCOUNT_PREFIX:
        hint = "; write the hexadecimal form in Base58Check (T…)" if address[:2] in ("41", "0x") else ""
        raise IdentifierError(f"{address[:100]!r} is not a Tron address{hint}")
    return payload
