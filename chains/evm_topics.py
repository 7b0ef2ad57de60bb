"""What can be asked of an account of an EVM chain: its code, owner, Safe, who may take from it, and who froze it."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chains.decode import parse_json
from chains.errors import ChainError, IdentifierError, InvalidAnswerError, ProofError
from chains.evm.address import canonical_address
from chains.evm.allowances import PERMIT2, allowance_steps, debt_steps, permitted_steps
from chains.evm.approvals import approvals_steps
from chains.evm.freezing import frozen_steps
from chains.evm.header import Header
from chains.evm.hexadecimal import data, quantity
from chains.evm.options import read_options
from chains.evm.proving import prove_header
from chains.evm.safe.capture import safe_steps
from chains.evm.steps import Outcome, Steps, walk_together
from chains.evm.upgrade import UPGRADE_SLOTS, Told, code_steps, upgrade_steps
from chains.ids import address_of, chain_of
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef
from chains.network import Network
from chains.providers import Provider
from chains.questions import Answer, Question
from chains.signatures.contract_wallet import prove_owner_steps, read_owner_steps, signature_steps
from chains.transport import Transport

__all__ = ["PERMIT2", "UPGRADE_SLOTS", "answer_questions"]

DIALECTS = ("json-rpc", "web3")


class Visit(NamedTuple):
    """One provider asked at one block: how to name the block in calls, and its header as far as its hash was checked.

    `proofs` tells whether the provider is to be asked for proofs of what it could as well just say.
    """

    block: BlockRef
    pin: Any
    header: Header | None = None
    evidence: str = ""
    proofs: bool = False

    @property
    def proving(self) -> Header | None:
        """The header under which accounts are to be proven; None where words are enough."""
        return self.header if self.proofs else None


def answer_questions(
    network: Network, provider: Provider, transport: Transport, block: BlockRef, questions: Sequence[Question]
) -> list[Answer]:
    """Answer questions through one provider: those about accounts in common batches, those about payments singly."""
    if provider.dialect not in DIALECTS:
        return [Answer(None, (), f"{provider.name}: this dialect answers no questions")] * len(questions)
    options, rpc = read_options(provider), JsonRpc(transport, provider)
    pin: Any = hex(block.height) if options.by_number else {"blockHash": block.hash, "requireCanonical": True}
    visit = _with_header(rpc, Visit(block, pin, proofs=options.proofs), {one.topic for one in questions})
    together = [one for one in questions if one.topic in TOPICS]
    outcomes = iter(walk_together(rpc, [TOPICS[one.topic](one, visit) for one in together], options.batch))
    return [
        _answer(next(outcomes), visit) if one.topic in TOPICS else _ask_singly(rpc, block, one) for one in questions
    ]


def _with_header(rpc: JsonRpc, visit: Visit, topics: set[str]) -> Visit:
    """Add the block's header where a topic needs it; without one that fits the hash there are words, and no proofs."""
    if not ("owner" in topics or (visit.proofs and topics & {"code", "upgrade"})):
        return visit
    try:
        header, evidence = prove_header(rpc, visit.block.hash)
    except ChainError:
        return visit
    return visit._replace(header=header, evidence=evidence)


def _answer(outcome: Outcome[Told], visit: Visit) -> Answer:
    told, evidence, failure = outcome
    if told is None:
        return Answer(None, evidence, failure)
    rests = told.proven or told.remark
    called = tuple(dict.fromkeys((visit.evidence, *evidence))) if rests and visit.evidence else evidence
    return Answer(told.text, called, "", told.proven, told.remark)


def _ask_singly(rpc: JsonRpc, block: BlockRef, question: Question) -> Answer:
    ask = SINGLE.get(question.topic)
    if ask is None:
        return Answer(None, (), f"unknown topic {question.topic!r}; known: {', '.join(sorted({*SINGLE, *TOPICS}))}")
    try:
        return ask(rpc, block, question)
    except ChainError as error:
        return Answer(None, (), str(error))


