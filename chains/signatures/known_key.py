"""The common end of secp256k1 schemes whose signature does not give away the key: the key is named beside it."""

import re

import coincurve

from chains.errors import IdentifierError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.key_addresses import address_facts, secp256k1_addresses
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import UNBOUND, Digest, OwnershipResult
from chains.signatures.secp256k1 import COMPACT_BYTES, is_high_s, recover_key

_KEY = re.compile(r"(?:0x)?(0[23][0-9a-f]{64})", re.IGNORECASE)


def check_named_key(
    scheme: str,
    account: AccountId,
    message: str,
    compact: bytes | None,
    public_key: str,
    digest: Digest,
    families: tuple[str, ...],
) -> OwnershipResult:
    """Check r and s (32 bytes each) by a compressed key in hex, and that the key's address is the account's.

    Reasons: `malformed-message`, `malformed-signature`, `malformed-key`, `high-s`, `not-signed`, `signer-differs`, and
    `unbound` where the account may have another key. Raises IdentifierError for an account outside `families`.
    """
    chain, address = chain_of(account), plain_address(account)
    if family_of(chain) not in families:
        raise IdentifierError(f"{account}: {scheme} serves accounts of {', '.join(families)} only")

    def answer(valid: bool, reason: str) -> OwnershipResult:
        return OwnershipResult(valid, reason, scheme, account, account if valid else None)

    key = _signer(encode(message), compact, public_key, digest)
    if isinstance(key, str):
        return answer(False, key)
    if address in secp256k1_addresses(chain, key):
        return answer(True, "signed")
    facts = address_facts().get(chain)
    return answer(False, UNBOUND if facts is None or facts.rotates else "signer-differs")


def _signer(text: bytes | None, compact: bytes | None, public_key: str, digest: Digest) -> coincurve.PublicKey | str:
    """Return the named key when it made this signature, one of those that recovery gives; else the reason."""
    match = _KEY.fullmatch(public_key)
    if text is None:
        return "malformed-message"
    if compact is None or len(compact) != COMPACT_BYTES:
        return "malformed-signature"
    if match is None:
        return "malformed-key"
    if is_high_s(compact):
        return "high-s"
    named, signed = bytes.fromhex(match[1]), digest(text)
    keys = (recover_key(compact, recovery_id, signed) for recovery_id in range(4))
    return next((key for key in keys if key is not None and key.format() == named), "not-signed")
