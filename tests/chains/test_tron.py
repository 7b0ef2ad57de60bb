"""Tron: coins come from a node's balance history, tokens from the present without the transfers since then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.errors import ChainError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId
from chains.model import Balance, BlockRef, Holding, Reading
from chains.panel import survey
from chains.transcript import RecordingTransport, ReplayTransport
from chains.tron.reader import TronReader
from chains.tron.tokens import TRANSFER
from tests.live.simulated_tron import CHAIN, TOKEN, SimulatedTron, Transfer, TronHarness, address, served

TRX = AssetId(f"{CHAIN}/slip44:195")
HOLDER, OTHER = address(1), address(2)
COINS = Holding(AccountId(f"{CHAIN}:{HOLDER}"), TRX)
TOKENS = Holding(AccountId(f"{CHAIN}:{HOLDER}"), AssetId(f"{CHAIN}/trc20:{TOKEN}"))


@pytest.fixture
def node() -> SimulatedTron:
    """A node where the holder has 1,793,227,200 sun and 1,000 units of a token, each from a block of its own."""
    found = SimulatedTron()
    found.close({HOLDER: 1_793_227_200})
    found.close(transfers=[Transfer(TOKEN, "", HOLDER, 1_000), Transfer(TOKEN, "", OTHER, 500)])
    return found


@pytest.fixture
def chain(node: SimulatedTron) -> Iterator[TronHarness]:
    with served(node) as url:
        yield TronHarness(node, url)


@pytest.fixture
def reader(chain: TronHarness) -> TronReader:
    return TronReader(chain.network, chain.provider, HttpTransport(Limits(tries=1)))


def read(reader: TronReader, holding: Holding, block: BlockRef | None = None) -> Reading:
    return reader.read_balances(block or reader.final_block(), [holding])[0]


def test_a_survey_reads_coins_tokens_and_an_account_that_is_not_there(chain: TronHarness) -> None:
    nobody = Holding(AccountId(f"{CHAIN}:{address(3)}"), TRX)
    holdings = [COINS, TOKENS, nobody]
    found = survey(chain.network, [chain.provider], HttpTransport(Limits(tries=1)), holdings, 1)
    assert [one.units for one in found.results if isinstance(one, Balance)] == [1_793_227_200, 1_000, 0]
    assert not found.exclusions


def test_a_recorded_reading_of_tokens_is_replayed(chain: TronHarness, node: SimulatedTron, tmp_path: Path) -> None:
    """The same question, for the newest block, is asked twice and answered differently."""
    recording = RecordingTransport(HttpTransport(Limits(tries=1)), tmp_path / "journal")
    reader = TronReader(chain.network, chain.provider, recording)
    pinned = reader.final_block()
    node.meanwhile = moves_while_read(node, 1)
    recorded = reader.read_balances(pinned, [TOKENS, COINS])
    replaying = ReplayTransport(recording.close())
    replayed = TronReader(chain.network, chain.provider, replaying)
    assert replayed.read_balances(replayed.final_block(), [TOKENS, COINS]) == recorded
    assert [reading.units for reading in recorded] == [1_000, 1_793_227_200]
    assert replaying.unused() == 0


HEADER_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another id": lambda block: block | {"blockID": "ab" * 32},
    "no id": lambda block: {"block_header": block["block_header"]},
    "another time": lambda block: block | header_of(block, timestamp=5),
    "another height": lambda block: block | header_of(block, number=1),
    "no header": lambda block: {"blockID": block["blockID"], "block_header": 7},
    "a list": lambda block: [block],
    "no such block": lambda block: {},
    "an error": lambda block: {"Error": "class java.lang.Exception : busy"},
    "an error that is an object": lambda block: {"Error": {"x": 1}},
}


def header_of(block: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"block_header": {"raw_data": block["block_header"]["raw_data"] | changes}}


@pytest.mark.parametrize("lie", HEADER_LIES)
def test_a_block_whose_id_does_not_follow_from_its_header_is_an_error(
    reader: TronReader, node: SimulatedTron, lie: str
) -> None:
    node.lie = lambda path, answer: HEADER_LIES[lie](answer) if "block" in path else answer
    with pytest.raises(ChainError):
        reader.final_block()
    with pytest.raises(ChainError):
        reader.block_at(2)


def test_a_block_of_another_height_is_an_error(reader: TronReader, node: SimulatedTron) -> None:
    node.lie = lambda path, answer: node._getnowblock({})
    with pytest.raises(ChainError, match="asked for block 1, got block 2"):
        reader.block_at(1)


def test_coins_are_read_at_the_pinned_block_after_they_moved(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    node.close({HOLDER: 5})
    assert read(reader, COINS, pinned).units == 1_793_227_200
    assert read(reader, COINS).units == 5


def test_a_recorded_zero_is_a_zero(reader: TronReader, node: SimulatedTron) -> None:
    node.close({HOLDER: 0})
    node.close()
    reading = read(reader, COINS)
    assert (reading.units, len(reading.evidence)) == (0, 1)


def test_a_node_without_balance_history_says_nothing_rather_than_zero(reader: TronReader, node: SimulatedTron) -> None:
    node.history_from = None
    for account in (COINS, Holding(AccountId(f"{CHAIN}:{address(3)}"), TRX)):
        reading = read(reader, account)
        assert reading.units is None
        assert "storage.balance.history.lookup = true" in reading.failure


def test_a_history_that_began_after_the_account_says_nothing_rather_than_zero(
    reader: TronReader, node: SimulatedTron
) -> None:
    node.history_from = 2
    reading = read(reader, COINS)
    assert reading.units is None
    assert "no record" in reading.failure
    assert len(reading.evidence) == 3


def pin(height: Any, name: Any) -> dict[str, Any]:
    return {"block_identifier": {"number": height, "hash": name}}


COIN_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a later block": lambda answer: answer | pin(3, "0" * 15 + "3" + "ab" * 24),
    "another block at the height": lambda answer: answer | pin(2, "0" * 15 + "2" + "ab" * 24),
    "a height that is not the block's": lambda answer: answer | pin(1, "0" * 15 + "0" + "ab" * 24),
    "a negative height": lambda answer: answer | pin(-1, "f" * 16 + "ab" * 24),
    "a height in words": lambda answer: answer | pin("1", answer["block_identifier"]["hash"]),
    "a true height": lambda answer: answer | pin(True, answer["block_identifier"]["hash"]),
    "a block without a name": lambda answer: answer | pin(1, None),
    "no block": lambda answer: {"balance": 5},
    "a block that is a list": lambda answer: answer | {"block_identifier": []},
    "negative": lambda answer: answer | {"balance": -1},
    "too much": lambda answer: answer | {"balance": 2**63},
    "a fraction": lambda answer: answer | {"balance": 1.5},
    "words": lambda answer: answer | {"balance": "5"},
    "true": lambda answer: answer | {"balance": True},
    "nothing": lambda answer: {},
    "a list": lambda answer: [],
    "an error": lambda answer: {"Error": "class java.lang.IllegalArgumentException : number and hash do not match"},
}


@pytest.mark.parametrize("lie", COIN_LIES)
def test_a_balance_that_is_not_of_the_pinned_block_is_a_failure(
    reader: TronReader, node: SimulatedTron, lie: str
) -> None:
    node.lie = lambda path, answer: COIN_LIES[lie](answer) if path.endswith("accountbalance") else answer
    reading = read(reader, COINS)
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize("holding", [COINS, TOKENS])
def test_an_answer_with_a_status_of_error_is_a_failure(
    reader: TronReader, node: SimulatedTron, holding: Holding
) -> None:
    pinned = reader.final_block()
    node.status = 403
    assert read(reader, holding, pinned).units is None


@pytest.mark.parametrize("lie", [{}, pin(1, "ab" * 32), {"block_identifier": 5}, [], {"Error": "x"}])
def test_history_of_another_block_makes_no_zero(reader: TronReader, node: SimulatedTron, lie: Any) -> None:
    node.lie = lambda path, answer: lie if path.endswith("blockbalance") else answer
    assert read(reader, Holding(AccountId(f"{CHAIN}:{address(3)}"), TRX)).units is None


def test_tokens_are_read_at_the_pinned_block_by_undoing_later_transfers(
    reader: TronReader, node: SimulatedTron
) -> None:
    pinned = reader.final_block()
    node.close(transfers=[Transfer(TOKEN, OTHER, HOLDER, 70), Transfer(TOKEN, HOLDER, OTHER, 300)])
    node.close(transfers=[Transfer(TOKEN, HOLDER, HOLDER, 11), Transfer(address(9), "", HOLDER, 5_000)])
    reading = read(reader, TOKENS, pinned)
    assert reading.units == 1_000
    assert len(reading.evidence) == 6
    assert read(reader, TOKENS).units == 770


def test_a_holder_without_transfers_since_the_pinned_block_has_what_it_has_now(
    reader: TronReader, node: SimulatedTron
) -> None:
    pinned = reader.final_block()
    node.close(transfers=[Transfer(TOKEN, OTHER, address(4), 70)])
    assert read(reader, TOKENS, pinned).units == 1_000


def test_a_holder_the_token_does_not_know_has_none(reader: TronReader) -> None:
    reading = read(reader, Holding(AccountId(f"{CHAIN}:{address(3)}"), TOKENS.asset))
    assert (reading.units, reading.failure) == (0, "")


def test_a_long_time_since_the_pinned_block_is_asked_for_in_parts(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    for _ in range(5_001):
        node.headers.append(node.headers[-1] | {"number": len(node.headers)})
        node.changes.append({})
        node.transfers.append([])
    node.transfers[-1].append(Transfer(TOKEN, HOLDER, OTHER, 999))
    reading = read(reader, TOKENS, pinned)
    assert reading.units == 1_000
    assert len(reading.evidence) == 8


def test_a_pinned_block_of_last_week_is_too_old_for_tokens(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    node.headers += [node.headers[-1]] * 100_000 + [node.headers[-1] | {"number": 100_003}]
    reading = read(reader, TOKENS, pinned)
    assert reading.units is None
    assert "more than 100,000 blocks old" in reading.failure


def moves_while_read(node: SimulatedTron, times: int) -> Callable[[str], None]:
    """Move a token in a new block just before its balance is read, so that it is not known on which side it was."""
    left = [times]

    def meanwhile(path: str) -> None:
        if path.endswith("triggerconstantcontract") and left[0]:
            left[0] -= 1
            node.close(transfers=[Transfer(TOKEN, HOLDER, OTHER, 1)])

    return meanwhile


def test_a_transfer_while_tokens_are_read_makes_them_be_read_again(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    node.meanwhile = moves_while_read(node, 1)
    assert read(reader, TOKENS, pinned).units == 1_000


def test_transfers_in_every_read_are_a_failure(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    node.meanwhile = moves_while_read(node, 2)
    reading = read(reader, TOKENS, pinned)
    assert reading.units is None
    assert "moved while" in reading.failure


def test_a_block_replaced_before_tokens_were_read_is_a_failure(reader: TronReader, node: SimulatedTron) -> None:
    pinned = reader.final_block()
    node.replace_tip()
    reading = read(reader, TOKENS, pinned)
    assert reading.units is None
    assert pinned.hash in reading.failure


def test_a_node_whose_present_is_before_the_pinned_block_is_a_failure(reader: TronReader, node: SimulatedTron) -> None:
    node.lie = lambda path, answer: node._getblockbynum({"num": 1}) if path.endswith("nowblock") else answer
    assert read(reader, TOKENS, reader.block_at(2)).units is None


def test_a_present_that_goes_back_is_a_failure(reader: TronReader, node: SimulatedTron) -> None:
    node.close()
    heights = iter([3, 2])
    node.lie = lambda path, answer: node._getblockbynum({"num": next(heights)}) if path.endswith("nowblock") else answer
    assert read(reader, TOKENS, reader.block_at(1)).units is None


def called(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the answer of a contract call as if other things had been asked."""
    value = answer["transaction"]["raw_data"]["contract"][0]["parameter"]["value"] | changes
    return answer | {"transaction": {"ret": [{}], "raw_data": {"contract": [{"parameter": {"value": value}}]}}}


