"""A balance follows from an Electrum server's lists only when they hold together; a lie gives no number."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from btclib.tx import Tx
from btclib.tx.out_point import OutPoint
from btclib.tx.tx_in import TxIn
from btclib.tx.tx_out import TxOut

from chains.bitcoin.electrum import ElectrumReader
from chains.bitcoin.electrum_ledger import parse_transaction, spent_from
from chains.bitcoin.electrum_visit import HEADER, TIP
from chains.bitcoin.header_chain import sha256d
from chains.doors import NetworkTransport
from chains.errors import ChainError, InvalidAnswerError, NetworkDataError, ProviderError
from chains.http import Limits
from chains.ids import ChainId
from chains.model import BlockRef, Movements, Reading
from chains.providers import Provider
from tests.chains.test_bitcoin_core import BITCOIN, POOR, RICH, holding
from tests.chains.test_lines import Say, serving_lines

HISTORY, UNSPENT = "blockchain.scripthash.get_history", "blockchain.scripthash.listunspent"
FETCH = "blockchain.transaction.get"
PINNED, NEWEST = 100, 120
ONCE = Limits(tries=1, read=5)
PROVIDER = Provider("simulated", ChainId(BITCOIN.chain), "electrum")

Change = Callable[[str, list[Any], Any], Any]


def payment(*inputs: tuple[Tx, int], pays: list[tuple[bytes, int]], salt: int = 0) -> Tx:
    """Make a transaction; one without inputs of ours spends an outpoint nobody knows."""
    spent = [TxIn(OutPoint(tx.id, index)) for tx, index in inputs] or [TxIn(OutPoint(bytes([9]) * 32, salt))]
    return Tx(2, 0, spent, [TxOut(units, script) for script, units in pays])


def script_hash(script: bytes) -> str:
    return sha256(script).digest()[::-1].hex()


def header(height: int, fork: int = 0) -> bytes:
    return height.to_bytes(4, "little") + bytes([fork]) * 64 + (1_700_000_000 + height).to_bytes(4, "little") + bytes(8)


def block(height: int, fork: int = 0) -> BlockRef:
    raw = header(height, fork)
    return BlockRef(ChainId(BITCOIN.chain), height, sha256d(raw)[::-1].hex(), 1_700_000_000 + height)


class Refusal(Exception):
    """What the simulated server answers with an error."""


class SimulatedElectrum:
    """A chain of transactions with heights (0: unconfirmed), served as an Electrum server would; `change` may lie."""

    def __init__(self, *transactions: tuple[Tx, int]) -> None:
        self.transactions = {tx.id.hex(): (tx, height) for tx, height in transactions}
        self.tip = NEWEST
        self.stored = NEWEST
        self.change: Change = lambda method, parameters, result: result
        self.asked: list[str] = []

    def answer(self, question: dict[str, Any], say: Say) -> None:
        method, parameters = question["method"], question["params"]
        self.asked.append(method)
        try:
            say({"id": question["id"], "result": self.change(method, parameters, self._result(method, parameters))})
        except Refusal as error:
            say({"id": question["id"], "error": {"code": 1, "message": str(error)}})

    def _result(self, method: str, parameters: list[Any]) -> Any:
        if method == TIP:
            return {"height": self.tip, "hex": header(self.tip).hex()}
        if method == HEADER:
            if parameters[0] > self.stored:
                raise Refusal("height out of range")
            return header(parameters[0]).hex()
        if method == FETCH:
            return self.transactions[parameters[0]][0].serialize(include_witness=True).hex()
        return {HISTORY: self._history, UNSPENT: self._unspent}[method](parameters[0])

    def _spends(self, tx: Tx) -> Iterator[tuple[str, int]]:
        return ((one.prev_out.tx_id.hex(), one.prev_out.vout) for one in tx.vin)

    def _history(self, wanted: str) -> list[dict[str, Any]]:
        def touches(tx: Tx) -> bool:
            made = [self.transactions[txid][0].vout[index] for txid, index in self._spends(tx) if txid[:2] != "09"]
            return any(script_hash(one.script_pub_key.script) == wanted for one in [*made, *tx.vout])

        return [{"tx_hash": txid, "height": height} for txid, (tx, height) in self.transactions.items() if touches(tx)]

    def _unspent(self, wanted: str) -> list[dict[str, Any]]:
        spent = {outpoint for tx, _ in self.transactions.values() for outpoint in self._spends(tx)}
        return [
            {"tx_hash": txid, "tx_pos": index, "height": height, "value": one.value}
            for txid, (tx, height) in self.transactions.items()
            for index, one in enumerate(tx.vout)
            if script_hash(one.script_pub_key.script) == wanted and (txid, index) not in spent
        ]


@contextmanager
def opened(server: SimulatedElectrum) -> Iterator[ElectrumReader]:
    with serving_lines(server.answer) as (provider, _):
        yield ElectrumReader(BITCOIN, provider, NetworkTransport(ONCE))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chains.bitcoin.electrum._PAUSE_SECONDS", 0.0)


def read(server: SimulatedElectrum, *scripts: bytes, at: BlockRef | None = None) -> list[Reading]:
    with opened(server) as reader:
        return list(reader.read_balances(at or block(PINNED), [holding(script) for script in scripts]))


def moves(server: SimulatedElectrum, *scripts: bytes, first: int = 0) -> list[Movements]:
    with opened(server) as reader:
        return list(reader.read_transfers(first, block(PINNED), [holding(script) for script in scripts]))


FUND = payment(pays=[(RICH, 5_000), (RICH, 70), (POOR, 3)])
MORE = payment(pays=[(RICH, 900)], salt=1)
EARLY = payment((FUND, 1), pays=[(POOR, 60)])
LATER = payment((FUND, 0), pays=[(POOR, 4_000), (RICH, 800)])
PENDING = payment((MORE, 0), (LATER, 1), pays=[(POOR, 1_600)])


def full() -> SimulatedElectrum:
    """Rich holds 5,070, then 5,970, then 5,900; after the pinned block the rest is spent, at last unconfirmed."""
    return SimulatedElectrum((FUND, 50), (MORE, 60), (EARLY, 70), (LATER, 110), (PENDING, 0))


def test_what_was_spent_later_or_is_about_to_be_still_counts_at_the_pinned_block() -> None:
    assert [reading.units for reading in read(full(), RICH, POOR)] == [5_900, 63]


@pytest.mark.parametrize(
    ("height", "rich", "poor"), [(49, 0, 0), (50, 5_070, 3), (60, 5_970, 3), (70, 5_900, 63), (110, 1_700, 4_063)]
)
def test_every_block_has_its_own_balance(height: int, rich: int, poor: int) -> None:
    assert [reading.units for reading in read(full(), RICH, POOR, at=block(height))] == [rich, poor]


def test_without_anything_later_no_transaction_is_fetched() -> None:
    server = SimulatedElectrum((FUND, 50))
    assert [reading.units for reading in read(server, RICH)] == [5_070]
    assert FETCH not in server.asked


def test_the_pinned_block_lies_as_deep_as_the_network_asks_and_comes_from_its_header() -> None:
    with opened(full()) as reader:
        assert reader.final_block() == block(NEWEST - BITCOIN.finality.depth)
        assert reader.block_at(7) == block(7)
        with pytest.raises(ProviderError, match="height out of range"):
            reader.block_at(NEWEST + 1)


def test_a_server_that_lags_gives_no_balance() -> None:
    server = full()
    server.tip = server.stored = PINNED - 1
    (reading,) = read(server, RICH)
    assert reading.units is None
    assert "lags behind: its newest block is 99" in reading.failure
    assert reading.evidence


def test_another_block_at_the_pinned_height_gives_no_balance() -> None:
    (reading,) = read(full(), RICH, at=block(PINNED, fork=1))
    assert reading.units is None
    assert "on this server's chain, not" in reading.failure


def test_a_block_that_is_replaced_while_it_is_read_gives_no_balance() -> None:
    server = full()

    def replaced(method: str, parameters: list[Any], result: Any) -> Any:
        gone = method == HEADER and parameters == [PINNED] and HISTORY in server.asked
        return header(PINNED, fork=1).hex() if gone else result

    server.change = replaced
    (reading,) = read(server, RICH)
    assert reading.units is None
    assert "on this server's chain, not" in reading.failure


def test_a_block_that_is_stored_but_not_announced_gives_no_balance() -> None:
    """In this moment a server's histories are older than its lists of unspent coins."""
    server = full()
    server.stored = NEWEST + 1
    (reading,) = read(server, RICH)
    assert (reading.units, "kept changing" in reading.failure) == (None, True)
    assert server.asked.count(TIP) == 6


