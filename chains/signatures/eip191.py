"""Ethereum signed text: the key of an account signs what a wallet shows as `personal_sign` (EIP-191, version 0x45)."""

import re

from chains.errors import IdentifierError
from chains.evm.address import canonical_address
from chains.evm.keccak import keccak256
from chains.ids import AccountId, account_id, address_of, chain_of, family_of
from chains.signatures.result import OwnershipResult
from chains.signatures.secp256k1 import COMPACT_BYTES, is_high_s, recover_key

SCHEME = "eip-191"
_HEX = re.compile(r"(?:0x)?([0-9a-f]{130}|[0-9A-F]{130})")
_PARITY = {0: 0, 1: 1, 27: 0, 28: 1}


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check a signature of r, s and v (0, 1, 27 or 28) in 130 hex digits over a text.

    Reason of a valid result: `signed`. Reasons of invalid ones: `malformed-signature`, `malformed-message`,
    `unknown-v`, `high-s`, `no-such-key`, `signer-differs`. Raises IdentifierError for an account that is not of an EVM
    chain or has a malformed address. Contract wallets sign by EIP-1271, which this is not. Source: EIP-191, EIP-2.
    """
    chain = chain_of(account)
    if family_of(chain) != "eip155":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of EVM chains (eip155) only")
    address = canonical_address(address_of(account))

    def answer(valid: bool, reason: str, signer: AccountId | None = None) -> OwnershipResult:
        return OwnershipResult(valid, reason, SCHEME, account, signer)

    # 1. r, s, v in their one form
    match = _HEX.fullmatch(signature)
    if not match:
        return answer(False, "malformed-signature")
    raw = bytes.fromhex(match[1])
    compact, parity = raw[:COMPACT_BYTES], _PARITY.get(raw[COMPACT_BYTES])
    if parity is None:
        return answer(False, "unknown-v")
    if is_high_s(compact):
        return answer(False, "high-s")
    # 2. The key that signed this text
    try:
        digest = message_digest(message)
    except UnicodeEncodeError:
        return answer(False, "malformed-message")
    key = recover_key(compact, parity, digest)
    if key is None:
        return answer(False, "no-such-key")
    # 3. That key's address is the account's
    signed_by = "0x" + keccak256(key.format(compressed=False)[1:])[12:].hex()
    signer = account_id(f"{chain}:{signed_by}")
    return answer(True, "signed", signer) if signed_by == address else answer(False, "signer-differs", signer)


def message_digest(message: str) -> bytes:
    """Return the 32 bytes that are signed: Keccak-256 over the prefix, the text's length in bytes, and the text."""
    text = message.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text)
