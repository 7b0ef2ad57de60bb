"""A balance earns its state proof on a real node, and loses it again when any one piece of the proof is altered."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.evm.proving import Layout, find_layout
from chains.evm.reader import EvmReader
from chains.http import HttpTransport, Limits
from chains.ids import AssetId
from chains.jsonrpc import JsonRpc
from chains.model import Balance, BlockRef, Disagreement, DisagreementReason, Holding, ProofKind, Reading, Tier
from chains.panel import survey
from chains.providers import Provider
from chains.quorum import weigh_proof
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Request, Response
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness

pytestmark = pytest.mark.real_anvil

COIN, TOKEN = 10**18 + 7, 123_456_789


@pytest.fixture(scope="module")
def chain() -> Iterator[AnvilHarness]:
    with anvil_harness() as harness:
        harness.provider = replace(harness.provider, options=(("proofs", "on"),))
        yield harness


@pytest.fixture(scope="module")
def holdings(chain: AnvilHarness) -> list[Holding]:
    native, token = AssetId(chain.network.native_asset), chain.token()
    assert token is not None
    return [
        Holding(chain.fund(COIN), native),
        Holding(chain.fund(TOKEN, token), token),
        Holding(chain.empty(), native),
        Holding(chain.empty(), token),
    ]


class Tampering:
    """Pass questions on, and change the answers to one method."""

    def __init__(self, method: str, change: Callable[[Any], Any]) -> None:
        self._http, self._method, self._change = HttpTransport(Limits(tries=1)), method, change

    def send(self, provider: Provider, request: Request) -> Response:
        answered = self._http.send(provider, request)
        asked, found = json.loads(request.body), json.loads(answered.body)
        for question, answer in zip(*((x,) if isinstance(x, dict) else x for x in (asked, found)), strict=True):
            if question["method"] == self._method and "result" in answer:
                answer["result"] = self._change(answer["result"])
        return answered._replace(body=json.dumps(found).encode())


def proofs(chain: AnvilHarness, holdings: list[Holding], transport: Any = None) -> list[Reading]:
    reader = EvmReader(chain.network, chain.provider, transport or HttpTransport(Limits(tries=1)))
    return list(reader.prove_balances(reader.final_block(), holdings))


def test_coins_tokens_and_nothing_are_proven(chain: AnvilHarness, holdings: list[Holding]) -> None:
    found = proofs(chain, holdings)
    assert [(reading.units, reading.failure) for reading in found] == [(COIN, ""), (TOKEN, ""), (0, ""), (0, "")]
    assert all(len(reading.evidence) >= 2 for reading in found)


def test_a_survey_joins_proof_and_voice_and_a_replay_proves_again(
    chain: AnvilHarness, holdings: list[Holding], tmp_path: Path
) -> None:
    recording = RecordingTransport(HttpTransport(Limits(tries=1)), tmp_path / "journal")
    live = survey(chain.network, [chain.provider], recording, holdings, 1)
    assert [one.known_as for one in live.results if isinstance(one, Balance)] == ["observed + state proof"] * 4
    assert survey(chain.network, [chain.provider], ReplayTransport(recording.close()), holdings, 1) == live


def test_without_the_option_a_balance_stays_what_the_operator_says(
    chain: AnvilHarness, holdings: list[Holding]
) -> None:
    plain = replace(chain.provider, options=())
    found = survey(chain.network, [plain], HttpTransport(Limits(tries=1)), holdings, 1)
    assert {one.known_as for one in found.results if isinstance(one, Balance)} == {"observed"}


def flip(text: str, place: int = -1) -> str:
    digits = list(text)
    digits[place] = "0123456789abcdef"[int(digits[place], 16) ^ 1]
    return "".join(digits)


HEADER_FIELDS = ["stateRoot", "parentHash", "number", "timestamp", "gasUsed", "extraData", "receiptsRoot", "miner"]
PROOF_CHANGES: dict[str, Callable[[Any], Any]] = {
    "balance": lambda proof: proof | {"balance": hex(int(proof["balance"], 16) + 1)},
    "nonce": lambda proof: proof | {"nonce": hex(int(proof["nonce"], 16) + 1)},
    "code hash": lambda proof: proof | {"codeHash": flip(proof["codeHash"])},
    "storage root": lambda proof: proof | {"storageHash": flip(proof["storageHash"])},
    "another address": lambda proof: proof | {"address": flip(proof["address"])},
    "first node": lambda proof: proof | {"accountProof": [flip(proof["accountProof"][0]), *proof["accountProof"][1:]]},
    "last node": lambda proof: proof | {"accountProof": [*proof["accountProof"][:-1], flip(proof["accountProof"][-1])]},
    "a node less": lambda proof: proof | {"accountProof": proof["accountProof"][:-1]},
    "a node more": lambda proof: proof | {"accountProof": [*proof["accountProof"], "0xc0"]},
    "no proof": lambda proof: None,
}


@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_a_header_that_was_altered_proves_nothing(chain: AnvilHarness, holdings: list[Holding], field: str) -> None:
    tampered = Tampering(
        "eth_getBlockByHash", lambda block: block | {field: flip(block[field] + "0"[len(block[field]) > 3 :])}
    )
    found = proofs(chain, holdings, tampered)
    assert [reading.units for reading in found] == [None] * 4
    assert "hash" in found[0].failure or "header" in found[0].failure


@pytest.mark.parametrize("change", PROOF_CHANGES)
def test_a_proof_that_was_altered_lowers_the_balance_again(
    chain: AnvilHarness, holdings: list[Holding], change: str
) -> None:
    tampered = Tampering("eth_getProof", PROOF_CHANGES[change])
    found = survey(chain.network, [chain.provider], tampered, holdings[:2], 1)
    assert [one.known_as for one in found.results if isinstance(one, Balance)] == ["observed"] * 2


def change_slot(answer: Any, **changes: Any) -> Any:
    return answer | {"storageProof": [entry | changes for entry in answer["storageProof"]]}


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: change_slot(proof, value=hex(TOKEN + 1)),
        lambda proof: change_slot(proof, proof=[]),
        lambda proof: change_slot(proof, key="0x" + "11" * 32),
        lambda proof: proof | {"storageProof": []},
    ],
)
def test_a_token_balance_needs_the_proof_of_its_own_slot(
    chain: AnvilHarness, holdings: list[Holding], change: Callable[[Any], Any]
) -> None:
    assert proofs(chain, [holdings[1]], Tampering("eth_getProof", change))[0].units is None


def test_a_proof_outweighs_voices_that_differ_from_it(holdings: list[Holding]) -> None:
    block = BlockRef(holdings[0].account.partition(":")[0], 1, "0x", 1)  # type: ignore[arg-type]
    said = Balance(holdings[0], 5, block, Tier.CORROBORATED, ("a", "b"), ("e",))
    proof = Reading(holdings[0], "c", block, 6, ("f",))
    found = weigh_proof(said, proof, ProofKind.STATE)
    assert isinstance(found, Disagreement)
    assert found.reason is DisagreementReason.PROOF_DIFFERS
    assert [answer.units for answer in found.answers] == [5, 6]


# --- where a token keeps its balances ---


def test_the_slot_of_a_balance_is_found_by_cause(chain: AnvilHarness, holdings: list[Holding]) -> None:
    rpc = JsonRpc(HttpTransport(Limits(tries=1)), chain.provider)
    layout, evidence = find_layout(rpc, chain.token_address.lower(), holdings[1].account.rpartition(":")[2], "latest")
    assert len(evidence) >= 2
    stored = chain.anvil.rpc(
        "eth_getStorageAt", chain.token_address, hex(layout.slot(holdings[1].account.rpartition(":")[2])), "latest"
    )
    assert int(stored, 16) == TOKEN


def test_soliditys_and_vypers_orders_differ() -> None:
    holder = "0x" + "ab" * 20
    assert Layout(3).slot(holder) != Layout(3, vyper=True).slot(holder)


# balanceOf that returns twice the stored word, and one that ignores storage: 2 * SLOAD(calldata[4]) and 777
SCALED = "0x6004356000526020600020546002026000526020 6000f3".replace(" ", "")
CONSTANT = "0x6103096000526020 6000f3".replace(" ", "")


@pytest.mark.parametrize("code", [SCALED, CONSTANT])
def test_a_token_whose_balance_is_no_plain_slot_is_refused(
    chain: AnvilHarness, holdings: list[Holding], code: str
) -> None:
    odd = "0x" + "5c" * 20
    chain.anvil.rpc("anvil_setCode", odd, code)
    token = AssetId(f"{chain.network.chain}/erc20:{odd}")
    (found,) = proofs(chain, [Holding(holdings[0].account, token)])
    assert found.units is None
    assert "no storage slot alone decides" in found.failure
