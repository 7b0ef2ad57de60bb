"""A plan is paid out on real chains: claims from a published contract, a Safe's transactions, signed PSBTs."""

import base64
import csv
import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from btclib import base58

from chains.bitcoin.address import script_of
from chains.bitcoin.unsigned_psbt import SpentOutput, input_weight
from chains.embedded.bitcoin_transaction import Key
from chains.evm.abi import balance_of
from chains.ids import AssetId, account_id
from tests.live.anvil import AnvilHarness
from tests.live.anvil import harness as anvil_harness
from tests.live.bitcoind import BITCOIN_TYPES, Node, NodeHarness, knots_harness
from tests.live.real_sides import AnvilSide, KnotsSide
from tests.live.require import nodes_home
from tests.live.safe_wallet import FIRST, SECOND, SafeFactory, artifact, call_data
from tests.verifier.payouts import HACK, evm_address, make_plan, told, write_addresses
from verifier.compensation.payments import bitcoin_batches
from verifier.compensation.payments.bitcoin_source import Source
from verifier.compensation.payments.payees import Payees, Payment
from verifier.demo.chain_side import ChainSide
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.inclusion.amounts import parse_amount
from verifier.inclusion.commitment import TreeAsset
from verifier.run import collect

AS_OF = "2026-11-22T00:00:00Z"
USERS = 40
HOW = "run `python tests/live/install_distributor.py`"
WIF_TESTNET, COMPRESSED = b"\xef", b"\x01"
CLAIM = "claim(uint256,address,uint256,bytes32[])"


class Played(NamedTuple):
    """An exchange on one real chain, its run, and the plan after a theft."""

    exchange: PlayedExchange
    run: Path
    plan: Path

    def owed(self, symbol: str, decimals: int) -> dict[str, int]:
        with (self.plan / "payouts.csv").open(newline="") as file:
            amounts = {row["account"]: parse_amount(row[symbol], decimals) for row in csv.DictReader(file)}
        return {leaf: units for leaf, units in amounts.items() if units}


def play(folder: Path, name: str, side: ChainSide, symbols: Mapping[AssetId, tuple[str, int]]) -> Played:
    exchange = PlayedExchange.open({name: side}, symbols, USERS, AS_OF)
    declaration = exchange.publish(folder / "in", price_records_of(exchange))
    inputs = declaration.parent
    collect(declaration, exchange.providers(), folder / "run", inputs / "liabilities", inputs / "prices.json")
    return Played(exchange, folder / "run", make_plan(folder, folder / "run", **HACK))


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilHarness]:
    with anvil_harness() as harness:
        yield harness


@pytest.fixture(scope="module")
def on_anvil(anvil: AnvilHarness, tmp_path_factory: pytest.TempPathFactory) -> Played:
    side = AnvilSide(anvil)
    eth, token = side.assets()
    return play(tmp_path_factory.mktemp("anvil"), "ethereum", side, {eth: ("ETH", 18), token: ("USDD", 6)})


@pytest.fixture
def knots() -> Iterator[NodeHarness]:
    with knots_harness() as harness:
        harness.node.mine(10)
        yield harness


def distributor_code() -> bytes:
    path = nodes_home() / "distributor" / "MerkleDistributor.json"
    if not path.exists():
        reason = f"MerkleDistributor is not installed; {HOW}"
        if os.environ.get("POR_REQUIRE_NODES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return bytes.fromhex(json.loads(path.read_text("utf-8"))["bytecode"].removeprefix("0x"))


class Chain:
    """What a holder of keys does on anvil."""

    def __init__(self, harness: AnvilHarness) -> None:
        self.anvil, self.token = harness.anvil, harness.token_address

    def tokens(self, address: str) -> int:
        call = {"to": self.token, "data": "0x" + balance_of(address).hex()}
        return int(self.anvil.rpc("eth_call", call, "latest"), 16)

    def coins(self, address: str) -> int:
        return int(self.anvil.rpc("eth_getBalance", address, "latest"), 16)

    def send_as(self, sender: str, to: str, data: bytes = b"", value: int = 0) -> bool:
        """Send as the holder of an address would; say whether the transaction succeeded."""
        self.anvil.rpc("anvil_impersonateAccount", sender)
        if not data:
            self.anvil.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        else:
            self.anvil.rpc("anvil_setBalance", sender, hex(10**18))
        sent = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value), "gas": hex(1_000_000)}
        found = self.anvil.rpc("eth_sendTransaction", sent | ({} if data else {"gasPrice": "0x0"}))
        self.anvil.rpc("evm_mine")
        return bool(self.anvil.rpc("eth_getTransactionReceipt", found)["status"] == "0x1")


