"""Ethereum typed data: the key of an account signs a record whose fields a wallet shows one by one (EIP-712)."""

from chains.errors import IdentifierError, InvalidAnswerError
from chains.ids import AccountId, chain_of, family_of
from chains.signatures.recovered_account import check_recovered
from chains.signatures.recovery import encode
from chains.signatures.result import OwnershipResult
from chains.signatures.typed_data import digest, read_typed_data

SCHEME = "eip-712"


def verify(account: AccountId, message: str, signature: str) -> OwnershipResult:
    """Check r, s and v (0, 1, 27 or 28) in 130 hex digits over typed data for an account of an EVM chain.

    `message` is the JSON object of `types`, `primaryType`, `domain` and `message`, all of which is signed: whatever
    the encoding leaves out (a type nobody uses, a field no type names) makes it malformed. A domain that names a chain
    must name the account's. Reasons beside those of `eip-191`: `wrong-network`. Raises IdentifierError for an account
    that is not of an EVM chain or has a malformed address. Source: EIP-712, EIP-2.
    """
    chain = chain_of(account)
    if family_of(chain) != "eip155":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of eip155 only")
    text = encode(message)
    try:
        typed = read_typed_data(text) if text is not None else None
        signed = digest(typed) if typed is not None else b""
    except InvalidAnswerError:
        typed = None
    if typed is None:
        return OwnershipResult(False, "malformed-message", SCHEME, account)
    if typed.chain_id is not None and f"eip155:{typed.chain_id}" != chain:
        return OwnershipResult(False, "wrong-network", SCHEME, account)
    return check_recovered(SCHEME, account, message, signature, lambda _: signed)
