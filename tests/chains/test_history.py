"""Transfers from real nodes: complete and exact whatever the provider's limits, never a part for the whole."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chains.bitcoin.core_history import CoreHistoryReader
from chains.errors import InvalidAnswerError, ProviderError
from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.evm.reader import EvmReader
from chains.evm.transfer_logs import Logs, read_transfer_logs
from chains.history import History, HistoryGap, agree_on_history, read_history
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, address_of
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef, DisagreementReason, Holding, Movements, Tier
from chains.providers import Provider
from chains.transport import Request, Response
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness
from tests.live.bitcoind import NodeHarness, history_harness

ONCE = Limits(tries=1)
SEND = keccak256(b"transfer(address,uint256)")[:4]


class Scene:
    """A node whose token moved: minted to an account, sent on from the node's own account, and back."""

    def __init__(self, node: AnvilHarness) -> None:
        self.node = node
        token = node.token()
        assert token is not None
        self.token = token
        self.contract = token.rpartition(":")[2]
        self.sender = str(node.anvil.rpc("eth_accounts")[0]).lower()
        self.first = int(node.anvil.rpc("eth_blockNumber"), 16) + 1
        self.mint(self.sender, 10_000)
        self.accounts = [node.empty() for _ in range(3)]
        for number in range(30):
            self.send(self.accounts[number % 3], 100 + number)
            node.anvil.rpc("anvil_mine", hex(50))
        self.reader = EvmReader(node.network, node.provider, HttpTransport(ONCE))
        self.last = self.reader.final_block()

    def mint(self, address: str, units: int) -> None:
        payload = keccak256(b"mint(address,uint256)")[:4] + balance_of(address)[4:] + units.to_bytes(32)
        self.node.anvil.send(to=self.contract, data="0x" + payload.hex())

    def send(self, to: AccountId, units: int) -> None:
        payload = SEND + balance_of(address_of(to))[4:] + units.to_bytes(32)
        self.node.anvil.send(to=self.contract, data="0x" + payload.hex())

    def holding(self, account: AccountId) -> Holding:
        return Holding(account, self.token)

    def logs(self, transport: Any, holders: list[AccountId] | None = None) -> Logs:
        rpc = JsonRpc(transport, self.node.provider)
        asked = [address_of(account) for account in holders or self.accounts]
        return read_transfer_logs(rpc, self.contract, asked, self.first, self.last.height)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with anvil_harness() as node:
        yield Scene(node)


class Limited:
    """A provider that refuses wide ranges, cuts answers off without a word, or changes logs."""

    def __init__(
        self, widest: int = 10**9, most: int = 10**9, change: Callable[[list[Any]], Any] = lambda logs: logs
    ) -> None:
        self._http, self._widest, self._most, self._change = HttpTransport(ONCE), widest, most, change
        self.asked: list[tuple[int, int]] = []

    def send(self, provider: Provider, request: Request) -> Response:
        question = json.loads(request.body)
        answered = self._http.send(provider, request)
        if question["method"] != "eth_getLogs":
            return answered
        window = question["params"][0]
        first, last = int(window["fromBlock"], 16), int(window["toBlock"], 16)
        self.asked.append((first, last))
        answer = json.loads(answered.body)
        if last - first + 1 > self._widest:
            answer = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "range too wide"}}
        else:
            answer["result"] = self._change(answer["result"][: self._most])
        return answered._replace(body=json.dumps(answer).encode())


@pytest.mark.real_anvil
def test_every_transfer_is_listed_once_with_its_sides(scene: Scene) -> None:
    found = scene.reader.read_transfers(scene.first, scene.last, [scene.holding(a) for a in scene.accounts])
    assert [len(one.transfers or ()) for one in found] == [10, 10, 10]
    for number, one in enumerate(found):
        assert [transfer.units for transfer in one.transfers or ()] == [100 + number + 3 * n for n in range(10)]
        assert {transfer.recipient for transfer in one.transfers or ()} == {scene.accounts[number]}
        assert {address_of(transfer.sender) for transfer in one.transfers or () if transfer.sender} == {scene.sender}
        assert one.evidence


@pytest.mark.real_anvil
def test_the_sender_sees_the_same_transfers_and_the_mint_from_nobody(scene: Scene) -> None:
    account = AccountId(f"{scene.node.network.chain}:{scene.sender}")
    (found,) = read_history(
        scene.node.network, [scene.node.provider], HttpTransport(ONCE), scene.first, scene.last,
        [scene.holding(account)], 1,
    )  # fmt: skip
    assert isinstance(found, History)
    assert (found.tier, len(found.transfers)) == (Tier.OBSERVED, 31)
    assert found.transfers[0].sender is None
    (balance,) = scene.reader.read_balances(scene.last, [scene.holding(account)])
    assert found.net == balance.units == 10_000 - sum(100 + number for number in range(30))


