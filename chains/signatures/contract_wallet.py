"""What a contract says of itself at a block: whether it takes a signature for its own (EIP-1271), and who owns it."""

from typing import Any, NamedTuple

from chains.errors import IdentifierError, InvalidAnswerError, ProofError, ProviderError
from chains.evm.address import canonical_address
from chains.evm.header import Header
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.reverts import is_revert
from chains.evm.safe.account_code import CodeKind, code_of
from chains.evm.state_proof import verify_proof
from chains.evm.steps import Steps, result_of, walk_alone
from chains.ids import AccountId, chain_of, family_of
from chains.jsonrpc import Answer, JsonRpc
from chains.signatures.recovered_account import plain_address
from chains.signatures.result import OwnershipResult

SCHEME = "eip-1271"
# The first four bytes of the Keccak-256 of each signature; a test recomputes them.
IS_VALID_SIGNATURE = bytes.fromhex("1626ba7e")
OWNER = bytes.fromhex("8da5cb5b")
MAX_SIGNATURE_BYTES = 65_536
MAX_SLOTS = 64
_ACCEPTED = IS_VALID_SIGNATURE + bytes(28)
# Two addresses that no contract has for an owner, and the second with other variables in the rest of its word.
_TRIED = (0xA11CE << 140 | 0x51A7, 0xB0B << 145 | 0x7E57)
_NOISY = _TRIED[1] | 0x0101 << 160
_ADDRESS = 2**160 - 1


class Asked(NamedTuple):
    """A result that rests on a node's word, and the evidence of what it answered."""

    result: OwnershipResult
    evidence: tuple[str, ...]


class ReadOwner(NamedTuple):
    """Who owns a contract (0x and lower case; all zero when it was renounced), or why that is not known.

    `proven` tells whether the address follows from a storage proof; if not, it is the node's word.
    """

    owner: str | None
    evidence: tuple[str, ...]
    failure: str = ""
    proven: bool = False


def ask_is_valid_signature(rpc: JsonRpc, account: AccountId, digest: bytes, signature: bytes, pin: Any) -> Asked:
    """Ask a node whether the contract at an account takes a signature over a 32-byte digest for its own, at a block.

    Results and errors as in `signature_steps`.
    """
    return Asked(*walk_alone(rpc, signature_steps(account, digest, signature, pin)))


def signature_steps(account: AccountId, digest: bytes, signature: bytes, pin: Any) -> Steps[OwnershipResult]:
    """Ask whether the contract at an account takes a signature over a 32-byte digest for its own, at a block.

    `pin` is the block parameter of the calls. The answer is the node's word, and the contract's: code can accept
    whatever it likes. Reasons: `signed` (the answer is exactly 0x1626ba7e in a word of its own), `not-signed` (another
    word), `reverted`, `short-answer`, `malformed-signature`, `no-contract`, `delegated` (a key's account under
    EIP-7702, whose key should sign instead). Raises ProviderError when the node cannot say. Source: EIP-1271.
    """
    if family_of(chain_of(account)) != "eip155":
        raise IdentifierError(f"{account}: {SCHEME} serves accounts of eip155 only")
    if len(digest) != 32:
        raise IdentifierError(f"a digest of {len(digest)} bytes; expected 32")
    address = plain_address(account)
    if len(signature) > MAX_SIGNATURE_BYTES:
        return _judged(account, "malformed-signature")
    # 1. There is a contract, and not a key's account that runs somebody's code
    (asked,) = yield [("eth_getCode", [address, pin])]
    kind = code_of(data(result_of(asked), "eth_getCode")).kind
    if kind is not CodeKind.CONTRACT:
        return _judged(account, "no-contract" if kind is CodeKind.NONE else "delegated")
    # 2. It answers with the word of acceptance, whole and alone
    (called,) = yield [("eth_call", [{"to": address, "data": hexadecimal(is_valid_signature(digest, signature))}, pin])]
    if called.error:
        return _judged(account, _reverted(called.error))
    returned = data(called.result, "isValidSignature")
    if len(returned) < len(_ACCEPTED):
        return _judged(account, "short-answer")
    return _judged(account, "signed" if returned == _ACCEPTED else "not-signed")


def _judged(account: AccountId, reason: str) -> OwnershipResult:
    valid = reason == "signed"
    return OwnershipResult(valid, reason, SCHEME, account, account if valid else None)


