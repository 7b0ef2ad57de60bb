"""Toncoin is read by masterchain block; an answer for another block or account is a failure, never a number."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chains.addresses import canonical_account
from chains.errors import ChainError, IdentifierError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, ChainId, asset_id
from chains.model import Balance, Holding, Reading
from chains.network import network_of
from chains.panel import survey
from chains.ton.address import canonical_address
from chains.ton.reader import TonReader
from tests.live.simulated_ton import CHAIN, SimulatedTon, TonHarness, friendly, raw_address, served

TON = AssetId(f"{CHAIN}/slip44:607")
MAIN, TEST = network_of(CHAIN), network_of(ChainId("tvm:-3"))


def held(number: int, asset: AssetId = TON) -> Holding:
    return Holding(AccountId(f"{CHAIN}:{raw_address(number).replace(':', '%3A')}"), asset)


@pytest.fixture
def chain() -> SimulatedTon:
    found = SimulatedTon()
    found.close({raw_address(1): 5_000_000_000_000_000_001})
    return found


@pytest.fixture
def ton(chain: SimulatedTon) -> Iterator[TonHarness]:
    with served(chain) as url:
        yield TonHarness(chain, url)


def reader_of(ton: TonHarness) -> TonReader:
    return TonReader(ton.network, ton.provider, HttpTransport(Limits(tries=1)))


def read(ton: TonHarness) -> Reading:
    reader = reader_of(ton)
    return reader.read_balances(reader.final_block(), [held(1)])[0]


def test_a_balance_and_an_account_that_is_not_there_pass_the_panel(ton: TonHarness) -> None:
    found = survey(ton.network, [ton.provider], HttpTransport(Limits(tries=1)), [held(1), held(2)], 1)
    assert [one.units for one in found.results if isinstance(one, Balance)] == [5_000_000_000_000_000_001, 0]
    assert not found.exclusions


def test_a_jetton_is_refused_in_clear_words(ton: TonHarness) -> None:
    jetton = asset_id(f"{CHAIN}/jetton:EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id-sDs")
    (reading,) = reader_of(ton).read_balances(reader_of(ton).final_block(), [held(1, jetton)])
    assert reading.units is None
    assert "no jettons" in reading.failure


def inside(name: str, **change: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda result: result | {name: result[name] | change}


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another block": inside("block_id", seqno=7),
    "another root hash": inside("block_id", root_hash="A" * 43 + "="),
    "no root hash": inside("block_id", root_hash=None),
    "a short root hash": inside("block_id", root_hash="AAAA"),
    "a shard's block": inside("block_id", workchain=0),
    "part of the masterchain": inside("block_id", shard="4611686018427387904"),
    "no block": lambda result: result | {"block_id": None},
    "another account": inside("address", account_address=friendly(raw_address(9))),
    "an account that is none": inside("address", account_address="EQ"),
    "no account": lambda result: result | {"address": None},
    "a number": lambda result: result | {"balance": 5},
    "a fraction": lambda result: result | {"balance": "1.5"},
    "negative": lambda result: result | {"balance": "-2"},
    "too much": lambda result: result | {"balance": "9" * 20},
    "far too much": lambda result: result | {"balance": "1" + "0" * 20},
    "no balance": lambda result: {key: value for key, value in result.items() if key != "balance"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_is_not_the_one_asked_for_is_a_failure(ton: TonHarness, chain: SimulatedTon, lie: str) -> None:
    assert read(ton).units == 5_000_000_000_000_000_001
    chain.lie = lambda method, result: LIES[lie](result) if "Address" in method else result
    reading = read(ton)
    assert reading.units is None
    assert reading.failure.startswith("local-ton/")


def test_a_server_without_the_block_is_a_failure_in_its_words(ton: TonHarness, chain: SimulatedTon) -> None:
    block = reader_of(ton).final_block()
    del chain.balances[block.height]
    (reading,) = reader_of(ton).read_balances(block, [held(1)])
    assert "block not found" in reading.failure


@pytest.mark.parametrize(
    "result", [None, [], "x", {}, {"last": None}, {"last": {"seqno": "7"}}, {"last": {"seqno": 0}}]
)
def test_a_newest_block_that_is_none_is_an_error(ton: TonHarness, chain: SimulatedTon, result: Any) -> None:
    chain.lie = lambda method, truth: result
    with pytest.raises(ChainError):
        reader_of(ton).final_block()


@pytest.mark.parametrize("change", [{"gen_utime": None}, {"gen_utime": -1}, {"id": None}, {"id": {}}])
def test_a_malformed_block_is_an_error(ton: TonHarness, chain: SimulatedTon, change: dict[str, Any]) -> None:
    chain.lie = lambda method, result: result | change if method == "getBlockHeader" else result
    with pytest.raises(ChainError):
        reader_of(ton).final_block()


@pytest.mark.parametrize("number", [None, "-239", True, 2**31])
def test_a_server_that_names_no_network_is_an_error(ton: TonHarness, chain: SimulatedTon, number: Any) -> None:
    chain.lie = lambda method, result: result | {"global_id": number} if method == "getBlockHeader" else result
    with pytest.raises(ChainError):
        reader_of(ton).chain()


RAW = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
SPELLED = RAW.replace(":", "%3A")


@pytest.mark.parametrize(
    "text",
    [
        RAW,
        SPELLED,
        RAW.upper(),
        "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id%5FsDs",
        "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs",
        "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id/sDs",
        friendly(RAW, 0x51),
    ],
)
def test_every_spelling_of_an_address_becomes_one(text: str) -> None:
    assert canonical_address(MAIN, text) == SPELLED


def test_an_account_of_the_masterchain_is_spelled_with_its_sign() -> None:
    raw = f"-1:{'3' * 64}"
    assert canonical_address(MAIN, friendly(raw)) == f"-1%3A{'3' * 64}"
    account = AccountId(f"{CHAIN}:-1%3A{'3' * 64}")
    assert canonical_account(account) == account


def test_an_address_for_test_networks_is_refused_elsewhere() -> None:
    assert canonical_address(TEST, friendly(RAW, 0x91)) == SPELLED
    with pytest.raises(IdentifierError, match="test networks only"):
        canonical_address(MAIN, friendly(RAW, 0x91))


def test_any_changed_letter_of_a_friendly_address_is_refused() -> None:
    address = friendly(RAW)
    for place, letter in enumerate(address):
        with pytest.raises(IdentifierError):
            canonical_address(MAIN, address[:place] + ("A" if letter != "A" else "B") + address[place + 1 :])


NO_ADDRESSES = ["", "0:", "0:" + "a" * 63, "1:" + "a" * 64, "0:" + "g" * 64, "E" * 48, "E" * 47, "é" * 48, "%" * 48]


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "0:" + "a" * 300, friendly(RAW, 0x12), RAW + "\n"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(MAIN, text)
