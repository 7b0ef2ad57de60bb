"""What a node of the Bitcoin family says of one transaction: the block it is in, and the data it carries."""

import json
from collections.abc import Sequence
from typing import Any

from chains.bitcoin.holdings import checked_hash, checked_number, checked_record
from chains.errors import ChainError, InvalidAnswerError
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef
from chains.network import Network
from chains.providers import Provider
from chains.questions import Answer, Question
from chains.transport import Transport

DIALECTS = ("bitcoin-core", "bitcoin-core-history")
OP_RETURN = "6a"


def answer_questions(
    network: Network, provider: Provider, transport: Transport, block: BlockRef, questions: Sequence[Question]
) -> list[Answer]:
    """Answer questions of the topic `data`; the detail is a transaction's id and the hash of its block."""
    rpc = JsonRpc(transport, provider)
    return [_answer(provider, rpc, block, question) for question in questions]


def _answer(provider: Provider, rpc: JsonRpc, block: BlockRef, question: Question) -> Answer:
    if provider.dialect not in DIALECTS or question.topic != "data":
        return Answer(None, (), f"{provider.name}: this dialect answers no questions on {question.topic!r}")
    try:
        return _data(provider, rpc, block, question)
    except ChainError as error:
        return Answer(None, (), str(error))


def _data(provider: Provider, rpc: JsonRpc, block: BlockRef, question: Question) -> Answer:
    transaction, _, inside = question.detail.partition(" ")
    told = rpc.call("getblockheader", inside, True)
    header = checked_record(provider, told.result, "the header")
    height = checked_number(provider, header.get("height"), "the block's height")
    if height > block.height or rpc.call("getblockhash", height).result != inside:
        raise InvalidAnswerError(f"{provider.name}: block {inside[:20]}… is not on the main chain up to {block.height}")
    asked = rpc.call("getrawtransaction", transaction, True, inside)
    record = checked_record(provider, asked.result, "the transaction")
    if checked_hash(provider, record.get("txid"), "the transaction's id") != transaction:
        raise InvalidAnswerError(f"{provider.name}: answered with another transaction")
    carried = [data for out in record.get("vout") or () if (data := _carried(provider, out))]
    text = json.dumps({"block": inside, "height": height, "data": carried}, sort_keys=True)
    return Answer(text, (told.evidence, asked.evidence))


def _carried(provider: Provider, output: Any) -> str:
    """Return the data an output carries in one push behind OP_RETURN, in hexadecimal; nothing for other outputs."""
    script = checked_record(provider, checked_record(provider, output, "an output").get("scriptPubKey"), "a script")
    text = script.get("hex")
    if not isinstance(text, str) or not text.startswith(OP_RETURN):
        return ""
    try:
        pushed = bytes.fromhex(text[2:])
    except ValueError as error:
        raise InvalidAnswerError(f"{provider.name}: a script is not hexadecimal") from error
    start = 2 if pushed[:1] == b"\x4c" else 1
    length = pushed[start - 1] if len(pushed) >= start else -1
    return pushed[start:].hex() if length == len(pushed) - start else ""
