"""What operators say of contracts on a real EVM chain: proofs stand alone, one liar moves nothing, Safes are found."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.evm.allowances import PERMIT2
from chains.evm.upgrade import UPGRADE_SLOTS
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, account_id
from chains.model import BlockRef, Tier
from chains.network import network_of
from chains.providers import Provider
from chains.questions import Observation, Question, ask_questions
from chains.transport import Request, Response
from tests.live.anvil import CHAIN, Anvil, running_anvil
from tests.live.safe_wallet import FIRST, PAIR, SECOND, SafeFactory, call_data
from tests.live.test_contract_claims import ANSWERS_SLOT_0, collected
from verifier.segregation.rights import safe_modules

pytestmark = pytest.mark.real_anvil

NETWORK = network_of(CHAIN)
HONEST, STRANGER = "0x" + "0a" * 20, "0x" + "bd" * 20


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with running_anvil() as node:
        yield node


class OneLiar(HttpTransport):
    """Change what one operator answers to some calls; the others' answers pass."""

    def __init__(self, method: str, old: str, new: str) -> None:
        super().__init__(Limits(tries=1))
        self._method, self._old, self._new = method, old, new
        self.told = 0

    def send(self, provider: Provider, request: Request) -> Response:
        response = super().send(provider, request)
        if provider.operator != "liar":
            return response
        asked, answers = json.loads(request.body), json.loads(response.body)
        methods = {call["id"]: call["method"] for call in (asked if isinstance(asked, list) else [asked])}
        for answer in answers if isinstance(answers, list) else [answers]:
            if methods[answer["id"]] == self._method:
                changed = json.dumps(answer).replace(self._old, self._new)
                self.told += changed != json.dumps(answer)
                answer.update(json.loads(changed))
        return response._replace(body=json.dumps(answers).encode())


def tip(anvil: Anvil) -> BlockRef:
    found = anvil.rpc("eth_getBlockByNumber", "latest", False)
    return BlockRef(CHAIN, int(found["number"], 16), found["hash"], int(found["timestamp"], 16))


def put(anvil: Anvil, address: str, code: str, slots: dict[int | str, str] | None = None) -> AccountId:
    anvil.rpc("anvil_setCode", address, code)
    for slot, value in (slots or {}).items():
        name = slot if isinstance(slot, str) else f"0x{slot:064x}"
        anvil.rpc("anvil_setStorageAt", address, name, "0x" + value[2:].zfill(64))
    anvil.rpc("evm_mine")
    return account_id(f"{CHAIN}:{address}")


def asked(
    anvil: Anvil, question: Question, *operators: str, liar: OneLiar | None = None, least: int = 1, **options: str
) -> Observation:
    voices = [Provider(one, CHAIN, "json-rpc", tuple(options.items()), anvil.url) for one in operators]
    transport = liar or HttpTransport(Limits(tries=1))
    (found,) = ask_questions(NETWORK, voices, transport, tip(anvil), [question], least)
    return found


def test_one_operator_cannot_make_itself_believed_about_an_owner(anvil: Anvil) -> None:
    """The stranger's address does stand in a slot of the contract, and is proven there; it is not the owner's slot."""
    account = put(anvil, "0x" + "a1" * 20, ANSWERS_SLOT_0, {0: HONEST, 1: STRANGER})
    question = Question(account, "owner")
    alone = asked(anvil, question, "first")
    assert (alone.text, alone.tier, alone.remark) == (HONEST, Tier.OBSERVED, "by storage proof")
    both = asked(anvil, question, "first", "second", least=2)
    assert (both.text, both.tier) == (HONEST, Tier.CORROBORATED)
    # As the contract would be if its second slot decided: what the liar answers to every call it is asked.
    other = put(anvil, "0x" + "a2" * 20, "0x60015460005260206000f3", {0: HONEST, 1: STRANGER})
    assert asked(anvil, Question(other, "owner"), "first").text == STRANGER
    lying = Redirected(account, other)
    misled = asked(anvil, question, "first", "second", "liar", liar=lying, least=2)
    assert lying.told
    assert (misled.text, "differently" in misled.failure) == (None, True)


class Redirected(OneLiar):
    """An operator that answers calls to one contract with what a changed copy of it would return."""

    def __init__(self, real: AccountId, copy: AccountId) -> None:
        super().__init__("", "", "")
        self._real, self._copy = (one.rpartition(":")[2] for one in (real, copy))

    def send(self, provider: Provider, request: Request) -> Response:
        if provider.operator != "liar" or b"eth_getProof" in request.body:
            return HttpTransport.send(self, provider, request)
        changed = request._replace(body=request.body.replace(self._real.encode(), self._copy.encode()))
        self.told += changed != request
        response = HttpTransport.send(self, provider, changed)
        return response._replace(body=response.body.replace(self._copy.encode(), self._real.encode()))


