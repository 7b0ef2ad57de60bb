"""Who may take an account's tokens is read from events in ranges a node allows; what was not asked for is refused."""

import json
from typing import Any

import pytest

from chains.errors import ChainError, InvalidAnswerError, ProviderError
from chains.evm.allowances import address_word
from chains.evm.approvals import APPROVAL, MAX_REQUESTS, approvals_steps
from chains.evm.steps import Call
from chains.jsonrpc import Answer

OWNER, TOKEN, HEIGHT = "0x" + "0a" * 20, "0x" + "7e" * 20, 1_000
FIRST, SECOND = "0x" + "01" * 20, "0x" + "02" * 20
REFUSED = ProviderError("node: range too large (code -32005)", -32005)


def log(spender: str, height: int = 5, **change: Any) -> dict[str, Any]:
    topics = [APPROVAL, *("0x" + address_word(one).hex() for one in (OWNER, spender))]
    return {"address": TOKEN, "topics": topics, "blockNumber": hex(height), "data": "0x" + "00" * 32} | change


def asked(logs: list[dict[str, Any]], widest: int = HEIGHT + 1, units: int = 7) -> tuple[str, int]:
    """Answer as a node with these events that refuses wider ranges; return what is told and the requests for events."""
    requests = 0

    def told(call: Call) -> Answer:
        nonlocal requests
        if call[0] == "eth_call":
            return Answer("0x" + units.to_bytes(32).hex(), "call")
        requests += 1
        first, last = (int(call[1][0][name], 16) for name in ("fromBlock", "toBlock"))
        if last - first + 1 > widest:
            return Answer(None, "call", REFUSED)
        return Answer([one for one in logs if first <= int(one["blockNumber"], 16) <= last], "call")

    steps = approvals_steps(OWNER, TOKEN, HEIGHT, "latest")
    try:
        calls = next(steps)
        while True:
            calls = steps.send([told(call) for call in calls])
    except StopIteration as end:
        return end.value.text, requests


def test_spenders_are_found_once_each_and_asked_what_they_may_still_take() -> None:
    logs = [log(SECOND, 7), log(FIRST, 900), log(FIRST, 3)]
    assert json.loads(asked(logs)[0]) == [[FIRST, "7"], [SECOND, "7"]]
    assert json.loads(asked(logs, units=0)[0]) == []
    assert asked([]) == ("[]", 1)


def test_refused_ranges_are_halved_and_nothing_is_missed() -> None:
    logs = [log("0x" + f"{height:040x}", height) for height in range(0, HEIGHT + 1, 50)]
    whole, one = asked(logs)
    halved, many = asked(logs, widest=100)
    assert (halved, one, many) == (whole, 1, 31)


def test_a_node_that_refuses_everything_is_not_asked_for_ever() -> None:
    with pytest.raises(ProviderError):
        asked([], widest=0)
    with pytest.raises(ProviderError, match=f"{MAX_REQUESTS} requests"):
        asked([], widest=1)


@pytest.mark.parametrize(
    "change",
    [
        {"address": SECOND}, {"topics": []},
        {"topics": [APPROVAL, "0x" + address_word(SECOND).hex(), "0x" + "00" * 32]},
        {"topics": [APPROVAL, "0x" + address_word(OWNER).hex(), "0x" + "ff" * 32]}, {"removed": True},
        {"topics": ["0x" + "00" * 32, "0x" + address_word(OWNER).hex(), "0x" + "00" * 32]},
    ],
)  # fmt: skip
def test_events_nobody_asked_for_leave_the_node_without_a_voice(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswerError):
        asked([log(FIRST, 5, **change)])


@pytest.mark.parametrize("answer", [None, {}, "0x", [5], [{}], [{"topics": [APPROVAL, "0x", "0x"]}]])
def test_an_answer_that_is_no_list_of_events_is_an_error_of_ours(answer: Any) -> None:
    steps = approvals_steps(OWNER, TOKEN, HEIGHT, "latest")
    next(steps)
    with pytest.raises(ChainError):
        steps.send([Answer(answer, "call")])
