"""Conflux Core wallets sign a text as Ethereum's do, after a prefix of their own."""

from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, ChainId, chain_of
from chains.signatures.recovered_account import check_recovered
from chains.signatures.result import OwnershipResult

SCHEME = "conflux"
CHAIN = ChainId("slip44:503")
PREFIX = b"\x19Conflux Signed Message:\n"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check r, s and v over prefix, length and text; the key has one `cfx:` address on the main network.

    Early wallets signed the text's bytes spelled in hex (0x…): such a text is itself the `message` then. Reasons as in
    `eip-191`. Raises IdentifierError for another chain. Source: CIP-23 (prefix), CIP-37 (address; user accounts have
    the first digit 1).
    """
    if chain_of(account) != CHAIN:
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of {CHAIN} only")
    return check_recovered(SCHEME, account, message, signature, digest)


def digest(text: bytes) -> bytes:
    """Return the 32 bytes that are signed."""
    return keccak256(PREFIX + str(len(text)).encode() + text)