def test_code_and_upgrade_slots_are_proven_where_proofs_are_asked_for(anvil: Anvil) -> None:
    delegated = put(anvil, "0x" + "a3" * 20, "0xef0100" + "ab" * 20)
    slots: dict[int | str, str] = {UPGRADE_SLOTS["admin"]: HONEST, UPGRADE_SLOTS["beacon"]: STRANGER}
    proxy = put(anvil, "0x" + "a4" * 20, ANSWERS_SLOT_0, slots)
    nobody = account_id(f"{CHAIN}:0x{'a5' * 20}")
    for account, topic, text in (
        (delegated, "code", "delegated 0x" + "ab" * 20),
        (nobody, "code", "none"),
        (nobody, "upgrade", "none"),
        (proxy, "upgrade", f"admin {HONEST}, beacon {STRANGER}"),
    ):
        proven = asked(anvil, Question(account, topic), "one", least=2, proofs="on")
        assert (proven.text, proven.tier, bool(proven.evidence)) == (text, Tier.PROVEN, True)
        said = asked(anvil, Question(account, topic), "one")
        assert (said.text, said.tier) == (text, Tier.OBSERVED)


@pytest.mark.parametrize(
    ("topic", "method", "old", "new"),
    [
        ("code", "eth_getCode", "ab" * 20, "cd" * 20),
        ("code", "eth_getCode", "0xef0100" + "ab" * 20, "0x"),
        ("upgrade", "eth_getProof", "0a" * 20, "bd" * 20),
    ],
)
def test_a_node_whose_proof_does_not_hold_has_no_voice(
    anvil: Anvil, topic: str, method: str, old: str, new: str
) -> None:
    account = put(anvil, "0x" + "a6" * 20, "0xef0100" + "ab" * 20, {UPGRADE_SLOTS["admin"]: HONEST})
    question = Question(account, topic)
    lying = OneLiar(method, old, new)
    silent = asked(anvil, question, "liar", liar=lying, proofs="on")
    assert lying.told
    assert (silent.text, bool(silent.failure)) == (None, True)
    outvoted = asked(anvil, question, "liar", "honest", liar=lying, proofs="on")
    assert (outvoted.tier, outvoted.operators) == (Tier.PROVEN, ("honest",))


def test_what_a_spender_may_take_through_permit2_is_read(anvil: Anvil) -> None:
    # Answers 1000, 200 and 0 in three words.
    put(anvil, PERMIT2, "0x6103e85f5260c860205260605ff3")
    holder = account_id(f"{CHAIN}:{HONEST}")
    found = asked(anvil, Question(holder, "permit2-allowance", f"{'0x' + 'a7' * 20} {STRANGER}"), "one")
    assert found.text == "1000 until 200"
    refused = asked(anvil, Question(holder, "permit2-allowance", "0x12 nobody"), "one")
    assert (refused.text, bool(refused.failure)) == (None, True)


def test_a_safe_that_nobody_claims_is_found_with_its_modules(anvil: Anvil, tmp_path: Path) -> None:
    factory = SafeFactory(anvil, "1.4.1")
    wallet, plain = factory.create([FIRST, SECOND], 2), account_id(f"{CHAIN}:0x{'a8' * 20}")
    before = safe_modules(collected(tmp_path / "before", anvil, [wallet.account, plain], []))
    assert before is not None
    assert (before.words, before.open, before.tier) == ((), (), Tier.PROVEN)
    wallet.execute(PAIR, call_data("enableModule(address)", STRANGER))
    after = safe_modules(collected(tmp_path / "after", anvil, [wallet.account, plain], []))
    assert after is not None
    assert after.words == (f"{wallet.account} runs the modules {STRANGER}",)
    silent = NoCode()
    open_ones = safe_modules(collected(tmp_path / "open", anvil, [wallet.account], [], transport=silent))
    assert open_ones is not None
    assert len(open_ones.open) == 1


class NoCode(HttpTransport):
    """A node that does not tell the code of any account."""

    def __init__(self) -> None:
        super().__init__(Limits(tries=1))

    def send(self, provider: Provider, request: Request) -> Response:
        response = super().send(provider, request)
        asked = json.loads(request.body)
        if not isinstance(asked, list) or all(call["method"] != "eth_getCode" for call in asked):
            return response
        codes = {call["id"] for call in asked if call["method"] == "eth_getCode"}
        answers: list[dict[str, Any]] = json.loads(response.body)
        told = [
            {"jsonrpc": "2.0", "id": one["id"], "error": {"code": -32000, "message": "pruned"}}
            if one["id"] in codes
            else one
            for one in answers
        ]
        return response._replace(body=json.dumps(told).encode())