def claim_data(claim: Mapping[str, Any], address: str, **change: Any) -> bytes:
    told = {**claim, **change}
    proof = [bytes.fromhex(node[2:]) for node in told["proof"]]
    return call_data(CLAIM, told["index"], address, int(told["amount"], 16), proof)


@pytest.mark.real_anvil
def test_users_claim_once_from_the_published_contract_and_nobody_else_gets_anything(
    anvil: AnvilHarness, on_anvil: Played, tmp_path: Path
) -> None:
    chain, owed = Chain(anvil), on_anvil.owed("USDD", 6)
    table = write_addresses(tmp_path / "addresses.csv", {leaf: evm_address(leaf) for leaf in owed})
    out = tmp_path / "distributor.json"
    made = told(*("payout", "distributor", on_anvil.plan, "--asset", anvil.token(), "--addresses", table, "--out", out))
    # 1. The contract is deployed with the root, and funded from the reserve wallet
    root = bytes.fromhex(made["merkleRoot"][2:])
    contract = anvil.anvil.deploy(distributor_code() + bytes(12) + bytes.fromhex(chain.token[2:]) + root)
    assert (
        anvil.anvil.rpc("eth_call", {"to": contract, "data": "0x" + call_data("merkleRoot()").hex()}, "latest")
        == (made["merkleRoot"])
    )
    reserve = on_anvil.exchange.wallet("ethereum reserve fund").address
    total = int(made["tokenTotal"], 16)
    assert chain.send_as(reserve, chain.token, call_data("transfer(address,uint256)", contract, total))
    assert chain.tokens(contract) == total == sum(owed.values())
    # 2. Two users claim with their proofs
    claims = json.loads(out.read_bytes())["claims"]
    first, second, third, *_ = owed
    for leaf in (first, second):
        user = evm_address(leaf)
        claim = next(one for name, one in claims.items() if name.lower() == user)
        assert chain.send_as(user, contract, claim_data(claim, user))
        assert chain.tokens(user) == owed[leaf]
        # 3. Not twice
        assert not chain.send_as(user, contract, claim_data(claim, user))
        assert chain.tokens(user) == owed[leaf]
    # 4. Not more, not with another's proof, not for a stranger; and the true claim still pays
    user, stranger = evm_address(third), evm_address("stranger")
    claim = next(one for name, one in claims.items() if name.lower() == user)
    other = next(one for name, one in claims.items() if name.lower() == evm_address(first))
    assert not chain.send_as(user, contract, claim_data(claim, user, amount=hex(owed[third] + 1)))
    assert not chain.send_as(user, contract, claim_data(claim, user, proof=other["proof"]))
    assert not chain.send_as(stranger, contract, claim_data(claim, stranger))
    assert (chain.tokens(user), chain.tokens(stranger)) == (0, 0)
    assert chain.send_as(user, contract, claim_data(claim, user))
    assert chain.tokens(contract) == total - owed[first] - owed[second] - owed[third]


