"""What can be asked of an account of an EVM chain: its code, owner, Safe, who may take from it, and who froze it."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import ChainError, IdentifierError, InvalidAnswerError
from chains.evm.abi import balance_of
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.evm.options import read_options
from chains.evm.proving import prove_header
from chains.evm.safe.account_code import CodeKind, code_of
from chains.evm.safe.capture import capture_safe
from chains.ids import address_of
from chains.jsonrpc import Answer as Called
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef
from chains.network import Network
from chains.providers import Provider
from chains.questions import Answer, Question
from chains.signatures.contract_wallet import ask_is_valid_signature, prove_owner, read_owner
from chains.transport import Transport

DIALECTS = ("json-rpc", "web3")
PERMIT2 = "0x000000000022d473030f116ddee9f6b43ac78ba3"
ADDRESS_MASK = 2**160 - 1

Calls = list[tuple[str, list[Any]]]


class Topic(NamedTuple):
    """A topic asked in batches: which calls a question takes, and what their answers say together."""

    calls: Callable[[Question, Any], Calls]
    read: Callable[[Sequence[Called]], str]


def answer_questions(
    network: Network, provider: Provider, transport: Transport, block: BlockRef, questions: Sequence[Question]
) -> list[Answer]:
    """Answer questions through one provider: the simple ones in batches, the others one by one."""
    if provider.dialect not in DIALECTS:
        return [Answer(None, (), f"{provider.name}: this dialect answers no questions")] * len(questions)
    options, rpc = read_options(provider), JsonRpc(transport, provider)
    pin: Any = hex(block.height) if options.by_number else {"blockHash": block.hash, "requireCanonical": True}
    answers: dict[int, Answer] = {}
    batched = [(number, one) for number, one in enumerate(questions) if one.topic in BATCHED]
    planned = [(number, BATCHED[one.topic], BATCHED[one.topic].calls(one, pin)) for number, one in batched]
    told = rpc.batch([call for _, _, calls in planned for call in calls], options.batch)
    for number, topic, calls in planned:
        answers[number] = _read(topic, [next(told) for _ in calls])
    for number, question in enumerate(questions):
        if number not in answers:
            answers[number] = _ask_singly(rpc, block, pin, question)
    return [answers[number] for number in range(len(questions))]


def _read(topic: Topic, called: Sequence[Called]) -> Answer:
    evidence = tuple(one.evidence for one in called)
    try:
        return Answer(topic.read(called), evidence)
    except ChainError as error:
        return Answer(None, evidence, str(error))


def _ask_singly(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    ask = SINGLE.get(question.topic)
    if ask is None:
        return Answer(None, (), f"unknown topic {question.topic!r}; known: {', '.join(sorted({*SINGLE, *BATCHED}))}")
    try:
        return ask(rpc, block, pin, question)
    except ChainError as error:
        return Answer(None, (), str(error))


def _code_calls(question: Question, pin: Any) -> Calls:
    return [("eth_getCode", [address_of(question.account), pin])]


def _read_code(called: Sequence[Called]) -> str:
    found = code_of(data(_result(called[0]), "eth_getCode"))
    match found.kind:
        case CodeKind.NONE:
            return "none"
        case CodeKind.DELEGATED:
            return f"delegated {found.delegate}"
        case CodeKind.CONTRACT:
            return f"contract {hexadecimal(found.code_hash)}"


def _slot_of(name: str) -> str:
    return f"0x{int.from_bytes(keccak256(name.encode())) - 1:064x}"


# Where a proxy keeps who it runs and who may change that. Source: EIP-1967.
UPGRADE_SLOTS = {name: _slot_of(f"eip1967.proxy.{name}") for name in ("implementation", "admin", "beacon")}


def _upgrade_calls(question: Question, pin: Any) -> Calls:
    return [("eth_getStorageAt", [address_of(question.account), slot, pin]) for slot in UPGRADE_SLOTS.values()]


def _read_upgrade(called: Sequence[Called]) -> str:
    words = [quantity(_result(one), "eth_getStorageAt") & ADDRESS_MASK for one in called]
    found = [f"{name} 0x{word:040x}" for name, word in zip(UPGRADE_SLOTS, words, strict=True) if word]
    return ", ".join(found) or "none"


def _selector(form: str) -> bytes:
    return keccak256(form.encode())[:4]


def _word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(canonical_address(address)[2:])


ALLOWANCE = _selector("allowance(address,address)")


def _allowance_calls(question: Question, pin: Any) -> Calls:
    token, _, spender = question.detail.partition(" ")
    asked = ALLOWANCE + _word(address_of(question.account)) + _word(spender)
    return [("eth_call", [{"to": canonical_address(token), "data": hexadecimal(asked)}, pin])]


def _read_units(called: Sequence[Called]) -> str:
    word = data(_result(called[0]), "an amount")
    if len(word) != 32:
        raise InvalidAnswerError(f"an amount of {len(word)} bytes")
    return str(int.from_bytes(word))


def _balance_calls(question: Question, pin: Any) -> Calls:
    asked = {"to": canonical_address(question.detail), "data": hexadecimal(balance_of(address_of(question.account)))}
    return [("eth_call", [asked, pin])]


# How tokens say that an account is frozen, or everything is; a token that knows none of these does not tell.
ACCOUNT_PROBES = tuple(
    _selector(f"{name}(address)") for name in ("isBlacklisted", "isBlackListed", "isFrozen", "frozen")
)
TOKEN_PROBES = (_selector("paused()"),)


def _frozen_calls(question: Question, pin: Any) -> Calls:
    probes = [probe + _word(address_of(question.account)) for probe in ACCOUNT_PROBES] + list(TOKEN_PROBES)
    token = canonical_address(question.detail)
    return [("eth_call", [{"to": token, "data": hexadecimal(probe)}, pin]) for probe in probes]


def _read_frozen(called: Sequence[Called]) -> str:
    flags = [_flag(one) for one in called]
    if True in flags[:-1]:
        return "frozen"
    if flags[-1]:
        return "paused"
    return "free" if False in flags[:-1] else "not told"


def _flag(called: Called) -> bool | None:
    """Return a yes or no; None where the token knows no such question."""
    if called.error:
        return None
    word = data(called.result, "a yes or no")
    return bool(word[31]) if len(word) == 32 and not any(word[:31]) and word[31] < 2 else None


def _result(called: Called) -> Any:
    if called.error:
        raise called.error
    return called.result


def _safe(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    captured = capture_safe(rpc, block, question.account, pin)
    return Answer(json.dumps(captured.record, sort_keys=True), captured.evidence, proven=True)


def _owner(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    contract = address_of(question.account)
    evidence: tuple[str, ...] = ()
    try:
        header, seen = prove_header(rpc, block.hash)
        proven = prove_owner(rpc, header, contract, pin)
        evidence = (seen, *proven.evidence)
    except ChainError:
        proven = None
    if proven is not None and proven.owner is not None:
        return Answer(proven.owner, evidence, proven=True)
    told = read_owner(rpc, contract, pin)
    return Answer(told.owner, (*evidence, *told.evidence), told.failure)


def _valid_signature(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    asked = parse_json(question.detail.encode())
    if not isinstance(asked, dict):
        raise IdentifierError("eip-1271 asks for a digest and a signature")
    digest, signature = (data(asked.get(name), name) for name in ("digest", "signature"))
    told = ask_is_valid_signature(rpc, question.account, digest, signature, pin)
    return Answer(told.result.reason, told.evidence)


def _placed(rpc: JsonRpc, block: BlockRef, question: Question) -> tuple[dict[str, Any], Any, tuple[str, ...]]:
    """Return a transaction and its block, which leads to the pinned one. Raises InvalidAnswerError without one."""
    told = rpc.call("eth_getTransactionByHash", question.detail)
    record = told.result
    if not isinstance(record, dict) or str(record.get("hash")).lower() != question.detail.lower():
        raise InvalidAnswerError(f"there is no transaction {question.detail[:80]}")
    height = quantity(record.get("blockNumber"), "the block's number")
    asked = rpc.call("eth_getBlockByNumber", hex(height), False)
    inside = asked.result if isinstance(asked.result, dict) else {}
    if height > block.height or inside.get("hash") != record.get("blockHash"):
        raise InvalidAnswerError(f"transaction {question.detail[:20]}… is not on the chain up to block {block.height}")
    return record, inside, (told.evidence, asked.evidence)


def _data(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    """Say in which block a transaction is and what data it carries."""
    record, inside, evidence = _placed(rpc, block, question)
    height = quantity(record["blockNumber"], "the block's number")
    carried = [data(record.get("input"), "the transaction's data").hex()]
    text = json.dumps({"block": inside.get("hash"), "height": height, "data": carried}, sort_keys=True)
    return Answer(text, evidence)


def _payment(rpc: JsonRpc, block: BlockRef, pin: Any, question: Question) -> Answer:
    """Say who paid whom how much of the chain's own coin in a transaction that succeeded, and when."""
    record, inside, evidence = _placed(rpc, block, question)
    receipt = rpc.call("eth_getTransactionReceipt", question.detail)
    told = receipt.result if isinstance(receipt.result, dict) else {}
    if told.get("status") != "0x1" or told.get("blockHash") != inside.get("hash"):
        raise InvalidAnswerError(f"transaction {question.detail[:20]}… did not succeed")
    paid = {
        "sender": canonical_address(str(record.get("from"))),
        "recipient": canonical_address(str(record.get("to"))),
        "units": str(quantity(record.get("value"), "the value")),
        "height": quantity(record["blockNumber"], "the block's number"),
        "time": quantity(inside.get("timestamp"), "the block's time"),
    }
    return Answer(json.dumps(paid, sort_keys=True), (*evidence, receipt.evidence))


BATCHED: dict[str, Topic] = {
    "code": Topic(_code_calls, _read_code),
    "upgrade": Topic(_upgrade_calls, _read_upgrade),
    "allowance": Topic(_allowance_calls, _read_units),
    "debt": Topic(_balance_calls, _read_units),
    "frozen": Topic(_frozen_calls, _read_frozen),
}
SINGLE: dict[str, Callable[[JsonRpc, BlockRef, Any, Question], Answer]] = {
    "safe": _safe,
    "owner": _owner,
    "eip-1271": _valid_signature,
    "data": _data,
    "payment": _payment,
}