def test_a_history_that_changes_once_is_asked_for_again() -> None:
    server, calls = full(), iter(range(1_000))
    server.change = lambda method, _, result: result[1:] if method == HISTORY and next(calls) == 0 else result
    (reading,) = read(server, RICH)
    assert reading.units == 5_900
    assert server.asked.count(HISTORY) == 4


def test_a_history_that_never_rests_gives_no_balance() -> None:
    server, calls = full(), iter(range(1_000))
    server.change = lambda method, _, result: (
        [*result, {"tx_hash": f"{next(calls):064x}", "height": 0}] if method == HISTORY else result
    )
    (reading,) = read(server, RICH)
    assert (reading.units, "kept changing" in reading.failure) == (None, True)
    assert server.asked.count(HISTORY) == 6


def test_one_refused_history_spoils_no_other() -> None:
    server = full()

    def busy(method: str, parameters: list[Any], result: Any) -> Any:
        if method == HISTORY and parameters == [script_hash(RICH)]:
            raise Refusal("history too large")
        return result

    server.change = busy
    rich, poor = read(server, RICH, POOR)
    assert (rich.units, poor.units) == (None, 63)
    assert "history too large" in rich.failure


def test_a_transaction_the_server_does_not_show_gives_no_balance() -> None:
    server = full()

    def hidden(method: str, parameters: list[Any], result: Any) -> Any:
        if method == FETCH and parameters[0] == FUND.id.hex():
            raise Refusal("no such transaction")
        return result

    server.change = hidden
    (reading,) = read(server, RICH)
    assert (reading.units, "no such transaction" in reading.failure) == (None, True)


