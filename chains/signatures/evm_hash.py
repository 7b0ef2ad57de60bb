"""Ethereum signed hash: a wallet signs the Keccak-256 hash of the text as if the hash were the message (EIP-191)."""

from chains.ids import AccountId
from chains.signatures.messages import hash_digest
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "eip-191-hash"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check r, s and v over the EIP-191 envelope of the text's hash, for accounts of EVM chains.

    Reasons as in `eip-191`. Raises IdentifierError for another family or a malformed address. Source: EIP-191, EIP-2.
    """
    return check_recovered(SCHEME, account, message, signature, hash_digest, families=("eip155",))
