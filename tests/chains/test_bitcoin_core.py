"""A full node's scan is read exactly, or not at all: never rounded, never doubled, never zero by mistake."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script, script_of
from chains.bitcoin.core import SCAN_SIZE, CoreReader
from chains.errors import InvalidAnswerError, ProviderError
from chains.http import HttpTransport
from chains.ids import AccountId, AssetId, ChainId, chain_id
from chains.model import Balance, Holding, Reading, UnspentOutput
from chains.network import Network, network_of
from chains.providers import Provider
from chains.quorum import agree_on_balance
from tests.chains.simulated_node import SimulatedNode, block_hash
from tests.live.bitcoind import NodeHarness, knots, knots_harness

BITCOIN = network_of(chain_id("bip122:000000000019d6689c085ae165831e93"))
REGTEST = network_of(chain_id("bip122:0f9188f13cb7b2c71f2a335e3a4fc328"))
RICH, POOR = (b"\x00\x14" + bytes([number]) * 20 for number in (1, 2))
TXID = "aa" * 32
MAX_MONEY = 2_100_000_000_000_000


def holding(script: bytes, network: Network = BITCOIN) -> Holding:
    return Holding(AccountId(f"{network.chain}:{address_of_script(network, script)}"), AssetId(network.native_asset))


def open_core(node: SimulatedNode, network: Network = BITCOIN) -> CoreReader:
    return CoreReader(network, Provider("simulated", ChainId(network.chain), "bitcoin-core"), node)


def read(node: SimulatedNode, *scripts: bytes) -> list[Reading]:
    reader = open_core(node)
    return list(reader.read_balances(reader.final_block(), [holding(script) for script in scripts]))


def coin(amount: str, index: int = 0, script: bytes = RICH, height: int = 100) -> tuple[str, int, str, str, int]:
    return (TXID, index, script.hex(), amount, height)


def test_coins_add_up_by_script_and_an_absent_address_is_zero_with_evidence() -> None:
    rich, poor = read(SimulatedNode(coins=[coin("0.10000000"), coin("20999999.89999999", 1)]), RICH, POOR)
    assert (rich.units, poor.units) == (2_099_999_999_999_999, 0)
    assert rich.evidence == poor.evidence
    assert len(poor.evidence[0]) == 64
    assert rich.coins is not None and poor.coins == ()
    assert [(one.outpoint, one.units, one.height) for one in rich.coins] == [
        (f"{TXID}:0", 10_000_000, 100),
        (f"{TXID}:1", 2_099_999_989_999_999, 100),
    ]


def test_coins_that_sources_list_differently_are_nobodys() -> None:
    block = open_core(SimulatedNode()).final_block()
    coins = (UnspentOutput("aa:0", 5, 100, True), UnspentOutput("aa:1", 6, 101, False))
    bare = tuple(one._replace(coinbase=None) for one in coins)
    other = (coins[0], coins[1]._replace(height=102))

    def agreed(*listed: tuple[UnspentOutput, ...] | None) -> tuple[UnspentOutput, ...] | None:
        answers = [
            Reading(holding(RICH), f"operator-{n}", block, 11, ("call",), coins=one) for n, one in enumerate(listed)
        ]
        found = agree_on_balance(holding(RICH), block, answers, 1)
        assert isinstance(found, Balance) and found.units == 11
        return found.coins

    assert agreed(None, bare, coins, None) == coins
    assert agreed(coins, other) is None
    assert agreed(None, None) is None


@given(st.integers(0, MAX_MONEY))
def test_every_amount_is_read_to_the_last_unit(units: int) -> None:
    text = f"{units // 10**8}.{units % 10**8:08d}"
    node = SimulatedNode(coins=[coin(text)])
    node.lie = lambda answer: answer[: answer.rindex('"total_amount"')] + f'"total_amount": {text}}}'
    assert read(node, RICH)[0].units == units


@pytest.mark.parametrize(
    "amount",
    ["-0.00000001", "-0.0", "0.000000001", "21000000.00000001", "1e999999999", "1e-999999999", "1" * 300, '"1.0"',
     "true", "null", "[]", "1E+2", "0.1000000000000000000000000000000000000000000000001"],
)  # fmt: skip
def test_an_amount_no_node_can_print_is_refused(amount: str) -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    node.lie = lambda answer: answer.replace('"amount": 1.00000000', f'"amount": {amount}')
    with pytest.raises(InvalidAnswerError, match=r"the amount of|has an exponent beyond"):
        read(node, RICH)


@pytest.mark.parametrize(
    "fields",
    [
        {"txid": "AA" * 32}, {"txid": "aa"}, {"txid": None}, {"vout": -1}, {"vout": 2**32}, {"vout": True},
        {"scriptPubKey": POOR.hex()[:-2] + "07"}, {"scriptPubKey": None}, {"scriptPubKey": [1]},
        {"height": 121}, {"height": -1}, {"height": "5"},
        {"unspents": None}, {"unspents": {}}, {"unspents": [None]}, {"unspents": []}, {"total_amount": None},
        {"total_amount": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_scan_that_contradicts_itself_is_refused(fields: dict[str, object]) -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    assert read(node, RICH)[0].units == 10**8
    node.lie = lambda text: _scan_field(text, fields)
    with pytest.raises(InvalidAnswerError):
        read(node, RICH)


def _scan_field(text: str, fields: dict[str, object]) -> str:
    scan = json.loads(text, parse_float=Decimal)
    for name, value in fields.items():
        target = scan if name in ("unspents", "total_amount") else scan["unspents"][0]
        target[name] = value
    return json.dumps(scan, default=float)


def test_a_coin_listed_twice_is_refused() -> None:
    with pytest.raises(InvalidAnswerError, match="listed twice"):
        read(SimulatedNode(coins=[coin("1.00000000"), coin("1.00000000")]), RICH)


def test_more_coins_than_there_can_be_are_refused() -> None:
    coins = [coin("20000000.00000000", index) for index in range(2)]
    with pytest.raises(InvalidAnswerError, match="add up"):
        read(SimulatedNode(coins=coins), RICH)


@pytest.mark.parametrize("result", ["null", "[]", "7", '"x"'])
def test_a_scan_that_is_no_record_is_refused(result: str) -> None:
    node = SimulatedNode()
    node.lie = lambda _: result
    with pytest.raises(InvalidAnswerError):
        read(node, RICH)


def test_a_scan_of_another_block_is_a_failure_and_says_so() -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    reader = open_core(node)
    pinned = reader.final_block()
    node.tip += 1
    (reading,) = reader.read_balances(pinned, [holding(RICH)])
    assert (reading.units, reading.failure[:14]) == (None, "the tip moved:")
    node.tip, node.branch = pinned.height, 1
    (reading,) = reader.read_balances(pinned, [holding(RICH)])
    assert reading.units is None
    assert reading.evidence


@pytest.mark.parametrize("success", [False, None, "true", 1])
def test_an_unfinished_scan_is_never_read_as_zero(success: object) -> None:
    node = SimulatedNode()
    node.lie = lambda text: text.replace('"success": true', f'"success": {json.dumps(success)}')
    assert [reading.units for reading in read(node, RICH, POOR)] == [None, None]


def test_a_node_that_is_busy_with_another_scan_is_waited_for() -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    node.busy = 3
    (reading,) = read(node, RICH)
    assert (reading.units, node.waited) == (10**8, [0.25, 0.5, 1.0])


def test_another_error_with_the_same_code_is_not_waited_for() -> None:
    node = SimulatedNode()
    node.error = {"code": -8, "message": "Scanobject argument is required"}
    (reading,) = read(node, RICH)
    assert (reading.units, node.waited) == (None, [])


def test_a_scan_in_progress_for_minutes_is_a_failure_with_evidence() -> None:
    node = SimulatedNode()
    node.busy = 1_000
    (reading,) = read(node, RICH)
    assert 100 < sum(node.waited) < 600
    assert reading.units is None
    assert "Scan already in progress" in reading.failure
    assert "(code -8)" in reading.failure
    assert reading.evidence


def test_what_is_not_the_native_coin_of_this_chain_is_a_failure_and_spoils_no_other() -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    reader = open_core(node)
    good = holding(RICH)
    wrong = [
        good._replace(asset=AssetId("eip155:1/slip44:60")),
        good._replace(account=AccountId(good.account.replace("bip122:0", "bip122:1"))),
        good._replace(account=AccountId(good.account[:-1] + "x")),
        holding(RICH, REGTEST)._replace(asset=good.asset),
    ]
    readings = reader.read_balances(reader.final_block(), [*wrong, good])
    assert [reading.units for reading in readings] == [None, None, None, None, 10**8]
    assert all(reading.failure for reading in readings[:4])


def test_nothing_to_ask_asks_nothing() -> None:
    node = SimulatedNode()
    assert read(node) == []
    assert node.scans == []


def test_an_address_in_capitals_is_the_same_address() -> None:
    node = SimulatedNode(coins=[coin("1.00000000")])
    reader = open_core(node)
    chain, _, address = holding(RICH).account.rpartition(":")
    both = [holding(RICH), holding(RICH)._replace(account=AccountId(f"{chain}:{address.upper()}"))]
    assert [reading.units for reading in reader.read_balances(reader.final_block(), both)] == [10**8, 10**8]
    assert node.scans == [[f"addr({address})"]]


def test_many_addresses_are_scanned_in_parts() -> None:
    node = SimulatedNode()
    scripts = [b"\x00\x14" + number.to_bytes(20, "big") for number in range(SCAN_SIZE + 1)]
    assert {reading.units for reading in read(node, *scripts)} == {0}
    assert [len(scan) for scan in node.scans] == [SCAN_SIZE, 1]


def test_a_block_is_the_one_whose_header_hashes_to_its_name() -> None:
    node = SimulatedNode()
    block = open_core(node).block_at(7)
    assert (block.height, block.hash, block.time) == (7, block_hash(7), 1_700_000_000 + 4200)
    node._getblockheader = lambda name, verbose: "00" * 80  # type: ignore[method-assign]
    with pytest.raises(InvalidAnswerError, match="hashes to"):
        open_core(node).block_at(7)
    node._getblockheader = lambda name, verbose: "zz"  # type: ignore[method-assign]
    with pytest.raises(InvalidAnswerError, match="hexadecimal"):
        open_core(node).block_at(7)


def test_a_node_that_still_downloads_the_chain_has_no_final_block() -> None:
    node = SimulatedNode()
    node.downloading = True
    with pytest.raises(ProviderError, match="still downloading"):
        open_core(node).final_block()
    assert open_core(node, REGTEST).final_block().height == node.tip


@pytest.fixture(scope="module")
def chain() -> Iterator[NodeHarness]:
    with knots_harness() as harness:
        yield harness


@pytest.mark.real_bitcoind
def test_knots_coinbases_that_cannot_be_spent_yet_are_coins_all_the_same(chain: NodeHarness) -> None:
    key_script = b"\x00\x14" + b"\x09" * 20
    address = address_of_script(chain.network, key_script)
    chain.node.call("generatetoaddress", 2, address)
    reader = CoreReader(chain.network, chain.provider, HttpTransport())
    (reading,) = reader.read_balances(reader.final_block(), [holding(key_script, chain.network)])
    assert reading.units == 100 * 10**8


@pytest.mark.real_bitcoind
def test_knots_spent_coins_are_gone_and_ten_thousand_addresses_are_one_scan(chain: NodeHarness) -> None:
    reader = CoreReader(chain.network, chain.provider, HttpTransport())
    account = chain.fund(70_000_000)
    chain.node.call("sendtoaddress", chain.empty().rpartition(":")[2], "0.5", wallet="holders")
    chain.advance()
    strangers = [holding(b"\x00\x14" + number.to_bytes(20, "big"), chain.network) for number in range(SCAN_SIZE - 1)]
    readings = reader.read_balances(
        reader.final_block(), [Holding(account, AssetId(chain.network.native_asset)), *strangers]
    )
    assert {reading.units for reading in readings} == {0}
    assert len({reading.evidence for reading in readings}) == 1


@pytest.mark.real_bitcoind
def test_knots_refuses_unknown_blocks_and_foreign_chains_differ(chain: NodeHarness) -> None:
    reader = CoreReader(chain.network, chain.provider, HttpTransport())
    with pytest.raises(ProviderError, match="out of range"):
        reader.block_at(10**6)
    assert reader.chain() == REGTEST.chain != BITCOIN.chain


@pytest.mark.real_bitcoind
def test_every_kind_of_script_is_the_one_knots_pays_to() -> None:
    with knots() as node:
        for kind in ("legacy", "p2sh-segwit", "bech32", "bech32m"):
            address = node.call("getnewaddress", "", kind, wallet="holders")
            script = script_of(REGTEST, address)
            assert script.hex() == node.call("validateaddress", address)["scriptPubKey"]
            assert address_of_script(REGTEST, script) == address