@pytest.mark.parametrize("change", [lambda raw: raw + "00", lambda raw: raw[:-2], lambda raw: "zz", lambda raw: {}])
def test_a_transaction_that_is_not_understood_spoils_no_other_account(change: Callable[[str], Any]) -> None:
    """An honest server of a chain with transactions of other kinds shows such ones."""
    other = payment(pays=[(b"\x00\x14" + bytes([3]) * 20, 11)], salt=3)
    server = SimulatedElectrum(*full().transactions.values(), (other, 30))
    server.change = _spy(FETCH, change)
    rich, third = read(server, RICH, other.vout[0].script_pub_key.script)
    assert (rich.units, third.units) == (None, 11)
    assert "no transaction, or one of an unknown kind" in rich.failure


def _coin(tx: Tx, index: int, height: int, value: int) -> dict[str, Any]:
    return {"tx_hash": tx.id.hex(), "tx_pos": index, "height": height, "value": value}


def _spy(method: str, change: Callable[[Any], Any]) -> Change:
    return lambda name, parameters, result: change(result) if name == method else result


@pytest.mark.parametrize(
    ("method", "change", "said"),
    [
        (UNSPENT, lambda found: [*found, _coin(EARLY, 0, 71, 60)], "not in the history there"),
        (UNSPENT, lambda found: [*found, _coin(payment(pays=[(RICH, 9)]), 0, 70, 9)], "not in the history there"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 0, 50, 5_000)], "spent and unspent"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 2, 50, 3)], "listed as another"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 0, 50, 6_000)], "listed as another"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 9, 50, 6_000)], "listed as another"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 0, 50, 21_000_000 * 10**8 + 1)], "the amount of"),
        (UNSPENT, lambda found: [*found, _coin(FUND, 0, 50, -1)], "the amount of"),
        (UNSPENT, lambda found: [_coin(FUND, 0, 50, 1) | {"value": "1"}], "the amount of"),
        (UNSPENT, lambda found: [_coin(FUND, 0, -1, 1)], "a coin's height"),
        (UNSPENT, lambda found: [_coin(FUND, -1, 50, 1)], "output index"),
        (UNSPENT, lambda found: None, "not a list"),
        (UNSPENT, lambda found: ["coin"], "not an object"),
        (HISTORY, lambda found: [*found, found[0]], "the same transaction twice"),
        (HISTORY, lambda found: [*found, {"tx_hash": MORE.id.hex(), "height": 70}], "the same transaction twice"),
        (HISTORY, lambda found: [one | {"height": one["height"] + 11} for one in found], "beyond the tip"),
        (HISTORY, lambda found: [one | {"height": -2} for one in found], "a transaction's height"),
        (HISTORY, lambda found: [one | {"height": True} for one in found], "a transaction's height"),
        (HISTORY, lambda found: [one | {"tx_hash": "zz"} for one in found], "a transaction's id"),
        (HISTORY, lambda found: {}, "not a list"),
        (FETCH, lambda raw: EARLY.serialize(include_witness=True).hex(), "was shown"),
        (HEADER, lambda raw: raw[2:], "a block header has 79 bytes"),
        (HEADER, lambda raw: 5, "not hexadecimal"),
        (TIP, lambda tip: tip | {"height": "5"}, "the tip's height"),
        (TIP, lambda tip: [tip], "not an object"),
    ],
)  # fmt: skip
def test_what_no_truthful_server_can_say_is_refused(method: str, change: Callable[[Any], Any], said: str) -> None:
    server = full()
    server.change = _spy(method, change)
    with pytest.raises(InvalidAnswerError, match=said):
        read(server, RICH)


