"""Safe wallets: as many owners as the Safe asks for signed, by a proof of who its owners are at a block."""

import re
from collections.abc import Mapping
from typing import Any

from chains.errors import IdentifierError, InvalidAnswerError, ProofError
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.safe.record import NotASafe, prove_safe, read_record
from chains.evm.safe.storage import Storage
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.key_addresses import evm_address
from chains.signatures.messages import text_digest
from chains.signatures.recovered_account import plain_address
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult
from chains.signatures.secp256k1 import COMPACT_BYTES, is_high_s, recover_key
from chains.signatures.typed_data import digest, typed_data_of

SCHEME = "safe"
MAX_SIGNATURES = 128
_SIGNATURE_BYTES = 65
_HASH_BYTES = 32
_HEX = re.compile(rf"(?:0x)?((?:[0-9a-f]{{{2 * _SIGNATURE_BYTES}}})+|(?:[0-9A-F]{{{2 * _SIGNATURE_BYTES}}})+)")
_CONTRACT, _APPROVED = 0, 1
_TYPED, _PREFIXED = (27, 28), (31, 32)


def verify(
    account: AccountId, message: str, signature: str, *, proof: str = "", state_root: str = ""
) -> OwnershipResult:
    """Check the signatures of a Safe's owners over a text, offline: `proof` is the JSON text of a captured record.

    `state_root` (0x and 64 digits) is the root of the state that the proof is checked against. It decides everything:
    whoever calls must take it from a block they trust, of the account's chain and near the time they ask about; a root
    that comes with the claim itself proves nothing. Reason `proof-missing` when either is not given; others as in
    `verify_safe_claim`. Raises ProofError for a proof that does not hold.
    """
    if encode(message) is None:
        return OwnershipResult(False, "malformed-message", SCHEME, account)
    if not proof or not state_root:
        return OwnershipResult(False, "proof-missing", SCHEME, account)
    try:
        root = data(state_root, "state_root", _HASH_BYTES)
    except InvalidAnswerError as error:
        raise ProofError(str(error)) from error
    return verify_safe_claim(read_record(proof), root, account, message, signature)


def verify_safe_claim(
    record: Mapping[str, Any], header_state_root: bytes, account: AccountId, message: str | bytes, signatures: str
) -> OwnershipResult:
    """Check that as many owners as a Safe asks for signed a message, with the owners as proven under a state root.

    `message` is a text (wrapped by EIP-191, then as the Safe's own SafeMessage, as wallets do) or a 32-byte hash (the
    SafeMessage alone). `signatures` are 65 bytes each in hex, in ascending order of the owners' addresses. Stricter
    than the contract: every signature given must be good, not only the first ones, and s must be low. The caller must
    trust the root, and know that it is of the account's chain: see `verify`.

    Reasons of invalid results: `no-contract`, `delegated`, `unknown-contract`, `not-set-up` (of the account);
    `malformed-message`, `malformed-signature`, `too-few-signers`; of a single signature `contract-owner` (an owner that
    is itself a contract), `approved-hash` (approved by a transaction, which is not read), `unknown-v`, `high-s`,
    `no-such-key`, `not-an-owner`, `repeated-signer`, `unsorted-signers`. Raises ProofError and IdentifierError.
    """
    chain_id, address = _chain_and_address(account)
    # 1. Who owns the Safe, by proof
    state = prove_safe(record, header_state_root, AccountId(f"{chain_of(account)}:{address}"))
    if isinstance(state, NotASafe):
        return OwnershipResult(False, state.reason, SCHEME, account)
    # 2. What its owners sign
    hashed = text_hash(message)
    raw = _signatures(signatures)
    if hashed is None or raw is None:
        return OwnershipResult(False, "malformed-message" if hashed is None else "malformed-signature", SCHEME, account)
    signed = digest(typed_data_of(safe_message_typed_data(chain_id, address, hashed)))
    # 3. Enough different owners signed it
    valid, reason = _judge(state.storage, signed, raw)
    return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)


def safe_message_typed_data(chain_id: int, safe_address: str, message: str | bytes) -> dict[str, Any]:
    """Return the typed data (EIP-712 JSON values) that a Safe's owners sign in their wallets for a message.

    `message` is a text or a 32-byte hash, as in `verify_safe_claim`. Raises IdentifierError for a malformed address or
    a message that is neither. Source: Safe contracts from 1.3.0, CompatibilityFallbackHandler.
    """
    hashed = text_hash(message)
    if hashed is None:
        raise IdentifierError("a Safe signs a text, or a hash of 32 bytes")
    return {
        "types": {
            "EIP712Domain": [
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "SafeMessage": [{"name": "message", "type": "bytes"}],
        },
        "primaryType": "SafeMessage",
        "domain": {"chainId": chain_id, "verifyingContract": canonical_address(safe_address)},
        "message": {"message": hexadecimal(hashed)},
    }


def text_hash(message: str | bytes) -> bytes | None:
    """Return the 32 bytes that a Safe wraps: a text's EIP-191 hash, or a hash as it is; None for what is neither."""
    if isinstance(message, bytes):
        return message if len(message) == _HASH_BYTES else None
    text = encode(message)
    return None if text is None else text_digest(text)


def _judge(storage: Storage, signed: bytes, raw: list[bytes]) -> tuple[bool, str]:
    if len(raw) < storage.threshold:
        return False, "too-few-signers"
    before = ""
    for one in raw:
        owner = _signer(signed, one)
        if not owner.startswith("0x"):
            return False, owner
        if owner not in storage.owners:
            return False, "not-an-owner"
        if owner <= before:
            return False, "repeated-signer" if owner == before else "unsorted-signers"
        before = owner
    return True, "signed"


def _signer(signed: bytes, raw: bytes) -> str:
    """Return the address that made one signature, or why there is none; v says how it was made.

    Source: Safe documentation, "Signatures": v 27 and 28 sign the hash, 31 and 32 its EIP-191 envelope.
    """
    compact, v = raw[:COMPACT_BYTES], raw[COMPACT_BYTES]
    if v in (_CONTRACT, _APPROVED):
        return "contract-owner" if v == _CONTRACT else "approved-hash"
    if v not in (*_TYPED, *_PREFIXED):
        return "unknown-v"
    if is_high_s(compact):
        return "high-s"
    first, hashed = (27, signed) if v in _TYPED else (31, text_digest(signed))
    key = recover_key(compact, v - first, hashed)
    return evm_address(key) if key else "no-such-key"


def _signatures(text: str) -> list[bytes] | None:
    match = _HEX.fullmatch(text) if len(text) <= 2 + 2 * _SIGNATURE_BYTES * MAX_SIGNATURES else None
    if not match:
        return None
    raw = bytes.fromhex(match[1])
    return [raw[start : start + _SIGNATURE_BYTES] for start in range(0, len(raw), _SIGNATURE_BYTES)]


def _chain_and_address(account: AccountId) -> tuple[int, str]:
    chain = chain_of(account)
    reference = chain.partition(":")[2]
    if family_of(chain) != "eip155" or not re.fullmatch(r"[1-9][0-9]*", reference):
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of eip155 only")
    return int(reference), plain_address(account)
