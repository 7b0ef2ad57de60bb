"""Snapshots by real nodes: every script's coins are the node's own count, and the hashes are the node's."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chains.bitcoin.address import script_of
from chains.bitcoin.utxo.compressed_script import pack_compact_size
from chains.bitcoin.utxo.scan import Engine, ScanResult, scan
from chains.bitcoin.utxo.snapshot import open_snapshot
from chains.embedded.bitcoin_transaction import Key
from tests.live.bitcoind import BLOCKS_TO_MATURITY, Node, knots, litecoind

ENGINES: tuple[Engine, ...] = ("plain", "fast")
KEYS = [Key(bytes([number]) * 32).public.hex() for number in (1, 2)]
LITECOIN_MONEY = 84_000_000 * 10**8
OUTPUTS = 16_600  # above 16,512 the node's keys are no longer in the order of the output indices
PAID = b"\x00\x14" + b"\x77" * 20
# the generator of secp256k1, whole
UNCOMPRESSED = (
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)


def descriptors() -> list[str]:
    """Return one of every kind of script, and of some kinds with both signs of a key."""
    first, second = KEYS
    kinds = [f"{kind}({key})" for kind in ("pk", "pkh", "wpkh") for key in KEYS]
    return [
        *kinds, f"pk({UNCOMPRESSED})", f"sh(wpkh({first}))", f"multi(1,{first},{second})", f"tr({first[2:]})",
        f"sh(multi(2,{first},{second}))", f"wsh(multi(2,{first},{second}))", "raw(51)", "raw(52ba)",
    ]  # fmt: skip


def pay_many(node: Node) -> str:
    """Mine a transaction with so many outputs that their order in the file is not that of their indices."""
    coin = node.call("listunspent", wallet="miner")[0]
    output = (20_000).to_bytes(8, "little") + bytes([len(PAID)]) + PAID
    raw = b"\x02\x00\x00\x00\x01" + bytes.fromhex(coin["txid"])[::-1] + coin["vout"].to_bytes(4, "little") + b"\x00"
    raw += b"\xff" * 4 + pack_compact_size(OUTPUTS) + output * OUTPUTS + bytes(4)
    signed = node.call("signrawtransactionwithwallet", raw.hex(), wallet="miner")["hex"]
    node.call("generateblock", node.call("getnewaddress", wallet="miner"), [signed])
    found: str = node.call("decoderawtransaction", signed)["txid"]
    return found


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with knots() as running:
        running.mine(BLOCKS_TO_MATURITY + 30)
        for descriptor in descriptors():
            running.call("generatetodescriptor", 2, running.call("getdescriptorinfo", descriptor)["descriptor"])
        for kind in ("legacy", "p2sh-segwit", "bech32", "bech32m") * 10:
            address = running.call("getnewaddress", "", kind, wallet="holders")
            running.call("sendmany", "", {address: 0.125}, wallet="miner")
            running.call("send", [{"data": "00ff"}], wallet="miner")
            running.mine()
        yield running


def holders(node: Node) -> list[bytes]:
    coins = node.call("listunspent", 0, wallet="holders")
    return [script_of(node.network, coin["address"]) for coin in coins]


def scripts_of(node: Node) -> list[bytes]:
    """Return the descriptors' scripts as the node derives them."""
    found = []
    for descriptor in descriptors():
        with_sum = node.call("getdescriptorinfo", descriptor)["descriptor"]
        coins = node.call("scantxoutset", "start", [with_sum])["unspents"]
        found.append(bytes.fromhex(coins[0]["scriptPubKey"]))
    return found


def dump(node: Node, path: Path, *arguments: Any) -> dict[str, Any]:
    about: dict[str, Any] = node.call("dumptxoutset", str(path), *arguments)
    return about


def agree(node: Node, result: ScanResult) -> None:
    """Compare every script's coins with what the node finds for it."""
    for script, held in result.scripts.items():
        said = node.call("scantxoutset", "start", [f"raw({script.hex()})"])
        expected = {(coin["txid"], coin["vout"]): coin for coin in said["unspents"]}
        assert {coin[:2] for coin in held.coins} == set(expected)
        for coin in held.coins:
            known = expected[coin[:2]]
            assert coin.height == known["height"]
            assert coin.coinbase == known.get("coinbase", coin.coinbase)  # Litecoin's node does not say
        assert held.units == int(Decimal(said["total_amount"]).scaleb(8))