@pytest.mark.real_anvil
@pytest.mark.parametrize("widest", [7, 64, 1000])
def test_a_provider_with_narrow_ranges_gives_the_same_transfers(scene: Scene, widest: int) -> None:
    limited = Limited(widest)
    assert scene.logs(limited).found == scene.logs(HttpTransport(ONCE)).found
    refused = [1 for first, last in limited.asked if last - first + 1 > widest]
    assert len(refused) < 12 + len(limited.asked) // 8


@pytest.mark.real_anvil
def test_a_window_without_limits_is_asked_in_few_requests(scene: Scene) -> None:
    assert scene.logs(HttpTransport(ONCE)).requests == 2


@pytest.mark.real_anvil
def test_a_range_that_is_refused_down_to_one_block_is_an_error(scene: Scene) -> None:
    with pytest.raises(ProviderError, match=f"the logs of block {scene.first} alone are refused"):
        scene.logs(Limited(0))


@pytest.mark.real_anvil
def test_an_answer_cut_off_at_a_round_number_is_asked_again_in_halves(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.evm.transfer_logs.SUSPECT", 5)
    assert len(scene.logs(Limited(most=5)).found) == 30


def _first(logs: list[Any], **changes: Any) -> list[Any]:
    return [logs[0] | changes, *logs[1:]] if logs else logs


LIES: dict[str, Callable[[list[Any]], Any]] = {
    "another token": lambda logs: _first(logs, address="0x" + "11" * 20),
    "another holder": lambda logs: (
        _first(logs, topics=[*logs[0]["topics"][:2], "0x" + "00" * 12 + "22" * 20]) if logs else logs
    ),
    "another event": lambda logs: _first(logs, topics=["0x" + "33" * 32, *logs[0]["topics"][1:]]) if logs else logs,
    "a token id": lambda logs: _first(logs, topics=[*logs[0]["topics"], "0x" + "00" * 32]) if logs else logs,
    "a block outside the window": lambda logs: _first(logs, blockNumber="0x1"),
    "a removed log": lambda logs: _first(logs, removed=True),
    "an amount that is too long": lambda logs: _first(logs, data="0x" + "00" * 33),
    "an address with more before it": lambda logs: (
        _first(logs, topics=[logs[0]["topics"][0], "0x" + "ff" * 32, logs[0]["topics"][2]]) if logs else logs
    ),
    "two hashes for one block": lambda logs: (
        [*logs, logs[0] | {"logIndex": "0x9", "blockHash": "0x" + "44" * 32}] if logs else logs
    ),
    "no list": lambda logs: {"logs": logs},
    "no objects": lambda logs: ["0x"],
}


@pytest.mark.real_anvil
@pytest.mark.parametrize("lie", LIES)
def test_an_answer_with_what_nobody_asked_for_is_no_history(scene: Scene, lie: str) -> None:
    with pytest.raises(InvalidAnswerError):
        scene.logs(Limited(change=LIES[lie]))
    (gap,) = read_history(
        scene.node.network, [scene.node.provider], Limited(change=LIES[lie]), scene.first, scene.last,
        [scene.holding(scene.accounts[0])], 1,
    )  # fmt: skip
    assert isinstance(gap, HistoryGap)
    assert (gap.reason, gap.answers[0].transfers) == (DisagreementReason.TOO_FEW_ANSWERS, None)


@pytest.mark.real_anvil
def test_operators_that_tell_different_transfers_make_a_gap(scene: Scene) -> None:
    class Forgetful(Limited):
        def send(self, provider: Provider, request: Request) -> Response:
            return (
                super().send(provider, request)
                if provider.operator == "forgetful"
                else self._http.send(provider, request)
            )

    forgetful = replace(scene.node.provider, operator="forgetful")
    holding = scene.holding(scene.accounts[0])
    voices = [scene.node.provider, forgetful]
    args = (scene.first, scene.last, [holding], 2)
    (gap,) = read_history(scene.node.network, voices, Forgetful(change=lambda logs: logs[1:]), *args)
    assert isinstance(gap, HistoryGap)
    assert gap.reason is DisagreementReason.VALUES_DIFFER
    (agreed,) = read_history(scene.node.network, voices, HttpTransport(ONCE), *args)
    assert isinstance(agreed, History)
    assert (agreed.tier, agreed.operators) == (Tier.CORROBORATED, ("anvil", "forgetful"))


@pytest.mark.real_anvil
def test_native_coins_have_no_list_of_transfers_and_that_is_said(scene: Scene) -> None:
    native = Holding(scene.accounts[0], AssetId(scene.node.network.native_asset))
    (found,) = scene.reader.read_transfers(scene.first, scene.last, [native])
    assert found.transfers is None
    assert "without logs" in found.failure


@pytest.mark.real_anvil
def test_a_chain_that_moves_while_it_is_read_gives_no_history() -> None:
    with anvil_harness() as node:
        scene = Scene(node)
        scene.send(scene.accounts[0], 1)  # a block that is made anew without it has another hash
        scene.last = scene.reader.final_block()

        class Reorganising(Limited):
            def send(self, provider: Provider, request: Request) -> Response:
                answered = super().send(provider, request)
                if b"eth_getLogs" in request.body and len(self.asked) == 1:
                    node.anvil.rpc("anvil_reorg", 2, [])
                return answered

        (gap,) = read_history(
            node.network, [node.provider], Reorganising(), scene.first, scene.last,
            [scene.holding(scene.accounts[0])], 1,
        )  # fmt: skip
    assert isinstance(gap, HistoryGap)
    assert "changed while the transfers were read" in gap.answers[0].failure


def test_nobody_and_a_wrong_window_make_no_history() -> None:
    holding = Holding(AccountId("eip155:1:0x" + "11" * 20), AssetId("eip155:1/erc20:0x" + "22" * 20))
    block = BlockRef(holding.account.rpartition(":")[0], 9, "0x09", 1)  # type: ignore[arg-type]
    empty = agree_on_history(holding, 1, block, [], 1)
    assert isinstance(empty, HistoryGap)
    answer = Movements(holding, "a", 2, block, ())
    other = agree_on_history(holding, 1, block, [answer], 1)
    assert isinstance(other, HistoryGap)
    assert other.reason is DisagreementReason.BLOCKS_DIFFER


@pytest.fixture(scope="module")
def bitcoin() -> Iterator[NodeHarness]:
    with history_harness() as node:
        yield node


@pytest.mark.real_bitcoind
def test_bitcoin_coins_come_and_go_and_the_difference_is_the_balance(bitcoin: NodeHarness) -> None:
    reader = CoreHistoryReader(bitcoin.network, bitcoin.provider, HttpTransport(ONCE))
    first = bitcoin.node.call("getblockcount") + 1
    account = bitcoin.fund(70_000)
    bitcoin.node.call("sendtoaddress", address_of(account), "0.0003", wallet="miner")
    bitcoin.node.mine()
    bitcoin.node.call(
        "sendall", [bitcoin.node.call("getnewaddress", wallet="miner")], None, "unset", 1,
        {"inputs": [{"txid": coin["txid"], "vout": coin["vout"]}
                    for coin in bitcoin.node.call("listunspent", 0, 999, [address_of(account)], wallet="holders")
                    if coin["amount"] == Decimal("0.0007")]}, wallet="holders",
    )  # fmt: skip
    bitcoin.node.mine()
    last = reader.final_block()
    holding = Holding(account, AssetId(bitcoin.network.native_asset))
    (found,) = read_history(bitcoin.network, [bitcoin.provider], HttpTransport(ONCE), first, last, [holding], 1)
    assert isinstance(found, History)
    assert [(t.units, t.sender is None, t.recipient is None) for t in found.transfers] == [
        (70_000, True, False),
        (30_000, True, False),
        (70_000, False, True),
    ]
    assert found.transfers[0].coin == found.transfers[2].coin
    assert found.net == 30_000 == reader.read_balances(last, [holding])[0].units


@pytest.mark.real_bitcoind
def test_a_window_that_ends_before_a_spend_does_not_show_it(bitcoin: NodeHarness) -> None:
    reader = CoreHistoryReader(bitcoin.network, bitcoin.provider, HttpTransport(ONCE))
    first = reader.final_block().height + 1
    account = bitcoin.fund(11_000)
    at = reader.final_block()
    bitcoin.advance()
    holding = Holding(account, AssetId(bitcoin.network.native_asset))
    inside, before = (
        reader.read_transfers(start, end, [holding])[0].transfers
        for start, end in ((first, at), (first - 1, reader.block_at(first - 1)))
    )
    assert (len(inside or ()), before) == (1, ())