CALL_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another token": lambda answer: called(answer, contract_address=address(7)),
    "another account": lambda answer: called(answer, data="70a08231" + "00" * 32),
    "no transaction": lambda answer: {key: value for key, value in answer.items() if key != "transaction"},
    "a transaction in words": lambda answer: answer | {"transaction": "x"},
    "reverted": lambda answer: answer | {"result": {"result": True, "message": "REVERT opcode executed"}},
    "failed": lambda answer: answer | {"transaction": answer["transaction"] | {"ret": [{"ret": "FAILED"}]}},
    "refused": lambda answer: {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": "no such contract"}},
    "no outcome": lambda answer: answer | {"result": None},
    "two values": lambda answer: answer | {"constant_result": ["00" * 32] * 2},
    "no value": lambda answer: answer | {"constant_result": []},
    "a short value": lambda answer: answer | {"constant_result": ["05"]},
    "a number": lambda answer: answer | {"constant_result": [5]},
    "negative": lambda answer: answer | {"constant_result": ["-" + "0" * 63]},
    "a list": lambda answer: [],
}


@pytest.mark.parametrize("lie", CALL_LIES)
def test_a_token_balance_that_was_not_asked_for_is_a_failure(reader: TronReader, node: SimulatedTron, lie: str) -> None:
    node.lie = lambda path, answer: CALL_LIES[lie](answer) if path.endswith("contract") else answer
    reading = read(reader, TOKENS)
    assert reading.units is None
    assert reading.failure