@pytest.mark.real_bitcoind
@pytest.mark.parametrize("engine", ENGINES)
def test_knots_counts_the_same_coins_for_every_script_and_has_the_same_hashes(
    node: Node, tmp_path: Path, engine: Engine
) -> None:
    about = dump(node, tmp_path / "utxo.dat", "latest")
    snapshot = open_snapshot(tmp_path / "utxo.dat")
    assert (snapshot.base_hash, snapshot.coin_count) == (about["base_hash"], about["coins_written"])
    wanted = [*scripts_of(node), *holders(node), b"\x6a\x02\x00\xff", b"\x00\x14" + bytes(20)]
    result = scan(snapshot, wanted, workers=2, hash_serialized=True, muhash=True, engine=engine)
    said = node.call("gettxoutsetinfo", "muhash")
    assert (result.coin_count, result.total_units) == (said["txouts"], int(said["total_amount"].scaleb(8)))
    assert result.hash_serialized == about["txoutset_hash"]
    assert result.hash_serialized == node.call("gettxoutsetinfo", "hash_serialized_3")["hash_serialized_3"]
    assert result.muhash == said["muhash"]
    agree(node, result)
    assert all(held.units for held in list(result.scripts.values())[:-2])
    assert [held.units for held in list(result.scripts.values())[-2:]] == [0, 0]


@pytest.mark.real_bitcoind
@pytest.mark.parametrize("engine", ENGINES)
def test_knots_set_of_a_past_block_is_the_one_it_had_then(node: Node, tmp_path: Path, engine: Engine) -> None:
    script = scripts_of(node)[0]
    height = node.call("getblockcount")
    then = node.call("scantxoutset", "start", [f"raw({script.hex()})"])["total_amount"]
    past = node.call("gettxoutsetinfo", "muhash")
    node.call("generatetodescriptor", 3, node.call("getdescriptorinfo", descriptors()[0])["descriptor"])
    dump(node, tmp_path / "past.dat", "rollback", {"rollback": height, "in_memory": True})
    snapshot = open_snapshot(tmp_path / "past.dat")
    assert snapshot.base_hash == past["bestblock"] != node.call("getbestblockhash")
    result = scan(snapshot, [script], muhash=True, hash_serialized=True, engine=engine)
    assert result.muhash == past["muhash"]
    assert result.scripts[script].units == int(then.scaleb(8))


@pytest.mark.real_bitcoind
@pytest.mark.parametrize("engine", ENGINES)
def test_knots_hashes_a_transaction_of_many_outputs_in_another_order_than_it_writes(
    node: Node, tmp_path: Path, engine: Engine
) -> None:
    name = pay_many(node)
    dump(node, tmp_path / "utxo.dat", "latest")
    result = scan(open_snapshot(tmp_path / "utxo.dat"), [PAID], hash_serialized=True, engine=engine)
    coins = [coin for coin in result.scripts[PAID].coins if coin.txid == name]
    indices = [coin.vout for coin in coins]
    assert sorted(indices) == list(range(OUTPUTS)) != indices
    assert result.hash_serialized == node.call("gettxoutsetinfo", "hash_serialized_3")["hash_serialized_3"]


@pytest.mark.real_litecoind
def test_litecoinds_older_snapshot_is_read_and_has_its_older_hash(tmp_path: Path) -> None:
    with litecoind() as node:
        node.mine(BLOCKS_TO_MATURITY + 20)
        for kind in ("legacy", "p2sh-segwit", "bech32") * 5:
            address = node.call("getnewaddress", "", kind, wallet="holders")
            node.call("sendtoaddress", address, "0.125", wallet="miner")
            node.mine()
        many = [node.call("getnewaddress", "", "legacy", wallet="holders") for _ in range(30)]
        node.call("sendmany", "", dict.fromkeys(many, 0.25), wallet="miner")
        node.mine()
        dump(node, tmp_path / "utxo.dat")
        snapshot = open_snapshot(tmp_path / "utxo.dat")
        said = node.call("gettxoutsetinfo")
        for engine in ENGINES:
            result = scan(snapshot, holders(node), max_units=LITECOIN_MONEY, hash_serialized=True, engine=engine)
            assert snapshot.base_hash == said["bestblock"]
            assert result.hash_serialized == said["hash_serialized_2"]
            assert (result.coin_count, result.total_units) == (said["txouts"], int(said["total_amount"].scaleb(8)))
        assert sum(held.units for held in result.scripts.values()) == 15 * 12_500_000 + 30 * 25_000_000
        agree(node, result)
