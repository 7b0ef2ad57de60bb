"""Which code an account runs and who may change it, by proof where a node gives one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chains.errors import ProofError
from chains.evm.header import Header
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.evm.safe.account_code import AccountCode, CodeKind, code_of, proven_code
from chains.evm.state_proof import ProvenAccount, verify_proof
from chains.evm.steps import Call, Calls, Steps, result_of
from chains.jsonrpc import Answer

_ADDRESS = 2**160 - 1


class Told(NamedTuple):
    """An answer in words; `proven` when it follows from the block's hash, `remark` says what else was checked."""

    text: str
    proven: bool = False
    remark: str = ""


def _slot_of(name: str) -> str:
    return f"0x{int.from_bytes(keccak256(name.encode())) - 1:064x}"


# Where a proxy keeps who it runs and who may change that. Source: EIP-1967.
UPGRADE_SLOTS = {name: _slot_of(f"eip1967.proxy.{name}") for name in ("implementation", "admin", "beacon")}


def code_steps(address: str, pin: Any, header: Header | None) -> Steps[Told]:
    """Ask what runs at an address: `none`, `delegated` with the delegate, or `contract` with the code's hash.

    With a `header` the node is asked for a proof too: one that does not hold raises ProofError, none leaves its word.
    """
    code, proven = yield from _code(address, pin, header)
    match code.kind:
        case CodeKind.NONE:
            return Told("none", proven)
        case CodeKind.DELEGATED:
            return Told(f"delegated {code.delegate}", proven)
        case CodeKind.CONTRACT:
            return Told(f"contract {hexadecimal(code.code_hash)}", proven)


def upgrade_steps(address: str, pin: Any, header: Header | None) -> Steps[Told]:
    """Ask which of the slots of EIP-1967 an account uses: their names and addresses, or `none`. `header` as above."""
    code, proven = yield from _code(address, pin, header)
    if code.kind is CodeKind.NONE:
        return Told("none", proven)
    slots = list(UPGRADE_SLOTS.values())
    if header is not None and proven:
        (told,) = yield [("eth_getProof", [address, slots, pin])]
        words = _proven_words(header, address, result_of(told))
    else:
        answers = yield [("eth_getStorageAt", [address, slot, pin]) for slot in slots]
        words = {name: quantity(result_of(one), name) for name, one in zip(UPGRADE_SLOTS, answers, strict=True)}
    found = [f"{name} 0x{word & _ADDRESS:040x}" for name, word in words.items() if word & _ADDRESS]
    return Told(", ".join(found) or "none", proven)


def _code(address: str, pin: Any, header: Header | None) -> Steps[tuple[AccountCode, bool]]:
    asked: Call = ("eth_getCode", [address, pin])
    calls: Calls = [asked] if header is None else [asked, ("eth_getProof", [address, [], pin])]
    told = yield calls
    code = data(result_of(told[0]), "eth_getCode")
    if header is None or told[1].error:
        return code_of(code), False
    return proven_code(_account(header, address, told[1]).state, code), True


def _account(header: Header, address: str, told: Answer) -> ProvenAccount:
    if not isinstance(told.result, dict):
        raise ProofError(f"eth_getProof of {address} answered no object")
    return verify_proof(header.state_root, address, told.result)


def _proven_words(header: Header, address: str, answer: Any) -> Mapping[str, int]:
    storage = _account(header, address, Answer(answer, "")).storage
    missing = [name for name, slot in UPGRADE_SLOTS.items() if int(slot, 16) not in storage]
    if missing:
        raise ProofError(f"the proof of {address} lacks the slot of its {missing[0]}")
    return {name: storage[int(slot, 16)] for name, slot in UPGRADE_SLOTS.items()}
