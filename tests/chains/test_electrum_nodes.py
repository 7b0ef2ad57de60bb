"""A real Electrum server over a real node: past balances, lag, and agreement with another dialect."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chains.bitcoin.address import script_of
from chains.bitcoin.electrum import ElectrumReader
from chains.doors import NetworkTransport
from chains.errors import InvalidAnswerError
from chains.history import History, read_history
from chains.http import Limits
from chains.ids import AccountId, AssetId
from chains.model import Balance, BlockRef, Holding, Reading, Tier
from chains.panel import survey
from chains.providers import Provider
from chains.registry import open_reader
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Request, Response
from tests.live.electrumx import NEVER, ElectrumHarness, electrumx, harness

pytestmark = pytest.mark.real_bitcoind

ONCE = Limits(tries=1)


class CountingTransport:
    """Count the exchanges that another transport carries."""

    def __init__(self) -> None:
        self._inner = NetworkTransport(ONCE)
        self.exchanges = 0

    def send(self, provider: Provider, request: Request) -> Response:
        self.exchanges += 1
        return self._inner.send(provider, request)


class LyingTransport:
    """Change the text of answers to requests that hold a word."""

    def __init__(self, word: bytes, change: Callable[[Any], None]) -> None:
        self._inner = NetworkTransport(ONCE)
        self._word, self._change = word, change
        self.heard = 0

    def send(self, provider: Provider, request: Request) -> Response:
        response = self._inner.send(provider, request)
        if self._word not in request.body:
            return response
        answers = [json.loads(line) for line in response.body.split(b"\n")]
        self.heard += len(answers)
        for answer in answers:
            self._change(answer["result"])
        return response._replace(body=b"\n".join(json.dumps(answer).encode() for answer in answers))


class Scene:
    """A chain whose holder received, spent in a block, and is about to receive and spend again; with its blocks."""

    def __init__(self, chain: ElectrumHarness) -> None:
        self.chain = chain
        self.native = AssetId(chain.network.native_asset)
        self.reader = ElectrumReader(chain.network, chain.provider, NetworkTransport(ONCE))
        self.first = chain.node.call("getblockcount") + 1
        self.accounts = [chain.fund(10_000_000 + number) for number in range(4)]
        self.funded = self.reader.final_block()
        away = chain.node.call("getnewaddress", wallet="miner")
        chain.node.call("sendtoaddress", away, "0.05", wallet="holders")
        chain.advance()
        self.again = chain.fund(7_000_000)
        self.now = self.reader.final_block()
        chain.node.call("sendall", [away], wallet="holders")
        chain.node.call("sendtoaddress", self.address(self.again), "0.5", wallet="miner")
        chain.await_unconfirmed(self.script_hash(self.again), 2)

    def address(self, account: AccountId) -> str:
        return account.rpartition(":")[2]

    def script_hash(self, account: AccountId) -> str:
        return sha256(script_of(self.chain.network, self.address(account))).digest()[::-1].hex()

    def units(self, block: BlockRef, accounts: Sequence[AccountId]) -> list[int | None]:
        holdings = [Holding(account, self.native) for account in accounts]
        return [reading.units for reading in self.reader.read_balances(block, holdings)]

    @property
    def filtering(self) -> Provider:
        """The same node, asked through compact filters: another dialect that tells the past."""
        return replace(self.chain.node.provider, operator="filters", dialect="bitcoin-core-history")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with harness("-blockfilterindex=1") as chain:
        yield Scene(chain)


def test_past_balances_do_not_see_what_was_spent_later_or_is_under_way(scene: Scene) -> None:
    assert scene.units(scene.funded, scene.accounts) == [10_000_000 + number for number in range(4)]
    assert scene.units(scene.funded, [scene.again]) == [0]
    assert scene.units(scene.now, [scene.again]) == [7_000_000]
    listed = scene.chain.server.ask("blockchain.scripthash.listunspent", scene.script_hash(scene.again))
    assert 7_000_000 not in [coin["value"] for coin in listed]  # it is being spent


@pytest.mark.parametrize("kind", ["funded", "now"])
def test_a_node_with_filters_and_the_index_agree_on_past_balances(scene: Scene, kind: str) -> None:
    block: BlockRef = getattr(scene, kind)
    holdings = [Holding(account, scene.native) for account in [*scene.accounts, scene.again, scene.chain.empty()]]
    other = open_reader(scene.chain.network, scene.filtering, NetworkTransport(ONCE))
    assert [reading.units for reading in other.read_balances(block, holdings)] == scene.units(
        block, [holding.account for holding in holdings]
    )


def test_two_dialects_corroborate_a_balance_at_one_block(scene: Scene) -> None:
    providers = [scene.chain.provider, scene.filtering]
    holdings = [Holding(scene.again, scene.native)]
    found = survey(scene.chain.network, providers, NetworkTransport(ONCE), holdings, 2)
    (balance,) = found.results
    assert isinstance(balance, Balance), balance
    assert (balance.units, balance.tier) == (7_000_000, Tier.CORROBORATED)
    assert balance.coins is not None
    assert sum(coin.units for coin in balance.coins) == 7_000_000
    assert all(0 < coin.height <= balance.block.height for coin in balance.coins)


def test_two_dialects_tell_the_same_transfers(scene: Scene) -> None:
    providers = [scene.chain.provider, scene.filtering]
    holdings = [Holding(account, scene.native) for account in [*scene.accounts, scene.again, scene.chain.empty()]]
    for first in (0, scene.first, scene.now.height - 1):
        histories = read_history(scene.chain.network, providers, NetworkTransport(ONCE), first, scene.now, holdings, 2)
        for history in histories:
            assert isinstance(history, History), history
            assert history.tier is Tier.CORROBORATED
        if first == scene.first:
            units = scene.units(scene.now, [holding.account for holding in holdings])
            assert [history.net for history in histories if isinstance(history, History)] == units
            assert sum(len(history.transfers) for history in histories if isinstance(history, History)) >= 6


def test_hundreds_of_holdings_travel_together_and_replay_without_a_socket(scene: Scene, tmp_path: Path) -> None:
    accounts = [*scene.accounts, *(scene.chain.empty() for _ in range(296))]
    holdings = [Holding(account, scene.native) for account in accounts]
    counting = CountingTransport()
    recording = RecordingTransport(counting, tmp_path / "journal")
    read = ElectrumReader(scene.chain.network, scene.chain.provider, recording).read_balances(scene.funded, holdings)
    assert [reading.units for reading in read] == [10_000_000, 10_000_001, 10_000_002, 10_000_003, *[0] * 296]
    assert counting.exchanges <= 7
    replay = ReplayTransport(recording.close())
    nowhere = replace(scene.chain.provider, url="")
    assert ElectrumReader(scene.chain.network, nowhere, replay).read_balances(scene.funded, holdings) == read
    assert replay.unused() == 0


def _shown(scene: Scene, word: bytes, change: Callable[[Any], None]) -> tuple[list[Reading], int]:
    """Read what was funded, with places in blocks shown, through a transport that changes answers."""
    lying = LyingTransport(word, change)
    provider = replace(scene.chain.provider, options=(("merkle", "on"),))
    holdings = [Holding(account, scene.native) for account in scene.accounts]
    reader = ElectrumReader(scene.chain.network, provider, lying)
    return list(reader.read_balances(scene.funded, holdings)), lying.heard


def test_every_coin_can_be_shown_to_be_in_its_block(scene: Scene) -> None:
    readings, shown = _shown(scene, b"get_merkle", lambda branch: None)
    assert [reading.units for reading in readings] == [10_000_000 + number for number in range(4)]
    assert shown == 4


def _other_place(branch: Any) -> None:
    branch["pos"] ^= 1


def _other_sibling(branch: Any) -> None:
    branch["merkle"][0] = "ab" * 32


@pytest.mark.parametrize("change", [_other_place, _other_sibling, lambda branch: branch.clear()])
def test_a_coin_that_is_not_shown_to_be_in_its_block_gives_no_balance(scene: Scene, change: Any) -> None:
    for reading in _shown(scene, b"get_merkle", change)[0]:
        assert reading.units is None
        assert "is not shown to be in block" in reading.failure


def test_a_coin_of_another_amount_than_its_transaction_says_is_refused(scene: Scene) -> None:
    def more(coins: list[dict[str, Any]]) -> None:
        for coin in coins:
            coin["value"] += 1

    holdings = [Holding(scene.chain.fund(5_000), scene.native)]
    provider = replace(scene.chain.provider, options=(("merkle", "on"),))
    reader = ElectrumReader(scene.chain.network, provider, LyingTransport(b"listunspent", more))
    with pytest.raises(InvalidAnswerError, match="listed as another"):
        reader.read_balances(reader.final_block(), holdings)


def test_a_server_that_has_not_heard_of_the_pinned_block_gives_no_balance(scene: Scene) -> None:
    with electrumx(scene.chain.node, poll_milliseconds=NEVER) as lagging:
        reader = ElectrumReader(scene.chain.network, lagging.provider, NetworkTransport(ONCE))
        assert reader.final_block().height == scene.chain.node.call("getblockcount")
        fresh = scene.chain.fund(1_234_567)
        pinned = scene.reader.final_block()
        (reading,) = reader.read_balances(pinned, [Holding(fresh, scene.native)])
        (moves,) = reader.read_transfers(0, pinned, [Holding(fresh, scene.native)])
    assert reading.units is None
    assert moves.transfers is None
    for failure in (reading.failure, moves.failure):
        assert "lags behind" in failure
    assert scene.units(pinned, [fresh]) == [1_234_567]


def test_a_replaced_block_is_another_one_for_balances_and_transfers(scene: Scene) -> None:
    scene.chain.advance()
    old = scene.reader.final_block()
    scene.chain.reorganise()
    holding = Holding(scene.accounts[0], scene.native)
    assert scene.units(old, [holding.account]) == [None]
    (moves,) = scene.reader.read_transfers(0, old, [holding])
    assert "on this server's chain, not" in moves.failure
