"""Validators of Ethereum's beacon chain: a BLS12-381 key signs a text, and the key itself is the account."""

import re
from importlib import import_module
from typing import Any

from chains.errors import IdentifierError, MissingExtraError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.messages import hash_digest
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult

SCHEME = "bls"
VALIDATOR_KEY = re.compile(r"0x[0-9a-f]{96}")
_SIGNATURE = re.compile(r"(?:0x)?([0-9a-f]{192}|[0-9A-F]{192})")
_COMPRESSED, _INFINITY = 0x80, 0x40


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check 96 bytes in hex over the text's hash after Ethereum's prefix for 32 bytes (as `eip-191-hash`).

    The account is `beacon:mainnet:` and the validator's 48-byte public key in lower-case hex: the beacon chain has no
    CAIP-2 id of its own, and it knows a validator by this key. Control of the key is control of the validator's
    duties; where its coins go is written in its withdrawal credentials, which this does not show. Reasons:
    `malformed-message`, `malformed-signature`, `key-at-infinity`, `signature-at-infinity`, `no-such-key` (no point of
    the group), `not-signed`. Raises IdentifierError for another account, MissingExtraError without the extra
    [lightclient]. Source: IETF draft-irtf-cfrg-bls-signature, proof-of-possession scheme with keys in G1.
    """
    key_text = plain_address(account)
    if family_of(chain_of(account)) != "beacon" or not VALIDATOR_KEY.fullmatch(key_text):
        raise IdentifierError(f"{account}: {SCHEME} serves beacon:… accounts named by a key of 0x and 96 digits only")

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)

    text, match = encode(message), _SIGNATURE.fullmatch(signature)
    if text is None or match is None:
        return answer(False, "malformed-message" if text is None else "malformed-signature")
    key, raw = bytes.fromhex(key_text[2:]), bytes.fromhex(match[1])
    if key[0] & _INFINITY:
        return answer(False, "key-at-infinity")
    if raw[0] & _INFINITY:
        return answer(False, "signature-at-infinity")
    if not raw[0] & _COMPRESSED:
        return answer(False, "malformed-signature")
    library = _library()
    if library.Verify(key, hash_digest(text), raw):  # False also for what is no key or no signature
        return answer(True, "signed")
    return answer(False, "not-signed" if _is_key(library, key) else "no-such-key")


def _is_key(library: Any, key: bytes) -> bool:
    """Tell whether 48 bytes are a point of the group of prime order: the library adds up nothing else."""
    try:
        library._AggregatePKs([key])
    except ValueError:
        return False
    return True


def _library() -> Any:
    try:
        return import_module("milagro_bls_binding")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{SCHEME} needs milagro-bls-binding: install reserve-verifier[lightclient]") from error