def _code(question: Question, visit: Visit) -> Steps[Told]:
    return code_steps(address_of(question.account), visit.pin, visit.proving)


def _upgrade(question: Question, visit: Visit) -> Steps[Told]:
    return upgrade_steps(address_of(question.account), visit.pin, visit.proving)


def _allowance(question: Question, visit: Visit) -> Steps[Told]:
    """The detail names token and spender."""
    token, _, spender = question.detail.partition(" ")
    return allowance_steps(address_of(question.account), token, spender, visit.pin)


def _approvals(question: Question, visit: Visit) -> Steps[Told]:
    """The detail names the token."""
    return approvals_steps(address_of(question.account), question.detail, visit.block.height, visit.pin)


def _permitted(question: Question, visit: Visit) -> Steps[Told]:
    """The detail names token and spender."""
    token, _, spender = question.detail.partition(" ")
    return permitted_steps(address_of(question.account), token, spender, visit.pin)


def _debt(question: Question, visit: Visit) -> Steps[Told]:
    return debt_steps(address_of(question.account), question.detail, visit.pin)


def _frozen(question: Question, visit: Visit) -> Steps[Told]:
    account = question.account
    return frozen_steps(chain_of(account), question.detail, address_of(account), visit.pin)


def _safe(question: Question, visit: Visit) -> Steps[Told]:
    """The record of the account's state, which `prove_safe` accepts under the pinned block's state root."""
    record = yield from safe_steps(visit.block, question.account, visit.pin)
    return Told(json.dumps(record, sort_keys=True), proven=True)


def _owner(question: Question, visit: Visit) -> Steps[Told]:
    """Who owns a contract. Which slot decides that is the node's word, so that a proof of the slot stands not alone.

    A proof that does not hold leaves the node without a voice.
    """
    contract = address_of(question.account)
    if visit.header is not None:
        try:
            proven = yield from prove_owner_steps(visit.header, contract, visit.pin)
        except ProofError:
            raise
        except ChainError:
            proven = None
        if proven is not None and proven.owner is not None:
            return Told(proven.owner, remark="by storage proof")
    told = yield from read_owner_steps(contract, visit.pin)
    if told.owner is None:
        raise InvalidAnswerError(told.failure)
    return Told(told.owner)


def _valid_signature(question: Question, visit: Visit) -> Steps[Told]:
    """The detail is JSON with `digest` and `signature`."""
    asked = parse_json(question.detail.encode())
    if not isinstance(asked, dict):
        raise IdentifierError("eip-1271 asks for a digest and a signature")
    digest, signature = (data(asked.get(name), name) for name in ("digest", "signature"))
    judged = yield from signature_steps(question.account, digest, signature, visit.pin)
    return Told(judged.reason)


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


def _data(rpc: JsonRpc, block: BlockRef, question: Question) -> Answer:
    """Say in which block a transaction is and what data it carries."""
    record, inside, evidence = _placed(rpc, block, question)
    height = quantity(record["blockNumber"], "the block's number")
    carried = [data(record.get("input"), "the transaction's data").hex()]
    text = json.dumps({"block": inside.get("hash"), "height": height, "data": carried}, sort_keys=True)
    return Answer(text, evidence)


def _payment(rpc: JsonRpc, block: BlockRef, question: Question) -> Answer:
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


TOPICS: dict[str, Callable[[Question, Visit], Steps[Told]]] = {
    "code": _code,
    "upgrade": _upgrade,
    "allowance": _allowance,
    "approvals": _approvals,
    "permit2-allowance": _permitted,
    "debt": _debt,
    "frozen": _frozen,
    "safe": _safe,
    "owner": _owner,
    "eip-1271": _valid_signature,
}
SINGLE: dict[str, Callable[[JsonRpc, BlockRef, Question], Answer]] = {"data": _data, "payment": _payment}
