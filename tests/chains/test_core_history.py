"""A past balance follows from every payment up to a block; a node that contradicts itself is refused."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from chains.bitcoin.core_history import CoreHistoryReader
from chains.errors import InvalidAnswerError
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, ChainId
from chains.model import Balance, Holding, Reading, Tier
from chains.panel import survey
from chains.providers import Provider
from tests.chains.simulated_node import Answer, SimulatedNode, block_hash
from tests.chains.test_bitcoin_core import BITCOIN, POOR, RICH, TXID, holding
from tests.live.bitcoind import NodeHarness, history_harness

Activity = dict[str, Any]


def received(units: int = 5_000, index: int = 0, height: int = 50, script: bytes = RICH) -> Activity:
    where = {"blockhash": block_hash(height), "height": height, "amount": f"{Decimal(units).scaleb(-8):f}"}
    return where | {"type": "receive", "txid": TXID, "vout": index, "output_spk": {"hex": script.hex()}}


def spent(units: int = 5_000, index: int = 0, height: int = 60, script: bytes = RICH) -> Activity:
    where = {"blockhash": block_hash(height), "height": height, "amount": f"{Decimal(units).scaleb(-8):f}"}
    prevout = {"prevout_txid": TXID, "prevout_vout": index, "prevout_spk": {"hex": script.hex()}}
    return where | {"type": "spend", "spend_txid": "bb" * 32, "spend_vin": 0} | prevout


class FilteringNode(SimulatedNode):
    """A node with compact filters; `change` may alter what it says of the scan and of the activity."""

    def __init__(self, *activity: Activity) -> None:
        super().__init__()
        self.activity = activity
        self.change: Callable[[str, Any], Any] = lambda method, result: result

    def _scanblocks(self, action: str, descriptors: list[str], start: int, stop: int) -> Answer:
        relevant = list(dict.fromkeys(entry["blockhash"] for entry in self.activity if entry["height"] <= stop))
        scan = {"from_height": start, "to_height": stop, "relevant_blocks": relevant, "completed": True}
        return self.change("scanblocks", scan)

    def _getblockfilter(self, name: str, kind: str) -> Answer:
        return {"filter": "00", "header": "00" * 32}

    def _getdescriptoractivity(self, blocks: list[str], descriptors: list[str], mempool: bool) -> Answer:
        assert not mempool
        found = [entry for entry in self.activity if entry["blockhash"] in blocks]
        return self.change("getdescriptoractivity", {"activity": found})

    def _answer(self, question: Answer) -> str:
        text = super()._answer(question)
        return json.dumps(json.loads(text)).replace('"amount": "', '"amount": ').replace('", "type"', ', "type"')


def read(node: FilteringNode, *scripts: bytes) -> list[Reading]:
    reader = CoreHistoryReader(BITCOIN, Provider("simulated", ChainId(BITCOIN.chain), "bitcoin-core-history"), node)
    return list(reader.read_balances(reader.final_block(), [holding(script) for script in scripts]))


def test_what_was_received_and_not_spent_is_there() -> None:
    node = FilteringNode(received(), received(70, 1), spent(), received(9, 2, 61, POOR))
    assert [reading.units for reading in read(node, RICH, POOR)] == [70, 9]


def test_what_happened_after_the_pinned_block_does_not_count() -> None:
    assert [reading.units for reading in read(FilteringNode(received(), spent(height=115)), RICH)] == [5_000]


def test_the_pinned_block_lies_as_deep_as_the_network_asks() -> None:
    reader = CoreHistoryReader(BITCOIN, Provider("x", ChainId(BITCOIN.chain), "bitcoin-core-history"), FilteringNode())
    assert reader.final_block().height == 120 - BITCOIN.finality.depth


@pytest.mark.parametrize(
    ("activity", "said"),
    [
        ([spent()], "spent without being there"),
        ([received(), spent(), spent(height=61)], "spent without being there"),
        ([received(), received()], "received twice"),
        ([received(), spent(4_999)], "as another coin"),
        ([received(height=70), spent(height=60)], "as another coin"),
        ([received(), spent(script=POOR)], "as another coin"),
        ([received(10**17)], "amount"),
        ([received() | {"type": "mint"}], "an activity of type 'mint'"),
        ([received(), received(7, 1) | {"height": 5_000}], "an activity's height"),
        ([received() | {"output_spk": {"hex": "00"}}], "nobody asked for"),
        ([received() | {"txid": "zz"}], "a coin's txid"),
        ([received() | {"vout": -1}], "output index"),
    ],
)
def test_what_no_truthful_node_can_say_is_refused(activity: list[Activity], said: str) -> None:
    with pytest.raises(InvalidAnswerError, match=said):
        read(FilteringNode(*activity), RICH, POOR)


@pytest.mark.parametrize(
    ("method", "change", "said"),
    [
        ("scanblocks", {"to_height": 100}, "is the block filter index complete"),
        ("scanblocks", {"from_height": 7}, "is the block filter index complete"),
        ("scanblocks", {"completed": False}, "is the block filter index complete"),
        ("scanblocks", {"relevant_blocks": "all"}, "no list of different blocks"),
        ("scanblocks", {"relevant_blocks": [block_hash(50)] * 2}, "no list of different blocks"),
        ("getdescriptoractivity", {"activity": None}, "no list of activity"),
        ("getdescriptoractivity", {"activity": ["x"]}, "not an object"),
    ],
)
def test_a_scan_that_is_not_the_one_asked_for_is_refused(method: str, change: Answer, said: str) -> None:
    node = FilteringNode(received())
    node.change = lambda name, result: result | change if name == method else result
    with pytest.raises(InvalidAnswerError, match=said):
        read(node, RICH)


def test_a_node_whose_index_lacks_the_pinned_block_gives_no_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chains.bitcoin.core_history._PAUSE_SECONDS", 0.0)

    class Lagging(FilteringNode):
        def _answer(self, question: Answer) -> str:
            if question["method"] != "getblockfilter":
                return super()._answer(question)
            lagging = {
                "code": -1,
                "message": "Filter not found. Block filters are still in the process of being indexed.",
            }
            return json.dumps({"id": question["id"], "result": None, "error": lagging})

    (reading,) = read(Lagging(received()), RICH)
    assert reading.units is None
    assert "Filter not found" in reading.failure


@pytest.mark.real_bitcoind
def test_two_real_nodes_of_different_kinds_are_read_at_one_past_block() -> None:
    """The tip moves on between the pin and the reading; the balance stays that of the pinned block."""
    with history_harness() as harness:
        account = harness.fund(123_456)
        native = AssetId(harness.network.native_asset)
        pinned = harness.node.call("getblockcount")
        _spend_everything(harness)
        reader = CoreHistoryReader(harness.network, harness.provider, HttpTransport(Limits(tries=1)))
        before, now = reader.block_at(pinned), reader.final_block()
        wanted = [Holding(account, native)]
        assert [reader.read_balances(block, wanted)[0].units for block in (before, now)] == [123_456, 0]
        scripts = {harness.node.call("validateaddress", account.rpartition(":")[2])["scriptPubKey"]: ""}
        scripts = {script: account.rpartition(":")[2] for script in scripts}
        moves = reader.payments(scripts, before.height, now, [])
        assert [(move.units, bool(move.spent_in)) for move in moves] == [(123_456, False), (123_456, True)]
        found = survey(harness.network, [harness.provider], HttpTransport(Limits(tries=1)), wanted, 1)
        assert isinstance(found.results[0], Balance)
        assert found.results[0].tier is Tier.OBSERVED


def _spend_everything(harness: NodeHarness) -> None:
    away = harness.node.call("getnewaddress", wallet="miner")
    harness.node.call("sendall", [away], wallet="holders")
    harness.node.mine()
