"""A plan is paid on real chains: claimed from a published distributor, by a Safe, and by a PSBT that Knots signs."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eth_abi.abi import encode
from typer.testing import CliRunner, Result

from chains.base_codecs import base58_check
from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.ids import AssetId
from tests.live.anvil import CHAIN, MINT, Anvil
from tests.live.real_sides import AnvilSide, KnotsSide
from tests.live.record_runs import real_exchange
from tests.live.require import nodes_home
from tests.live.safe_wallet import FIRST, PAIR, SECOND, SafeFactory, artifact, call_data
from verifier.cli.main import app
from verifier.demo.exchange import PlayedExchange
from verifier.demo.story import price_records_of
from verifier.liabilities.build import prove
from verifier.run import collect

pytestmark = [pytest.mark.real_anvil, pytest.mark.real_bitcoind]
CLAIM = "claim(uint256,address,uint256,bytes32[])"
HACK = {
    "format": "reserve-verifier/incident/1", "id": "hack", "at": "2026-11-22T05:00:00Z", "currency": "JPY",
    "losses": [{"scope": "all-hot"}],
}  # fmt: skip


class Desk(NamedTuple):
    """A collected run with its plan, and where its users want to be paid."""

    folder: Path
    exchange: PlayedExchange
    anvil: Anvil
    knots: KnotsSide
    btc: AssetId
    usd: AssetId

    def por(self, *words: object) -> Result:
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, (done.output, done.exception)
        return done

    def payout(self, form: str, asset: AssetId, out: str, *more: object) -> str:
        table = self.folder / ("bitcoin.csv" if asset == self.btc else "ethereum.csv")
        named = ["--asset", asset, "--addresses", table, "--out", self.folder / out]
        self.por("payout", form, self.folder / "plan", *named, *more)
        return (self.folder / out).read_text("utf-8")

    def paid(self) -> dict[str, dict[str, str]]:
        """Return what the plan's own check tells each account."""
        found = {}
        for account in self.exchange.tree.accounts():
            path = self.folder / "receipt.json"
            path.write_bytes(prove(self.exchange.tree, account).to_json())
            done = CliRunner().invoke(app, ["check", str(path), "--plan", str(self.folder / "plan"), "--json"])
            found[account] = json.loads(done.stdout)["payouts"][0]["amounts"]
        return found

    def tokens(self, address: str) -> int:
        data = "0x" + balance_of(address).hex()
        return int(self.anvil.rpc("eth_call", {"to": self.usd.rpartition(":")[2], "data": data}, "latest"), 16)

    def mint(self, address: str, units: int) -> None:
        data = MINT + balance_of(address)[4:] + units.to_bytes(32)
        self.anvil.send(to=self.usd.rpartition(":")[2], data="0x" + data.hex())


def address_for(account: str) -> str:
    return "0x" + keccak256(account.encode())[12:].hex()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("payouts")
    with real_exchange(users=40) as exchange:
        declaration = exchange.publish(folder / "in", price_records_of(exchange))
        inputs = declaration.parent
        collect(declaration, exchange.providers(), folder / "run", inputs / "liabilities", inputs / "prices.json")
        (folder / "incident.json").write_text(json.dumps(HACK))
        command = ["plan", folder / "run", "--incident", folder / "incident.json", "--out", folder / "plan"]
        assert CliRunner().invoke(app, [str(word) for word in command]).exit_code == 0
        knots, ethereum = (exchange.wallet(name).side for name in ("bitcoin guarantee", "ethereum guarantee"))
        assert isinstance(knots, KnotsSide)
        assert isinstance(ethereum, AnvilSide)
        tree = exchange.tree
        leaves = {account: tree.levels[0][tree.places[account][0]].hash.hex() for account in tree.accounts()}
        rows = [f"{leaf},{address_for(account)}" for account, leaf in leaves.items()]
        (folder / "ethereum.csv").write_text("\n".join(["leaf,address", *rows]) + "\n")
        bitcoin = [f"{leaf},{knots.address(account.encode().rjust(32, b'.'))}" for account, leaf in leaves.items()]
        (folder / "bitcoin.csv").write_text("\n".join(["leaf,address", *bitcoin]) + "\n")
        usd = ethereum.assets()[1]
        yield Desk(folder, exchange, ethereum.harness.anvil, knots, knots.assets()[0], usd)