def event(answer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return answer | {"result": [log | changes for log in answer["result"]]}


EVENT_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "of another token": lambda answer: event(answer, address="0x" + "ab" * 20),
    "of another kind": lambda answer: event(answer, topics=["0x" + "ab" * 32, "0x", "0x"]),
    "of other parties": lambda answer: event(answer, topics=[TRANSFER, "0x" + "ab" * 32, "0x" + "cd" * 32]),
    "with too few topics": lambda answer: event(answer, topics=[TRANSFER]),
    "without topics": lambda answer: event(answer, topics=None),
    "of an earlier block": lambda answer: event(answer, blockNumber="0x2"),
    "of a later block": lambda answer: event(answer, blockNumber="0xff"),
    "without a block": lambda answer: event(answer, blockNumber=None),
    "without a place": lambda answer: event(answer, logIndex="7"),
    "removed": lambda answer: event(answer, removed=True),
    "of a short amount": lambda answer: event(answer, data="0x05"),
    "of no amount": lambda answer: event(answer, data=None),
    "of more than there is": lambda answer: event(answer, data="0x" + "ff" * 32),
    "twice": lambda answer: answer | {"result": answer["result"] * 2},
    "in words": lambda answer: answer | {"result": ["x"]},
    "no list": lambda answer: answer | {"result": {}},
    "refused": lambda answer: {"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "too many"}},
    "no answer": lambda answer: [],
}


@pytest.mark.parametrize("lie", EVENT_LIES)
def test_events_that_were_not_asked_for_are_a_failure(reader: TronReader, node: SimulatedTron, lie: str) -> None:
    pinned = reader.final_block()
    node.close(transfers=[Transfer(TOKEN, OTHER, HOLDER, 70)])
    node.lie = lambda path, answer: EVENT_LIES[lie](answer) if path == "/jsonrpc" else answer
    reading = read(reader, TOKENS, pinned)
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize(
    "holding",
    [
        COINS._replace(asset=AssetId(f"{CHAIN}/trc10:1002000")),
        COINS._replace(asset=AssetId(f"{CHAIN}/trc20:{TOKEN[:-1]}0")),
        COINS._replace(asset=AssetId("tron:728126428/slip44:195")),
        COINS._replace(account=AccountId(f"tron:728126428:{HOLDER}")),
        COINS._replace(account=AccountId(f"{CHAIN}:41" + "ab" * 20)),
    ],
)
def test_what_this_network_does_not_have_is_a_failure(reader: TronReader, holding: Holding) -> None:
    reading = read(reader, holding)
    assert reading.units is None
    assert reading.failure
