"""What runs at an address: nothing, a contract, or the code of somebody else that a key's account delegates to."""

from enum import StrEnum
from typing import NamedTuple

from chains.errors import ProofError
from chains.evm.hexadecimal import hexadecimal
from chains.evm.keccak import keccak256
from chains.evm.state_proof import AccountState

DELEGATION = bytes.fromhex("ef0100")
_ADDRESS_BYTES = 20


class CodeKind(StrEnum):
    """Who decides over an account: its key alone, its key and a delegate's code, or a contract's code."""

    NONE = "none"
    DELEGATED = "delegated"
    CONTRACT = "contract"


class AccountCode(NamedTuple):
    """An account's code by kind and hash; `delegate` is the address whose code acts for the account, when one does."""

    kind: CodeKind
    code_hash: bytes
    delegate: str | None = None


def code_of(code: bytes) -> AccountCode:
    """Say what kind of code this is. Source: EIP-7702: 0xef0100 and an address is a delegation; EIP-3541."""
    code_hash = keccak256(code)
    if not code:
        return AccountCode(CodeKind.NONE, code_hash)
    if code.startswith(DELEGATION) and len(code) == len(DELEGATION) + _ADDRESS_BYTES:
        return AccountCode(CodeKind.DELEGATED, code_hash, hexadecimal(code[len(DELEGATION) :]))
    return AccountCode(CodeKind.CONTRACT, code_hash)


def proven_code(state: AccountState, code: bytes) -> AccountCode:
    """Say what kind of code a proven account has, from the code as anybody gives it.

    Raises ProofError when it is not the code whose hash the account's proof shows.
    """
    found = code_of(code)
    if found.code_hash != state.code_hash:
        raise ProofError("the code given is not the one whose hash is proven")
    return found