def is_valid_signature(digest: bytes, signature: bytes) -> bytes:
    """Encode `isValidSignature(bytes32,bytes)`. Source: EIP-1271; Solidity contract ABI specification."""
    padded = signature + bytes(-len(signature) % 32)
    return IS_VALID_SIGNATURE + digest + (64).to_bytes(32) + len(signature).to_bytes(32) + padded


def read_owner(rpc: JsonRpc, contract: str, pin: Any) -> ReadOwner:
    """Ask a node for the `owner()` of a contract at a block; results and errors as in `read_owner_steps`."""
    found, evidence = walk_alone(rpc, read_owner_steps(contract, pin))
    return found._replace(evidence=evidence)


def read_owner_steps(contract: str, pin: Any) -> Steps[ReadOwner]:
    """Ask for the `owner()` of a contract at a block; a contract without one is a failure, not an error.

    Raises ProviderError when the node cannot say. Source: EIP-173.
    """
    (called,) = yield [("eth_call", [_owner_call(contract), pin])]
    if called.error:
        return ReadOwner(None, (), _reverted(called.error))
    owner = _address(called)
    return ReadOwner(owner, (), "" if owner else "owner() answered no address")


def prove_owner(rpc: JsonRpc, header: Header, contract: str, pin: Any) -> ReadOwner:
    """Prove who owns a contract by the storage slot that decides `owner()`; as `prove_owner_steps`."""
    found, evidence = walk_alone(rpc, prove_owner_steps(header, contract, pin))
    return found._replace(evidence=evidence)


def prove_owner_steps(header: Header, contract: str, pin: Any) -> Steps[ReadOwner]:
    """Prove who owns a contract by the storage slot that decides `owner()`, found by cause as token balances are.

    The slot's value follows from the header's state root; that this slot decides is still the node's word. Returns a
    failure when no slot of the contract's own alone decides. Raises ChainError when the node gives no proof or one
    that does not hold (ProofError).
    """
    address = canonical_address(contract)
    call = _owner_call(address)
    (listed,) = yield [("eth_createAccessList", [call, pin])]
    for slot in _own_slots(result_of(listed), address):
        answers = yield [("eth_call", [call, pin, _overriding(address, slot, tried)]) for tried in (*_TRIED, _NOISY)]
        plain, other, noisy = (None if answer.error else _address(answer) for answer in answers)
        if (plain, other) != tuple(f"0x{tried:040x}" for tried in _TRIED):
            continue
        (proof,) = yield [("eth_getProof", [address, [f"0x{slot:064x}"], pin])]
        word = _proven_word(header, address, slot, result_of(proof))
        if noisy != other and word > _ADDRESS:
            break
        return ReadOwner(f"0x{word & _ADDRESS:040x}", (), proven=True)
    return ReadOwner(None, (), "no storage slot of the contract alone decides owner()")


def _proven_word(header: Header, address: str, slot: int, answer: Any) -> int:
    if not isinstance(answer, dict):
        raise ProofError("eth_getProof answered no object")
    storage = verify_proof(header.state_root, address, answer).storage
    if slot not in storage:
        raise ProofError(f"{address}: the proof lacks the slot of its owner")
    return storage[slot]


def _owner_call(contract: str) -> dict[str, str]:
    return {"to": canonical_address(contract), "data": hexadecimal(OWNER)}


def _address(answer: Answer) -> str | None:
    returned = data(answer.result, "owner")
    if len(returned) != 32 or any(returned[:12]):
        return None
    return hexadecimal(returned[12:])


def _own_slots(result: Any, contract: str) -> list[int]:
    entries = result.get("accessList") if isinstance(result, dict) else None
    if not isinstance(entries, list):
        raise InvalidAnswerError("eth_createAccessList answered no list")
    keys: list[Any] = []
    for entry in entries[:MAX_SLOTS]:
        listed = entry.get("storageKeys") if isinstance(entry, dict) else None
        if isinstance(listed, list) and str(entry.get("address")).lower() == contract:
            keys += listed
    return [quantity(key, "a storage key") for key in keys[:MAX_SLOTS]]


def _overriding(address: str, slot: int, value: int) -> dict[str, Any]:
    return {address: {"stateDiff": {f"0x{slot:064x}": f"0x{value:064x}"}}}


def _reverted(error: ProviderError) -> str:
    """Tell a contract that refuses from a node that cannot say, which is raised on."""
    if is_revert(error):
        return "reverted"
    raise error
