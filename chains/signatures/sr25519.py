"""Substrate accounts (Polkadot and its relatives) sign a text in brackets with a Schnorr key on Ristretto."""

import re
from importlib import import_module
from typing import Any

from chains.errors import IdentifierError, MissingExtraError
from chains.ids import AccountId, chain_of
from chains.signatures.ed25519 import key_inside
from chains.signatures.key_addresses import address_facts, ed25519_addresses
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult

SCHEME = "sr25519"
_HEX = re.compile(r"0x[0-9a-f]{128}")


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check 64 bytes in hex over `<Bytes>`, the text and `</Bytes>`, as wallets sign; the address holds the key.

    Reasons: `signed`; `malformed-message`, `malformed-signature`, `malformed-address`, `not-signed`. Raises
    IdentifierError for a chain without SS58 addresses, MissingExtraError without the extra [polkadot].
    Source: polkadot-js, wrapping of raw bytes; schnorrkel, signing context "substrate".
    """
    chain, address = chain_of(account), plain_address(account)
    facts = address_facts().get(chain)
    if facts is None or facts.rule != "ss58":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts with SS58 addresses only")

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)

    text, key = encode(message), key_inside(facts.rule, address)
    if text is None:
        return answer(False, "malformed-message")
    if key is None or address not in ed25519_addresses(chain, key):
        return answer(False, "malformed-address")
    if not _HEX.fullmatch(signature):
        return answer(False, "malformed-signature")
    library = _library()
    try:
        signed = library.verify(bytes.fromhex(signature[2:]), b"<Bytes>" + text + b"</Bytes>", key)
    except ValueError:  # the library's word for bytes that are no signature or no key of this kind
        return answer(False, "malformed-signature")
    return answer(bool(signed), "signed" if signed else "not-signed")


def _library() -> Any:
    try:
        return import_module("sr25519")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{SCHEME} needs py-sr25519-bindings: install reserve-verifier[polkadot]") from error
