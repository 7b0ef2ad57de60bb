"""Cardano wallets sign a text inside a COSE_Sign1 structure that names the address."""

import re
from hashlib import blake2b
from typing import NamedTuple

from chains.ids import AccountId
from chains.signatures.cardano_address import CardanoAddress, address_of_account, network_id
from chains.signatures.cbor import MAX_BYTES, CborError, Value, from_cbor, to_cbor
from chains.signatures.ed25519 import signature_fault
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult

SCHEME = "cip-8"
_HEX = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_ALGORITHM, _KEY_ID, _EDDSA = 1, 4, -8
_KEY_TYPE, _KEY_OPERATIONS, _CURVE, _X = 1, 4, -1, -2
_OKP, _ED25519, _VERIFY = 1, 6, [2]


class _Signed(NamedTuple):
    """A COSE_Sign1 structure with its protected header as bytes and as values."""

    protected: bytes
    header: dict[int | str, Value]
    is_hashed: bool
    payload: bytes
    signature: bytes


def verify(account: AccountId, message: str, signature: str, *, public_key: str) -> OwnershipResult:
    """Check what a wallet's `signData` gives: `signature` is COSE_Sign1 in hex, `public_key` COSE_Key in hex.

    Payment keys sign for base, pointer and enterprise addresses, stake keys for stake addresses. Reasons of invalid
    results: `network-differs` (the address's and the account's), `script-address` (no key can sign for it),
    `malformed-message`, `malformed-signature`, `malformed-key`, `algorithm-not-covered` (not EdDSA on Ed25519),
    `address-differs`, `key-id-differs`, `message-differs` (what was signed names another), `signer-differs`, and
    `weak-key`, `non-canonical`, `not-signed`, `no-such-key` as in `ed25519`. Raises IdentifierError for an account
    that is no Shelley address. Source: CIP-8, CIP-30, RFC 9052 (section 4.4), CIP-19.
    """
    address = address_of_account(account)

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)

    # 1. The address is on the account's network, and a key can sign for it
    if address.network != network_id(account):
        return answer(False, "network-differs")
    if address.is_script:
        return answer(False, "script-address")
    # 2. The structures are well formed, and speak of this address, this key and this message
    text, signed, named = encode(message), _signed(signature), _map(public_key)
    if text is None:
        return answer(False, "malformed-message")
    if signed is None:
        return answer(False, "malformed-signature")
    key = _key(named, address.raw)
    if isinstance(key, str):
        return answer(False, key)
    fault = _header_fault(signed, address, key) or _payload_fault(signed, text)
    # 3. The key signed, and the address holds its hash
    fault = fault or signature_fault(key, _signed_bytes(signed), signed.signature)
    if not fault and blake2b(key, digest_size=28).digest() != address.credential:
        fault = "signer-differs"
    return answer(not fault, fault or "signed")


def _signed_bytes(signed: _Signed) -> bytes:
    """Return what the key signs: Sig_structure, without data from outside. Source: RFC 9052, section 4.4."""
    return to_cbor(["Signature1", signed.protected, b"", signed.payload])


def _header_fault(signed: _Signed, address: CardanoAddress, key: bytes) -> str:
    header = signed.header
    if header.get(_ALGORITHM) != _EDDSA:
        return "algorithm-not-covered"
    if header.get("address") != address.raw:
        return "address-differs"
    return "" if header.get(_KEY_ID, key) in (key, address.raw) else "key-id-differs"


def _payload_fault(signed: _Signed, text: bytes) -> str:
    expected = blake2b(text, digest_size=28).digest() if signed.is_hashed else text
    return "" if signed.payload == expected else "message-differs"


def _signed(text: str) -> _Signed | None:
    """Return a COSE_Sign1 structure, without a tag; of headers that are not signed only `hashed` may be there."""
    match _parsed(text):
        case [bytes(protected), dict(plain), bytes(payload), bytes(signature)] if len(signature) == 64:
            header = _parsed(protected.hex())
            is_hashed = plain.get("hashed", False)
            if isinstance(header, dict) and isinstance(is_hashed, bool) and set(plain) <= {"hashed"}:
                return _Signed(protected, header, is_hashed, payload, signature)
    return None


def _key(named: dict[int | str, Value] | None, address: bytes) -> bytes | str:
    """Return the 32 bytes of an Ed25519 key, or the reason why there are none."""
    if named is None or set(named) - {_KEY_TYPE, 2, 3, _KEY_OPERATIONS, _CURVE, _X}:
        return "malformed-key"
    if (named.get(_KEY_TYPE), named.get(_CURVE), named.get(3, _EDDSA)) != (_OKP, _ED25519, _EDDSA):
        return "algorithm-not-covered"
    key = named.get(_X)
    if not isinstance(key, bytes) or len(key) != 32 or named.get(_KEY_OPERATIONS, _VERIFY) != _VERIFY:
        return "malformed-key"
    return key if named.get(2, key) in (key, address) else "key-id-differs"


def _map(text: str) -> dict[int | str, Value] | None:
    value = _parsed(text)
    return value if isinstance(value, dict) else None


def _parsed(text: str) -> Value:
    """Return the value of hexadecimal CBOR, or None when it is none (null itself is of no use here)."""
    if len(text) > 2 * MAX_BYTES or not _HEX.fullmatch(text):
        return None
    try:
        return from_cbor(bytes.fromhex(text))
    except CborError:
        return None
