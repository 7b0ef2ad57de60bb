"""Ethereum signed text: the key of an account signs what a wallet shows as `personal_sign` (EIP-191, version 0x45)."""

from chains.ids import AccountId
from chains.signatures.messages import text_digest
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "eip-191"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check a signature of r, s and v (0, 1, 27 or 28) in 130 hex digits over a text.

    Reason of a valid result: `signed`. Reasons of invalid ones: `malformed-signature`, `malformed-message`,
    `unknown-v`, `high-s`, `no-such-key`, `signer-differs`. Raises IdentifierError for an account that is not of an EVM
    chain or has a malformed address. Contract wallets sign by EIP-1271, which this is not. Source: EIP-191, EIP-2.
    """
    return check_recovered(SCHEME, account, message, signature, text_digest, families=("eip155",))


def message_digest(message: str) -> bytes:
    """Return the 32 bytes that are signed: Keccak-256 over the prefix, the text's length in bytes, and the text."""
    return text_digest(message.encode())
