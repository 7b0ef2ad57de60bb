"""TRC-20 balances at a past block: the balance now, without the transfers since then."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chains.errors import ProviderError
from chains.evm.abi import balance_of, decode_uint256
from chains.evm.hexadecimal import data, quantity
from chains.model import BlockRef
from chains.tron.address import ethereum_form
from chains.tron.node import Node, inside

# Keccak-256 of Transfer(address,address,uint256); a test recomputes it.
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
BLOCKS_PER_QUESTION = 5_000
MOST_BLOCKS = 100_000
TRIES = 2


class Outcome(NamedTuple):
    """The units that were read, or why there are none, and the evidence for either."""

    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


class _Moved(NamedTuple):
    """Units that came in at a height; negative when they went out."""

    height: int
    units: int


def read_token(node: Node, block: BlockRef, holder: str, token: str) -> Outcome:
    """Read what `holder` had of `token` at `block`, in base units.

    The balance is of some block between two solidified ones; when the holder moved tokens between these two it is not
    known which side of the move was read, so it is read again, once. Raises ProviderError or InvalidAnswerError.
    """
    for _ in range(TRIES):
        found = _attempt(node, block, holder, token)
        if found is not None:
            return found
    return Outcome(None, (), f"{node.name}: tokens moved while they were read, {TRIES} times; read them again")


def _attempt(node: Node, block: BlockRef, holder: str, token: str) -> Outcome | None:
    before, first = node.solidified()
    now, second = _balance_now(node, holder, token)
    after, third = node.solidified()
    evidence: tuple[str, ...] = (first, second, third)
    if not block.height <= before.height <= after.height:
        return Outcome(None, evidence, f"{node.name}: its newest solidified block is not after the pinned one, or fell")
    if after.height - block.height > MOST_BLOCKS:
        return Outcome(None, evidence, f"{node.name}: the pinned block is more than {MOST_BLOCKS:,} blocks old")
    moved: list[_Moved] = []
    for start in range(block.height + 1, after.height + 1, BLOCKS_PER_QUESTION):
        end = min(start + BLOCKS_PER_QUESTION - 1, after.height)
        for incoming in (False, True):
            found, proof = _moves(node, holder, token, range(start, end + 1), incoming)
            moved, evidence = [*moved, *found], (*evidence, proof)
    if any(move.height > before.height for move in moved):
        return None
    units = now - sum(move.units for move in moved)
    if units < 0:
        return Outcome(None, evidence, f"{node.name}: more came in since the pinned block than there is")
    return Outcome(units, evidence)


def _balance_now(node: Node, holder: str, token: str) -> tuple[int, str]:
    call = balance_of(ethereum_form(holder)).hex()
    parties = {"owner_address": holder, "contract_address": token, "visible": True}
    question = parties | {"function_selector": "balanceOf(address)", "parameter": call[8:]}
    answer, evidence = node.post("/walletsolidity/triggerconstantcontract", question)
    result, transaction = answer.get("result"), answer.get("transaction")
    # A reverted call also says `result: true`; only its message and the transaction's outcome tell.
    if not isinstance(result, dict) or result.get("result") is not True or "message" in result or "code" in result:
        raise ProviderError(f"{node.name}: balanceOf was not answered: no such contract there, or no TRC-20 token")
    if inside(transaction, "ret", 0, "ret") not in (None, "SUCESS", "SUCCESS"):
        raise ProviderError(f"{node.name}: balanceOf failed inside the contract")
    asked = inside(transaction, "raw_data", "contract", 0, "parameter", "value")
    if (inside(asked, "data"), inside(asked, "contract_address")) != (call, token):
        raise node.invalid("balanceOf was answered for another account or token")
    returned = answer.get("constant_result")
    if not isinstance(returned, list) or len(returned) != 1:
        raise node.invalid("balanceOf returned no single value")
    return decode_uint256(data(f"0x{returned[0]}", "balanceOf")), evidence


def _moves(node: Node, holder: str, token: str, heights: range, incoming: bool) -> tuple[list[_Moved], str]:
    """Return the holder's transfers in one direction at these heights, and the evidence."""
    topic = "0x" + bytes(12).hex() + ethereum_form(holder)[2:]
    topics: list[str | None] = [TRANSFER, None, topic] if incoming else [TRANSFER, topic]
    where = {"fromBlock": hex(heights[0]), "toBlock": hex(heights[-1]), "address": ethereum_form(token)}
    answer = node.rpc.call("eth_getLogs", where | {"topics": topics})
    if not isinstance(answer.result, list):
        raise node.invalid("eth_getLogs answered no list")
    places: set[tuple[int, int]] = set()
    moved = []
    for log in answer.result:
        if not _is_asked_for(log, topics, ethereum_form(token)):
            raise node.invalid("eth_getLogs answered with something that was not asked for")
        height, place = quantity(log.get("blockNumber"), "an event's block"), quantity(log.get("logIndex"), "its place")
        if height not in heights or (height, place) in places:
            raise node.invalid("eth_getLogs answered with an event of other blocks, or with one event twice")
        places.add((height, place))
        units = decode_uint256(data(log.get("data"), "an event's amount"))
        moved.append(_Moved(height, units if incoming else -units))
    return moved, answer.evidence


def _is_asked_for(log: Any, topics: list[str | None], token: str) -> bool:
    found = log.get("topics") if isinstance(log, dict) else None
    if not isinstance(found, list) or len(found) != 3 or log.get("address") != token:
        return False
    matches: Iterator[bool] = (want in (None, have) for want, have in zip(topics, found, strict=False))
    return log.get("removed", False) is False and all(matches)
