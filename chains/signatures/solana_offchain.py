"""Solana's off-chain messages: a header that no transaction starts with, then the text."""

import re

from chains import base_codecs as codec
from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.ed25519 import check_edwards, key_inside
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult

SCHEME = "solana-offchain"
SIGNING_DOMAIN = b"\xffsolana offchain"
_VERSION = b"\0"
_ASCII = re.compile(rb"[\x20-\x7e]+")
_SHORT = 1_232  # bytes in all that a hardware wallet shows: the size of a transaction's packet
_LONGEST = 65_535
_SIGNATURE = re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}")


def verify(
    account: AccountId, message: str, signature: str, *, application_domain: str | None = None
) -> OwnershipResult:
    """Check a signature (Base58, base64 or hex) over version 0 of the header and the text; the address is the key.

    With `application_domain` (32 bytes in Base58) the header names it and the one signer; without, it is the short
    header of `solana sign-offchain-message`. Reasons: those of `ed25519`, `malformed-domain`, and `malformed-message`
    for a text that is empty or too long. Source: Solana documentation, off-chain message signing.
    """
    chain, address = chain_of(account), plain_address(account)
    if family_of(chain) != "solana":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of solana only")
    signer, domain, text = key_inside("base58-key", address), b"", encode(message)
    if signer is None:
        raise IdentifierError(f"{account}: expected an address of 32 bytes in Base58")
    if application_domain is not None:
        domain = codec.from_base58(application_domain, 44) or b""
        if len(domain) != 32 or codec.base58(domain) != application_domain:
            return OwnershipResult(False, "malformed-domain", SCHEME, account)
    signed = None if text is None else envelope(text, domain, signer)
    if signed is None:
        return OwnershipResult(False, "malformed-message", SCHEME, account)
    return check_edwards(SCHEME, lambda _: signed, account, message, _hexadecimal(signature))


def envelope(text: bytes, domain: bytes, signer: bytes) -> bytes | None:
    """Return header and text, with an empty `domain` the short form; None for a text that the format has no room for.

    The format is 0 for printable ASCII, 1 for other short texts, 2 for long ones.
    """
    names = bytes([1]) + signer if domain else b""
    size = len(SIGNING_DOMAIN + _VERSION + domain + names) + 3 + len(text)
    if not text or size > _LONGEST:
        return None
    form = 2 if size > _SHORT else 0 if _ASCII.fullmatch(text) else 1
    return SIGNING_DOMAIN + _VERSION + domain + bytes([form]) + names + len(text).to_bytes(2, "little") + text


def _hexadecimal(signature: str) -> str:
    """Return a Base58 signature of 64 bytes in hex, any other text as it is."""
    raw = codec.from_base58(signature, 88) if _SIGNATURE.fullmatch(signature) else None
    return raw.hex() if raw is not None and len(raw) == 64 and codec.base58(raw) == signature else signature