def distributor_code() -> str:
    path = nodes_home() / "distributor" / "MerkleDistributor.json"
    if path.exists():
        return str(json.loads(path.read_text("utf-8"))["bytecode"])
    reason = "the distributor is not installed; run `python tests/live/install_distributor.py`"
    if os.environ.get("POR_REQUIRE_NODES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def claiming(address: str, claim: dict[str, Any], **change: Any) -> str:
    told = claim | change
    proof = [bytes.fromhex(one[2:]) for one in told["proof"]]
    values = [told["index"], address, int(told["amount"], 16), proof]
    return "0x" + call_data(CLAIM, *values).hex()


def refused(anvil: Anvil, contract: str, data: str) -> bool:
    sender = anvil.rpc("eth_accounts")[0]
    try:
        anvil.rpc("eth_call", {"from": sender, "to": contract, "data": data}, "latest")
    except AssertionError as error:
        return "MerkleDistributor" in str(error)
    return False


def test_users_claim_from_a_published_distributor_and_a_forged_claim_is_refused(desk: Desk) -> None:
    told = json.loads(desk.payout("distributor", desk.usd, "distributor.json"))
    token, root = desk.usd.rpartition(":")[2], bytes.fromhex(told["merkleRoot"][2:])
    creation = bytes.fromhex(distributor_code().removeprefix("0x")) + encode(["address", "bytes32"], [token, root])
    contract = desk.anvil.deploy(creation)
    reserve = desk.exchange.wallet("ethereum guarantee").address
    held = desk.tokens(reserve)
    total = int(told["tokenTotal"], 16)
    transfer = call_data("transfer(address,uint256)", contract, total)
    desk.anvil.rpc("anvil_impersonateAccount", reserve)
    desk.anvil.rpc("eth_sendTransaction", {"from": reserve, "to": token, "data": "0x" + transfer.hex()})
    desk.anvil.rpc("evm_mine")
    assert (desk.tokens(contract), desk.tokens(reserve)) == (total, held - total)
    (first, one), (second, two), (third, three), *_ = told["claims"].items()
    for address, claim in ((first, one), (second, two)):
        desk.anvil.send(to=contract, data=claiming(address, claim))
        assert desk.tokens(address) == int(claim["units"])
    assert refused(desk.anvil, contract, claiming(first, one))
    forged = [
        claiming(third, three, amount=hex(int(three["units"]) + 1)), claiming(third, three, proof=two["proof"]),
        claiming(first, three), claiming(third, three, index=three["index"] + 1000),
    ]  # fmt: skip
    assert [refused(desk.anvil, contract, data) for data in forged] == [True] * 4
    desk.anvil.send(to=contract, data=claiming(third, three))
    by_account = {address_for(account): amounts for account, amounts in desk.paid().items()}
    expected = {
        who: int(Decimal(got["USDD"]).scaleb(6)) for who, got in by_account.items() if got.get("USDD", "0") != "0"
    }
    assert {address.lower(): int(claim["units"]) for address, claim in told["claims"].items()} == expected
    assert sum(expected.values()) == total


def test_a_safe_pays_a_whole_batch_in_one_transaction(desk: Desk) -> None:
    factory = SafeFactory(desk.anvil, "1.4.1")
    multi_send = desk.anvil.deploy(bytes.fromhex(artifact("1.4.1", "MultiSendCallOnly")["bytecode"][2:]))
    told = json.loads(desk.payout("batch", desk.usd, "safe.json", "--format", "safe", "--multi-send", multi_send))
    wallet = factory.create([FIRST, SECOND], 2)
    desk.mint(wallet.address, int(told["total"]))
    table = json.loads(desk.payout("batch", desk.usd, "custody.json", "--format", "json"))
    before = {one["address"]: desk.tokens(one["address"]) for one in table["payments"]}
    for one in told["transactions"]:
        wallet.execute(PAIR, bytes.fromhex(one["data"][2:]), one["to"], one["operation"])
    assert desk.tokens(wallet.address) == 0
    moved = {address: desk.tokens(address) - had for address, had in before.items()}
    assert moved == {one["address"]: int(one["units"]) for one in table["payments"]}
    assert sum(moved.values()) == int(told["total"]) == int(table["total"])


def test_knots_signs_the_psbt_and_everybody_is_paid_to_the_last_unit(desk: Desk) -> None:
    wallet = desk.exchange.wallet("bitcoin reserve fund")
    network = desk.knots.network
    source = ["--bundle", desk.folder / "run", "--from", f"{network.chain}:{wallet.address}", "--fee-rate", 2]
    text = desk.payout("batch", desk.btc, "payment.psbt", "--format", "psbt", *source)
    table = json.loads(desk.payout("batch", desk.btc, "bitcoin.json", "--format", "json"))
    assert network.bitcoin is not None
    wif = base58_check(b"\xef" + wallet.secret + b"\x01")
    paid: dict[str, Decimal] = {}
    for psbt in text.split():
        descriptor = desk.knots.node.call("getdescriptorinfo", f"wpkh({wif})")
        signed = desk.knots.node.call("descriptorprocesspsbt", psbt, [f"wpkh({wif})#{descriptor['checksum']}"])
        final = desk.knots.node.call("finalizepsbt", signed["psbt"])
        assert final["complete"]
        sent = desk.knots.node.call("sendrawtransaction", final["hex"], 0)
        told = desk.knots.node.call("getrawtransaction", sent, True)
        desk.knots.node.mine()
        assert desk.knots.node.call("getmempoolinfo")["size"] == 0
        for one in told["vout"]:
            address = one["scriptPubKey"]["address"]
            paid[address] = paid.get(address, Decimal(0)) + Decimal(str(one["value"]))
    for one in table["payments"]:
        assert paid[one["address"]] == Decimal(one["amount"])
    assert set(paid) - {one["address"] for one in table["payments"]} <= {wallet.address}


def test_the_table_for_custody_names_every_leaf_and_what_stays_unpaid(desk: Desk) -> None:
    full = desk.payout("batch", desk.usd, "all.csv", "--format", "csv").splitlines()
    table = desk.folder / "ethereum.csv"
    rows = table.read_text().splitlines()
    try:
        table.write_text("\n".join(rows[:10]) + "\n")
        told = json.loads(desk.payout("batch", desk.usd, "few.json", "--format", "json"))
    finally:
        table.write_text("\n".join(rows) + "\n")
    assert full[0] == "address,amount,units,leaves"
    everything = sum(int(row.split(",")[2]) for row in full[1:])
    assert int(told["total"]) + sum(int(one["units"]) for one in told["unpaid"]) == everything
    assert told["unpaid"]
    assert str(desk.usd).startswith(CHAIN)