def test_a_coin_listed_twice_is_refused() -> None:
    server = SimulatedElectrum((FUND, 50))
    server.change = _spy(UNSPENT, lambda found: found * 2)
    with pytest.raises(InvalidAnswerError, match="is listed twice"):
        read(server, RICH)


def test_coins_of_two_scripts_that_are_more_than_there_can_be_are_refused() -> None:
    most = 21_000_000 * 10**8
    server = SimulatedElectrum((payment(pays=[(RICH, most)]), 50), (payment(pays=[(POOR, 1)], salt=1), 51))
    with pytest.raises(InvalidAnswerError, match="more than there can be"):
        read(server, RICH, POOR)


def test_an_option_that_is_neither_on_nor_off_is_refused() -> None:
    provider = replace(PROVIDER, options=(("merkle", "yes"),))
    with pytest.raises(NetworkDataError, match="not on or off"):
        ElectrumReader(BITCOIN, provider, NetworkTransport(ONCE))


def test_a_header_of_another_chain_names_another_chain() -> None:
    with opened(full()) as reader:
        assert reader.chain() == f"bip122:{block(BITCOIN.bitcoin.identity_height if BITCOIN.bitcoin else 0).hash[:32]}"


def test_transfers_are_what_was_received_and_spent_in_the_window() -> None:
    rich, poor = moves(full(), RICH, POOR, first=60)
    assert rich.transfers is not None
    assert [(one.units, one.sender is not None, one.height, one.block_hash) for one in rich.transfers] == [
        (900, False, 60, block(60).hash),
        (70, True, 70, block(70).hash),
    ]
    assert poor.transfers is not None
    assert [(one.units, one.recipient is not None, one.coin) for one in poor.transfers] == [
        (60, True, f"{EARLY.id.hex()}:0")
    ]


def test_what_is_asked_has_one_order_so_that_a_replay_asks_the_same() -> None:
    """A set of texts has another order in every process."""
    makers = [payment(pays=[(RICH, 5)], salt=number) for number in range(20)]
    spender = payment(*((maker, 0) for maker in makers), pays=[(POOR, 1)])
    found = parse_transaction(PROVIDER, spender.serialize(include_witness=True).hex(), spender.id.hex())
    heights = {maker.id.hex(): 5 for maker in makers}
    wanted = spent_from(heights, [spender.id.hex()], {spender.id.hex(): found}, 5)
    assert wanted == sorted(heights)


def test_transfers_are_told_whole_or_not_at_all() -> None:
    server = full()
    server.tip = server.stored = PINNED - 1
    assert moves(server, RICH)[0].transfers is None
    server = full()
    server.change = _spy(FETCH, lambda raw: LATER.serialize(include_witness=True).hex())
    with pytest.raises(ChainError):
        moves(server, RICH)