@pytest.mark.real_anvil
@pytest.mark.parametrize("symbol", ["USDD", "ETH"])
def test_a_safe_pays_everybody_in_batches_that_its_owners_sign(
    symbol: str, anvil: AnvilHarness, on_anvil: Played, tmp_path: Path
) -> None:
    chain, factory = Chain(anvil), SafeFactory(anvil.anvil, "1.4.1")
    wallet = factory.create([FIRST, SECOND], 2)
    multi_send = anvil.anvil.deploy(bytes.fromhex(artifact("1.4.1", "MultiSendCallOnly")["bytecode"][2:]))
    asset, decimals = (anvil.token(), 6) if symbol == "USDD" else (anvil.network.native_asset, 18)
    owed = on_anvil.owed(symbol, decimals)
    payee = {leaf: evm_address(f"{symbol} {leaf}") for leaf in owed}
    table = write_addresses(tmp_path / "addresses.csv", payee)
    out, size = tmp_path / "safe.json", 7
    more = ("--multisend", multi_send, "--batch-size", size)
    made = told(
        *("payout", "batch", on_anvil.plan, "--asset", asset, "--addresses", table, "--format", "safe", "--out", out),
        *more,
    )
    # 1. The reserve wallet funds the Safe with exactly what it is to pay
    reserve, total = on_anvil.exchange.wallet("ethereum reserve fund").address, int(made["units"])
    if symbol == "USDD":
        assert chain.send_as(reserve, chain.token, call_data("transfer(address,uint256)", wallet.address, total))
    else:
        anvil.anvil.send(to=wallet.address, value=hex(total))
    # 2. The owners sign and execute batch after batch
    record = json.loads(out.read_bytes())
    assert len(record["batches"]) == -(-len(owed) // size) > 1
    for batch in record["batches"]:
        signed = batch["transaction"]
        assert (signed["value"], signed["nonce"]) == ("0", None)
        wallet.execute([FIRST, SECOND], bytes.fromhex(signed["data"][2:]), signed["to"].lower(), signed["operation"])
    # 3. Everybody has exactly what the plan says, and the Safe nothing
    balance = chain.tokens if symbol == "USDD" else chain.coins
    assert {leaf: balance(address) for leaf, address in payee.items()} == owed
    assert balance(wallet.address) == 0
    assert sum(int(one["units"]) for one in record["batches"]) == total == sum(owed.values())


def signer(node: Node, secret: bytes) -> str:
    """Give the node a wallet with one key, as the wallet's owner has it, and return the wallet's name."""
    name = f"owner of {Key(secret).p2wpkh.hex()}"
    node.call("createwallet", name, False, True)
    checked = node.call("getdescriptorinfo", f"wpkh({base58.encode(WIF_TESTNET + secret + COMPRESSED).decode()})")
    text = f"wpkh({base58.encode(WIF_TESTNET + secret + COMPRESSED).decode()})#{checked['checksum']}"
    (imported,) = node.call("importdescriptors", [{"desc": text, "timestamp": 0}], wallet=name)
    assert imported["success"], imported
    return name


def send_signed(node: Node, content: bytes, wallet: str) -> dict[str, Any]:
    """Have a wallet sign a PSBT, finalise it, send and mine it; return the transaction."""
    signed = node.call("walletprocesspsbt", base64.b64encode(content).decode(), wallet=wallet)
    assert signed["complete"], signed
    raw = node.call("finalizepsbt", signed["psbt"])["hex"]
    node.call("sendrawtransaction", raw)
    node.mine()
    return dict(node.call("decoderawtransaction", raw))


def paid_in(transaction: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for output in transaction["vout"]:
        address = output["scriptPubKey"]["address"]
        found[address] = found.get(address, 0) + int(Decimal(output["value"]).scaleb(8))
    return found


@pytest.mark.real_bitcoind
@pytest.mark.parametrize("most", [bitcoin_batches.MAX_WEIGHT, 1_700])
def test_knots_signs_the_psbts_and_everybody_gets_exactly_what_the_plan_says(
    most: int, knots: NodeHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bitcoin_batches, "MAX_WEIGHT", most)
    side = KnotsSide(knots)
    played = play(tmp_path, "bitcoin", side, {side.assets()[0]: ("BTC", 8)})
    owed = played.owed("BTC", 8)
    payee = {
        leaf: knots.node.call("getnewaddress", "", BITCOIN_TYPES[number % 4], wallet="holders")
        for number, leaf in enumerate(owed)
    }
    table = write_addresses(tmp_path / "addresses.csv", payee)
    wallet = played.exchange.wallet("bitcoin reserve fund")
    made = told(
        *("payout", "batch", played.plan, "--asset", side.assets()[0], "--addresses", table, "--format", "psbt"),
        *("--bundle", played.run, "--from", f"{knots.network.chain}:{wallet.address}", "--fee-rate", "12.5"),
        *("--out", tmp_path / "pay.psbt"),
    )
    assert len(made["transactions"]) == len(made["files"])
    assert (len(made["files"]) > 2) is (most == 1_700)
    name, received, before = signer(knots.node, wallet.secret), dict[str, int](), 0
    for number, one in enumerate(made["transactions"]):
        # every transaction but the first spends the change of the one before: the wallet has one coin
        assert one["after"] == (number or None)
        transaction = send_signed(knots.node, Path(one["file"]).read_bytes(), name)
        assert transaction["txid"] == one["txid"]
        size = transaction["vsize"]
        assert one["virtual_bytes"] - len(one["inputs"]) <= size <= one["virtual_bytes"]
        assert int(one["fee"]) == ceil(Fraction("12.5") * one["virtual_bytes"])
        change = paid_in(transaction).pop(wallet.address)
        assert change == int(one["change"])
        before = before or int(one["inputs"][0]["units"])
        for address, units in paid_in(transaction).items():
            received[address] = received.get(address, 0) + units
    received.pop(wallet.address)
    assert received == {payee[leaf]: units for leaf, units in owed.items()}
    left = knots.node.call("scantxoutset", "start", [f"addr({wallet.address})"])["total_amount"]
    fees = sum(int(one["fee"]) for one in made["transactions"])
    assert int(Decimal(left).scaleb(8)) == before - sum(owed.values()) - fees


@pytest.mark.real_bitcoind
@pytest.mark.parametrize(
    ("kind", "virtual_bytes"), [("bech32", None), ("bech32m", None), ("legacy", None), ("p2sh-segwit", 91)]
)
def test_wallets_of_every_kind_sign_and_the_size_is_foreseen(
    kind: str, virtual_bytes: int | None, knots: NodeHarness
) -> None:
    node, network = knots.node, knots.network
    address = node.call("getnewaddress", "", kind, wallet="holders")
    for units in ("0.4", "0.3", "0.2", "0.00000700"):
        node.call("sendtoaddress", address, units, wallet="miner")
    node.mine()
    listed = node.call("listunspent", 1, 9_999_999, [address], wallet="holders")
    coins = [SpentOutput(f"{one['txid']}:{one['vout']}", int(Decimal(one["amount"]).scaleb(8))) for one in listed]
    script = script_of(network, address)
    coins.sort(key=lambda one: -one.units)
    source = Source(
        network,
        account_id(f"{network.chain}:{address}"),
        "x",
        script,
        tuple(coins),
        input_weight(script, virtual_bytes),
        0,
    )
    payments = tuple(
        Payment(node.call("getnewaddress", "", one, wallet="holders"), 20_000_000, ()) for one in BITCOIN_TYPES
    )
    payees = Payees(network.chain, TreeAsset(network.native_asset, "BTC", 8), "", payments, ())
    (batch,) = bitcoin_batches.bitcoin_batches(payees, source, Fraction(12))
    assert [one.units for one in batch.inputs] == [40_000_000, 30_000_000, 20_000_000]  # the last costs more than it is
    transaction = send_signed(node, batch.psbt.content, "holders")
    assert batch.virtual_bytes - len(batch.inputs) * 2 <= transaction["vsize"] <= batch.virtual_bytes
    assert paid_in(transaction) == {one.address: one.units for one in payments} | {address: batch.change}
    assert (batch.psbt.txid == transaction["txid"]) is batch.psbt.final is (kind in ("bech32", "bech32m"))
