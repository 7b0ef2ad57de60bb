"""Everybody whom an account lets take its tokens: named by the token's events, and asked of the token itself."""

import json
from typing import Any

from chains.errors import InvalidAnswerError, ProviderError
from chains.evm.address import canonical_address
from chains.evm.allowances import ALLOWANCE, address_word, call_of
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.evm.steps import Calls, Steps, result_of
from chains.evm.upgrade import Told

APPROVAL = hexadecimal(keccak256(b"Approval(address,address,uint256)"))
MAX_SPENDERS = 1_000
# A node that refuses ranges this small is not asked about the whole chain: it would take days.
MAX_REQUESTS = 64
_WORD = 32


def approvals_steps(owner: str, token: str, height: int, pin: Any) -> Steps[Told]:
    """Ask which spenders have an allowance at a block, and over how many base units: JSON, sorted by spender.

    A refused range of blocks is halved, up to MAX_REQUESTS requests. Raises ProviderError when the node does not list
    the events, InvalidAnswerError when it lists what was not asked for. Tokens that give allowances without the event
    (EIP-20 asks for it) are not seen. Source: EIP-20, Ethereum JSON-RPC specification.
    """
    spenders = yield from _spenders(owner, token, height)
    asked: Calls = [
        call
        for spender in spenders
        for call in call_of(token, ALLOWANCE + address_word(owner) + address_word(spender), pin)
    ]
    answers = (yield asked) if asked else []
    found = []
    for spender, answer in zip(spenders, answers, strict=True):
        word = data(result_of(answer), "an allowance")
        if len(word) != _WORD:
            raise InvalidAnswerError(f"{token} answered {len(word)} bytes for an allowance; expected {_WORD}")
        if any(word):
            found.append([spender, str(int.from_bytes(word))])
    return Told(json.dumps(found))


def _spenders(owner: str, token: str, height: int) -> Steps[list[str]]:
    """Return everybody the owner ever approved, in order."""
    ranges, found, requests = [(0, height)], set[str](), 0
    while ranges:
        first, last = ranges.pop()
        requests += 1
        if requests > MAX_REQUESTS:
            raise ProviderError(f"the node lists no events over {height:,} blocks in {MAX_REQUESTS} requests")
        (told,) = yield [_query(owner, token, first, last)]
        if told.error:
            if first == last:
                raise told.error
            middle = (first + last) // 2
            ranges += [(middle + 1, last), (first, middle)]
            continue
        if not isinstance(told.result, list):
            raise InvalidAnswerError("eth_getLogs answered no list")
        found |= {_spender(entry, owner, token, first, last) for entry in told.result}
        if len(found) > MAX_SPENDERS:
            raise InvalidAnswerError(f"{owner} has approved more than {MAX_SPENDERS:,} spenders")
    return sorted(found)


def _query(owner: str, token: str, first: int, last: int) -> tuple[str, list[Any]]:
    topics = [APPROVAL, hexadecimal(address_word(owner))]
    asked = {"address": canonical_address(token), "topics": topics, "fromBlock": hex(first), "toBlock": hex(last)}
    return "eth_getLogs", [asked]


def _spender(entry: Any, owner: str, token: str, first: int, last: int) -> str:
    topics = entry.get("topics") if isinstance(entry, dict) else None
    if not isinstance(topics, list) or len(topics) != 3 or topics[:1] != [APPROVAL] or entry.get("removed") is True:
        raise InvalidAnswerError("eth_getLogs: a log is no approval of the main chain")
    holder, spender = (data(topic, "a log's topic", _WORD) for topic in topics[1:])
    contract = hexadecimal(data(entry.get("address"), "a log's contract", 20))
    if holder != address_word(owner) or contract != canonical_address(token) or any(spender[:12]):
        raise InvalidAnswerError("eth_getLogs: a log of a token or owner nobody asked for")
    if not first <= quantity(entry.get("blockNumber"), "a log's block number") <= last:
        raise InvalidAnswerError(f"eth_getLogs: a log outside the blocks {first} to {last}")
    return hexadecimal(spender[12:])
