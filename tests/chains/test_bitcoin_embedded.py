"""The embedded chain is a real one: Core's engine refuses what is wrong, and a full node accepts every block of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script
from chains.bitcoin.core import CoreReader
from chains.bitcoin.esplora import EsploraReader
from chains.errors import ChainError, InvalidAnswerError, ProviderError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, ChainId
from chains.jsonrpc import JsonRpc
from chains.model import Holding
from chains.providers import Provider
from tests.live.bitcoind import knots

pytest.importorskip("pbk", reason="the extra bitcoin (py-bitcoinkernel) is not installed")

from chains.embedded.bitcoin_kernel import BlockRefusedError, EmbeddedBitcoin
from chains.embedded.bitcoin_transaction import Input, Key, Output, Transaction, merkle_root, push_number, sign_inputs

COIN = 10**8
START = 1_740_000_000


@pytest.fixture
def chain() -> Iterator[EmbeddedBitcoin]:
    with EmbeddedBitcoin(start_time=START) as embedded:
        yield embedded


def _wallets(chain: EmbeddedBitcoin) -> list[Key]:
    """Thirty wallets, half of them P2PKH, funded in one transaction; one spends some of its coins later."""
    chain.mine(150)
    wallets = [Key.named(f"wallet {number}") for number in range(30)]
    scripts = [key.p2pkh if number % 2 else key.p2wpkh for number, key in enumerate(wallets)]
    chain.pay({script: (number + 1) * COIN for number, script in enumerate(scripts)})
    chain.mine()
    chain.pay({wallets[0].p2wpkh: 5 * COIN}, wallets[29])
    chain.mine()
    return wallets


def test_thirty_wallets_are_funded_and_one_spends_its_reserves(chain: EmbeddedBitcoin) -> None:
    wallets = _wallets(chain)
    assert [chain.balance(key.p2wpkh) + chain.balance(key.p2pkh) for key in wallets] == [
        6 * COIN, *[(number + 1) * COIN for number in range(1, 29)], 25 * COIN,
    ]  # fmt: skip
    assert chain.balance(wallets[29].p2pkh) == 0
    assert sum(coin.output.units for coin in chain.ledger.coins.values()) == (149 * 50 + 3 * 25) * COIN


def test_blocks_have_the_times_that_were_asked_for(chain: EmbeddedBitcoin) -> None:
    chain.mine(2)
    chain.mine(1, time=START + 7200)
    chain.mine(1)
    assert [block.time for block in chain.ledger.blocks[1:]] == [START, START + 600, START + 7200, START + 7800]


def test_the_engine_refuses_what_breaks_consensus_and_the_chain_goes_on(chain: EmbeddedBitcoin) -> None:
    chain.mine(101)
    tip = chain.ledger.tip.hash
    (txid, index), coin = next((place, coin) for place, coin in chain.ledger.coins.items() if coin.height == 1)
    immature = next(place for place, coin in chain.ledger.coins.items() if coin.height == 50)
    stranger = Key.named("stranger")

    def spend(place: tuple[bytes, int], units: int, key: Key) -> Transaction:
        unsigned = Transaction((Input(*place),), (Output(units, stranger.p2wpkh),))
        return sign_inputs(unsigned, [Output(50 * COIN, coin.output.script)], key)

    good = spend((txid, index), 50 * COIN, chain.miner)
    witness = good.inputs[0].witness
    forged = Transaction((good.inputs[0]._replace(witness=(witness[0][:9] + b"\x00" + witness[0][10:], witness[1])),),
                         good.outputs)  # fmt: skip
    refused = [
        [spend((txid, index), 50 * COIN + 1, chain.miner)],
        [spend((bytes(32), 0), COIN, chain.miner)],
        [spend(immature, 50 * COIN, chain.miner)],
        [good, good],
        [forged],
    ]
    for transactions in refused:
        with pytest.raises(BlockRefusedError):
            chain.submit_raw(transactions)
    with pytest.raises(BlockRefusedError):
        chain.submit_raw([], reward=50 * COIN + 1)
    with pytest.raises(BlockRefusedError, match="future"):
        chain.mine(time=2**32 - 1)
    with pytest.raises(BlockRefusedError):
        chain.mine(time=START)
    assert chain.ledger.tip.hash == tip
    chain.submit_raw([good])
    assert chain.balance(stranger.p2wpkh) == 50 * COIN


def test_a_payer_without_coins_is_told_so(chain: EmbeddedBitcoin) -> None:
    chain.mine(100)
    with pytest.raises(ChainError, match="mine more blocks"):
        chain.pay({Key.named("a").p2wpkh: 50 * COIN + 1})
    chain.pay({Key.named("a").p2wpkh: COIN})
    with pytest.raises(ChainError, match="mine more blocks"):
        chain.pay({Key.named("b").p2wpkh: COIN})


def test_a_longer_branch_replaces_the_tip_with_or_without_its_payments(chain: EmbeddedBitcoin) -> None:
    chain.mine(101)
    payee = Key.named("payee").p2wpkh
    chain.pay({payee: COIN})
    (old,) = chain.mine()
    assert old not in {*chain.reorganise(), *(block.hash for block in chain.ledger.blocks)}
    assert chain.balance(payee) == COIN
    chain.pay({payee: COIN})
    chain.mine()
    chain.reorganise(keep_transactions=False)
    assert chain.balance(payee) == COIN


def test_both_faces_are_read_by_the_ordinary_readers(chain: EmbeddedBitcoin) -> None:
    wallets = _wallets(chain)
    network = chain.network
    holdings = [
        Holding(AccountId(f"{network.chain}:{address_of_script(network, script)}"), AssetId(network.native_asset))
        for key in wallets
        for script in (key.p2wpkh, key.p2pkh)
    ]
    expected = [chain.balance(script) for key in wallets for script in (key.p2wpkh, key.p2pkh)]
    with chain.server() as server:
        for reader_class, dialect in ((CoreReader, "bitcoin-core"), (EsploraReader, "esplora")):
            provider = Provider("embedded", ChainId(network.chain), dialect, (), server.url)
            reader = reader_class(network, provider, HttpTransport(Limits(tries=1)))
            block = reader.final_block()
            assert reader.chain() == network.chain
            assert (block.height, block.time) == (152, START + 151 * 600)
            assert [reading.units for reading in reader.read_balances(block, holdings)] == expected


def test_the_face_refuses_what_a_node_refuses(chain: EmbeddedBitcoin) -> None:
    with chain.server() as server:
        provider = Provider("embedded", ChainId(chain.network.chain), "bitcoin-core", (), server.url)
        rpc = JsonRpc(HttpTransport(Limits(tries=1)), provider)
        for method, parameters in [
            ("getblockhash", [1]),
            ("getblockhash", [-1]),
            ("getblockheader", ["ab" * 32]),
            ("scantxoutset", ["start", ["addr(1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH)"]]),
            ("scantxoutset", ["start", ["pkh(00)"]]),
            ("scantxoutset", ["start", ["raw(0)"]]),
            ("stop", []),
        ]:
            with pytest.raises((ProviderError, InvalidAnswerError)):
                rpc.call(method, *parameters)
        assert rpc.call("scantxoutset", "status").result is None


@settings(max_examples=200)
@given(st.integers(1, 2**31 - 1))
def test_pushed_heights_are_scripts_shortest_numbers(number: int) -> None:
    pushed = push_number(number)
    if number <= 16:
        assert pushed == bytes([0x50 + number])
    else:
        assert (pushed[0], int.from_bytes(pushed[1:], "little", signed=True)) == (len(pushed) - 1, number)
        assert len(pushed) == 2 or pushed[-1] or pushed[-2] & 0x80


def test_the_merkle_root_pairs_an_odd_last_node_with_itself() -> None:
    leaves = [bytes([number]) * 32 for number in range(3)]
    assert merkle_root(leaves) == merkle_root([*leaves, leaves[2]])
    assert merkle_root(leaves[:1]) == leaves[0]


@pytest.mark.real_bitcoind
def test_knots_accepts_every_block_and_counts_the_same_coins(chain: EmbeddedBitcoin) -> None:
    wallets = _wallets(chain)
    chain.reorganise()
    with knots() as node:
        for block in chain.ledger.blocks[1:]:
            assert node.call("submitblock", block.serialize().hex()) is None
        assert node.call("getbestblockhash") == chain.ledger.tip.hash
        assert node.call("getblockheader", chain.ledger.tip.hash)["mediantime"] == _mediantime(chain)
        assert node.call("gettxoutsetinfo")["txouts"] == len(chain.ledger.coins)
        for key in wallets:
            for script in (key.p2wpkh, key.p2pkh):
                scan = node.call("scantxoutset", "start", [f"raw({script.hex()})"])
                assert int(scan["total_amount"].scaleb(8)) == chain.balance(script)


def _mediantime(chain: EmbeddedBitcoin) -> object:
    with chain.server() as server:
        provider = Provider("embedded", ChainId(chain.network.chain), "bitcoin-core", (), server.url)
        rpc = JsonRpc(HttpTransport(Limits(tries=1)), provider)
        return rpc.call("getblockheader", chain.ledger.tip.hash).result["mediantime"]
