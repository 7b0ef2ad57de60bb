"""Cosmos accounts sign a text as a transaction that can never be sent."""

import base64
import binascii
from hashlib import sha256
from typing import Any

import rfc8785

from chains.ids import AccountId
from chains.signatures.known_key import check_named_key
from chains.signatures.recovered_account import plain_address
from chains.signatures.result import Digest, OwnershipResult

SCHEME = "adr-036"


def verify(account: AccountId, message: str, signature: str, *, public_key: str) -> OwnershipResult:
    """Check base64 of r and s over the amino sign document of a text; `public_key` is the compressed key in hex.

    Reasons as in `chains.signatures.known_key`. Source: Cosmos SDK, ADR-036.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if base64.b64encode(raw).decode("ascii") != signature:
        raw = b""  # base64 has spare bits; one spelling per signature
    return check_named_key(SCHEME, account, message, raw, public_key, digest_of(account), ("cosmos",))


def digest_of(account: AccountId) -> Digest:
    """Return what an account signs for a text: the hash of the sign document, whose keys are sorted."""
    signer = plain_address(account)

    def digest(text: bytes) -> bytes:
        value = {"data": base64.b64encode(text).decode("ascii"), "signer": signer}
        document: dict[str, Any] = {
            "account_number": "0",
            "chain_id": "",
            "fee": {"amount": [], "gas": "0"},
            "memo": "",
            "msgs": [{"type": "sign/MsgSignData", "value": value}],
            "sequence": "0",
        }
        return sha256(rfc8785.dumps(document)).digest()

    return digest
