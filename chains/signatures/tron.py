"""Tron signed messages, in the three envelopes that wallets have used."""

from chains.ids import AccountId
from chains.signatures.messages import tron_hash_digest, tron_text_digest, tron_unhashed_digest
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import Digest, OwnershipResult


def verify_hash(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check `tron-v1`: the text's hash behind a prefix that says 32 bytes. Source: TronWeb, signMessage."""
    return _verify("tron-v1", tron_hash_digest, account, message, signature)


def verify_unhashed(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check `tron-v1-text`: the text itself behind a prefix that says 32 bytes. Source: TronWeb, sign of a hex text."""
    return _verify("tron-v1-text", tron_unhashed_digest, account, message, signature)


def verify_text(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check `tron-v2`: the text behind its own length. Source: TIP-104, TronWeb signMessageV2."""
    return _verify("tron-v2", tron_text_digest, account, message, signature)


def _verify(scheme: str, digest: Digest, account: AccountId, message: str, signature: str) -> OwnershipResult:
    return check_recovered(scheme, account, message, signature, digest, families=("tron",))
