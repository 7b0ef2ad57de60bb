"""Ethereum: what raises a balance to proven, on a real node, and that each piece less lowers it again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.errors import NetworkDataError
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, ChainId
from chains.model import Balance, Disagreement, DisagreementReason, Holding, ProofKind
from chains.panel import Survey, survey
from chains.providers import Provider
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Request, Response
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness
from tests.live.beacon_facade import AnvilBeacon, served

pytestmark = pytest.mark.real_anvil


class Scene:
    """A node with funded accounts, and a beacon chain that has finalized its newest block."""

    def __init__(self, node: AnvilHarness) -> None:
        token = node.token()
        assert token is not None
        native = AssetId(node.network.native_asset)
        self.node, self.network = node, node.network
        self.holdings = [Holding(node.fund(10**18), native), Holding(node.fund(77, token), token)]
        self.voice = replace(node.provider, options=(("proofs", "on"),))
        self.beacon = AnvilBeacon(node.anvil)
        node.advance()

    def survey(self, *providers: Provider, transport: Any = None, minimum: int = 1) -> Survey:
        link = transport or HttpTransport(Limits(tries=1))
        with served(self.beacon) as light_client:
            return survey(self.network, [*providers, light_client], link, self.holdings, minimum)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with anvil_harness() as node:
        yield Scene(node)


def known(found: Survey) -> list[tuple[str, bool]]:
    return [(one.known_as, bool(one.root)) for one in found.results if isinstance(one, Balance)]


def test_balances_lead_to_the_checkpoint_at_the_block_that_was_finalized(scene: Scene, tmp_path: Any) -> None:
    recording = RecordingTransport(HttpTransport(Limits(tries=1)), tmp_path / "journal")
    found = scene.survey(scene.voice, transport=recording)
    assert found.anchor is not None
    assert found.block is not None
    assert (found.block.hash, found.anchor.root) == (scene.beacon.finalized["hash"], scene.beacon.checkpoint)
    assert "32 of 32 signed" in found.anchor.about
    assert [one.units for one in found.results if isinstance(one, Balance)] == [10**18, 77]
    assert known(found) == [("observed + state proof", True)] * 2
    assert all(one.root == scene.beacon.checkpoint for one in found.results if isinstance(one, Balance))
    assert scene.survey(scene.voice, transport=ReplayTransport(recording.close())) == found


def test_without_a_light_client_the_proof_ends_at_the_blocks_hash(scene: Scene) -> None:
    found = survey(scene.network, [scene.voice], HttpTransport(Limits(tries=1)), scene.holdings, 1)
    assert (known(found), found.anchor) == ([("observed + state proof", False)] * 2, None)


def test_without_state_proofs_the_checkpoint_says_nothing_of_balances(scene: Scene) -> None:
    found = scene.survey(replace(scene.voice, options=()))
    assert found.anchor is not None
    assert known(found) == [("observed", False)] * 2


def flipped(text: str) -> str:
    return text[:-1] + "0123456789abcdef"[int(text[-1], 16) ^ 1]


def _aggregate(answer: Any, **changes: str) -> Any:
    data = answer["data"]
    return answer | {"data": data | {"sync_aggregate": data["sync_aggregate"] | changes}}


def _attested(answer: Any, part: str, field: str) -> Any:
    header = answer["data"]["attested_header"]
    changed = header | {part: header[part] | {field: flipped(header[part][field])}}
    return answer | {"data": answer["data"] | {"attested_header": changed}}


LIES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "no finality update": ("finality_update", lambda answer: None),
    "another signature": (
        "finality_update",
        lambda answer: _aggregate(
            answer, sync_committee_signature=flipped(answer["data"]["sync_aggregate"]["sync_committee_signature"])
        ),
    ),
    "fewer signers": ("finality_update", lambda answer: _aggregate(answer, sync_committee_bits="0x01000000")),
    "another attested state": ("finality_update", lambda answer: _attested(answer, "beacon", "state_root")),
    "another block": ("finality_update", lambda answer: _attested(answer, "execution", "block_hash")),
    "no updates": ("updates", lambda answer: []),
    "too many updates": ("updates", lambda answer: answer * 3),
    "an update that hands over to another committee": (
        "updates",
        lambda answer: [
            answer[0]
            | {
                "data": answer[0]["data"]
                | {
                    "next_sync_committee_branch": [
                        flipped(node) for node in answer[0]["data"]["next_sync_committee_branch"]
                    ]
                }
            }
        ],
    ),
    "no bootstrap": ("bootstrap", lambda answer: None),
    "a bootstrap of another version": ("bootstrap", lambda answer: answer | {"version": "deneb"}),
    "a bootstrap without its committee": (
        "bootstrap",
        lambda answer: answer | {"data": {"header": answer["data"]["header"]}},
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_any_piece_altered_or_missing_leaves_no_root(scene: Scene, lie: str) -> None:
    asked, change = LIES[lie]
    scene.beacon.lie = lambda what, answer: change(answer) if what == asked else answer
    found = scene.survey(scene.voice)
    assert found.anchor is None
    assert known(found) == [("observed + state proof", False)] * 2
    assert [item.operator for item in found.exclusions] == ["beacon"]


def test_another_checkpoint_than_the_stated_one_proves_nothing(scene: Scene) -> None:
    with served(scene.beacon) as light_client:
        elsewhere = replace(light_client, options=(("checkpoint", flipped(scene.beacon.checkpoint)),))
        found = survey(scene.network, [scene.voice, elsewhere], HttpTransport(Limits(tries=1)), scene.holdings, 1)
    assert found.anchor is None
    assert "HTTP 404" in found.exclusions[0].reason


class Lying:
    """An operator that tells twice the balance of everybody, and one that has another block at every height."""

    def __init__(self, operator: str, method: str, change: Callable[[Any], Any]) -> None:
        self._http = HttpTransport(Limits(tries=1))
        self._operator, self._method, self._change = operator, method, change

    def send(self, provider: Provider, request: Request) -> Response:
        answered = self._http.send(provider, request)
        if provider.operator != self._operator:
            return answered
        asked, found = json.loads(request.body), json.loads(answered.body)
        for question, answer in zip(*((x,) if isinstance(x, dict) else x for x in (asked, found)), strict=True):
            if question["method"] == self._method and "result" in answer:
                answer["result"] = self._change(answer["result"])
        return answered._replace(body=json.dumps(found).encode())


def test_a_proof_stands_where_too_few_operators_answer(scene: Scene) -> None:
    silent = replace(scene.voice, operator="silent")
    no_balances = Lying("silent", "eth_getBalance", lambda result: "0xzz")
    found = scene.survey(scene.voice, silent, transport=no_balances, minimum=2)
    first = found.results[0]
    assert isinstance(first, Balance)
    assert (first.units, first.operators, first.proof) == (10**18, ("anvil",), ProofKind.STATE)
    assert first.known_as == "observed + state proof"


def test_operators_that_contradict_each_other_stay_a_disagreement_beside_a_proof(scene: Scene) -> None:
    liar = Lying("liar", "eth_getBalance", lambda result: hex(2 * int(result, 16)))
    found = scene.survey(scene.voice, replace(scene.voice, operator="liar"), transport=liar)
    first = found.results[0]
    assert isinstance(first, Disagreement)
    assert first.reason is DisagreementReason.VALUES_DIFFER


def test_operators_who_all_lie_are_contradicted_by_the_proof(scene: Scene) -> None:
    liar = Lying("anvil", "eth_getBalance", lambda result: hex(2 * int(result, 16)))
    first = scene.survey(scene.voice, transport=liar).results[0]
    assert isinstance(first, Disagreement)
    assert first.reason is DisagreementReason.PROOF_DIFFERS


def test_operators_on_another_block_than_the_proven_one_agree_on_nothing(scene: Scene) -> None:
    scene.node.anvil.rpc("anvil_reorg", 3, [])
    found = scene.survey(scene.voice)
    assert found.block is None
    assert {one.reason for one in found.results if isinstance(one, Disagreement)} == {DisagreementReason.BLOCKS_DIFFER}


def test_a_light_client_without_a_checkpoint_or_a_chain_to_follow_is_a_configuration_error(scene: Scene) -> None:
    for options, chain, reason in (
        ((), scene.network.chain, "needs the option `checkpoint`"),
        ((("checkpoint", "0x12"),), scene.network.chain, "checkpoint"),
    ):
        provider = Provider("beacon", ChainId(chain), "beacon-api", options, "http://127.0.0.1:9")
        with pytest.raises(NetworkDataError, match=reason):
            survey(scene.network, [scene.voice, provider], HttpTransport(Limits(tries=1)), scene.holdings, 1)
