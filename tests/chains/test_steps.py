"""Questions in rounds: alike ones are asked once, many go in few requests, a failed batch spoils no other answer."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from chains.errors import ChainError, ProofError, ProviderError
from chains.evm.allowances import PERMITTED, address_word, allowance_steps, permitted_steps
from chains.evm.steps import Steps, result_of, walk_alone, walk_together
from chains.evm_topics import answer_questions
from chains.ids import ChainId, account_id
from chains.jsonrpc import Answer, JsonRpc
from chains.model import BlockRef
from chains.network import network_of
from chains.providers import Provider
from chains.questions import Question
from chains.transport import Request, Response

CHAIN = ChainId("eip155:31337")
NODE = Provider("node", CHAIN, "json-rpc")
BLOCK = BlockRef(CHAIN, 7, "0x" + "07" * 32, 1_700_000_000)


class Echo:
    """A node without a network: answers each call with its method and parameters, plain accounts, and no contracts."""

    def __init__(self, broken_from: int = 10**9) -> None:
        self.requests: list[list[Any]] = []
        self._broken_from = broken_from

    def send(self, provider: Provider, request: Request) -> Response:
        asked = json.loads(request.body)
        calls = asked if isinstance(asked, list) else [asked]
        self.requests.append([(call["method"], call["params"]) for call in calls])
        if len(self.requests) > self._broken_from:
            return Response(503, b'{"error": {"code": 1, "message": "busy"}}', "broken")
        answers = [{"jsonrpc": "2.0", "id": call["id"], **self._result(call)} for call in calls]
        body = answers if isinstance(asked, list) else answers[0]
        return Response(200, json.dumps(body).encode(), f"request {len(self.requests)}")

    @staticmethod
    def _result(call: dict[str, Any]) -> dict[str, Any]:
        if call["method"] == "eth_getCode":
            return {"result": "0x"}
        if call["method"] == "eth_call":
            return {"error": {"code": 3, "message": "execution reverted"}}
        return {"result": [call["method"], call["params"]]}


def asking(*rounds: Sequence[int]) -> Steps[list[Any]]:
    told: list[Any] = []
    for numbers in rounds:
        answers = yield [("echo", [number]) for number in numbers]
        told += [result_of(answer)[1][0] for answer in answers]
    return told


def test_what_several_ask_alike_is_asked_once_in_a_round() -> None:
    node = Echo()
    outcomes = walk_together(JsonRpc(node, NODE), [asking([1, 2], [5]), asking([2, 1, 2]), asking(), asking([2])], 10)
    assert [outcome.value for outcome in outcomes] == [[1, 2, 5], [2, 1, 2], [], [2]]
    assert [len(request) for request in node.requests] == [2, 1]
    assert [outcome.evidence for outcome in outcomes] == [
        ("request 1", "request 2"),
        ("request 1",),
        (),
        ("request 1",),
    ]


def test_a_broken_batch_fails_only_what_waited_for_it() -> None:
    node = Echo(broken_from=1)
    outcomes = walk_together(JsonRpc(node, NODE), [asking([1, 2]), asking([3]), asking([1], [2])], 2)
    assert [outcome.value for outcome in outcomes] == [[1, 2], None, None]
    assert all("busy" in outcome.failure for outcome in outcomes[1:])


def test_steps_that_raise_fail_alone() -> None:
    def refusing() -> Steps[list[Any]]:
        yield [("echo", [1])]
        raise ProofError("no proof")

    outcomes = walk_together(JsonRpc(Echo(), NODE), [refusing(), asking([1])], 10)
    assert [(outcome.value, outcome.failure) for outcome in outcomes] == [(None, "no proof"), ([1], "")]
    with pytest.raises(ProofError):
        walk_alone(JsonRpc(Echo(), NODE), refusing())
    assert walk_alone(JsonRpc(Echo(), NODE), asking([1], [2, 3])) == (
        [1, 2, 3],
        ("request 1", "request 2", "request 2"),
    )
    with pytest.raises(ChainError):
        walk_alone(JsonRpc(Echo(broken_from=0), NODE), asking([1]))


def test_ten_thousand_wallets_are_a_few_dozen_requests() -> None:
    node = Echo()
    token = "0x" + "70" * 20
    accounts = [account_id(f"{CHAIN}:0x{number:040x}") for number in range(1, 10_001)]
    topics = (("code", ""), ("upgrade", ""), ("frozen", token), ("allowance", f"{token} {'0x' + '22' * 20}"))
    questions = [Question(account, topic, detail) for account in accounts for topic, detail in topics]
    answers = answer_questions(network_of(CHAIN), NODE, node, BLOCK, questions)
    assert [answer.text for answer in answers[:4]] == ["none", "none", "not told", None]
    assert len(answers) == 40_000
    assert len(node.requests) <= 60
    assert sum(map(len, node.requests)) <= 20_010  # code and allowance; what the token tells is asked once


def test_an_unknown_topic_says_which_are_known() -> None:
    asked = Question(account_id(f"{CHAIN}:0x{1:040x}"), "colour")
    (answer,) = answer_questions(network_of(CHAIN), NODE, Echo(), BLOCK, [asked])
    assert answer.text is None
    assert "permit2-allowance" in answer.failure
    (silent,) = answer_questions(network_of(CHAIN), Provider("beacon", CHAIN, "beacon-api"), Echo(), BLOCK, [asked])
    assert "answers no questions" in silent.failure


OWNER, TOKEN, SPENDER = ("0x" + pair * 20 for pair in ("0a", "0b", "0c"))


def finished(steps: Steps[Any], returned: str) -> tuple[str, str]:
    """Return what was asked, and what follows from the answer."""
    (call,) = next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send([Answer(returned, "call")])
    return call[1][0]["data"], end.value.value.text


def test_what_is_permitted_through_permit2_is_asked_of_owner_token_and_spender() -> None:
    words = "".join(f"{number:064x}" for number in (1000, 1_800_000_000, 3))
    asked, text = finished(permitted_steps(OWNER, TOKEN, SPENDER, "latest"), "0x" + words)
    assert PERMITTED.hex() == "927da105"
    assert asked == "0x" + (PERMITTED + b"".join(map(address_word, (OWNER, TOKEN, SPENDER)))).hex()
    assert text == "1000 until 1800000000"


def test_an_allowance_is_one_whole_word() -> None:
    asked, text = finished(allowance_steps(OWNER, TOKEN, SPENDER, "latest"), f"0x{2**256 - 1:064x}")
    assert (asked[:10], text) == ("0xdd62ed3e", str(2**256 - 1))
    for returned in ("0x", "0x01", f"0x{1:0128x}"):
        steps = allowance_steps(OWNER, TOKEN, SPENDER, "latest")
        next(steps)
        with pytest.raises(ChainError):
            steps.send([Answer(returned, "call")])
    steps = allowance_steps(OWNER, TOKEN, SPENDER, "latest")
    next(steps)
    with pytest.raises(ProviderError):
        steps.send([Answer(None, "call", ProviderError("refused"))])
