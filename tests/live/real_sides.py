"""The played exchange on real nodes: Bitcoin Knots (regtest) and anvil."""

from collections.abc import Mapping
from decimal import Decimal

from chains.bitcoin.address import address_of_script
from chains.embedded.bitcoin_transaction import Input, Key, Output, Transaction, sign_inputs
from chains.embedded.evm_tester import address_of_key
from chains.evm.abi import balance_of
from chains.ids import AssetId, ChainId, account_id
from chains.network import Network
from chains.providers import Provider
from tests.live.anvil import MINT, AnvilHarness
from tests.live.bitcoind import NodeHarness
from verifier.declaration import OwnershipClaim
from verifier.ownership.signing import make_claim


class KnotsSide:
    """The exchange's side of a real Bitcoin node; deposits come from the node's own wallet."""

    def __init__(self, harness: NodeHarness) -> None:
        self.network: Network = harness.network
        self.node = harness.node

    def provider(self) -> Provider:
        given = self.node.provider
        return Provider(
            "knots", ChainId(self.network.chain), "bitcoin-core", (), given.url, given.username, given.password
        )

    def assets(self) -> tuple[AssetId, ...]:
        return (AssetId(self.network.native_asset),)

    def address(self, secret: bytes) -> str:
        found = address_of_script(self.network, Key(secret).p2wpkh)
        assert found is not None
        return found

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        native = self.assets()[0]
        paid = {to: str(Decimal(units[native]).scaleb(-8)) for to, units in amounts.items()}
        self.node.call("sendmany", "", paid, wallet="miner")
        self.node.mine()

    def send(self, secret: bytes, to: str, units: int) -> None:
        key = Key(secret)
        found = self.node.call("scantxoutset", "start", [f"raw({key.p2wpkh.hex()})"])["unspents"]
        coins = [Output(int(Decimal(coin["amount"]).scaleb(8)), key.p2wpkh) for coin in found]
        inputs = tuple(Input(bytes.fromhex(coin["txid"])[::-1], coin["vout"]) for coin in found)
        target = bytes.fromhex(self.node.call("validateaddress", to)["scriptPubKey"])
        rest = sum(coin.units for coin in coins) - units - 1_000
        unsigned = Transaction(inputs, (Output(units, target), Output(rest, key.p2wpkh)))
        self.node.call("sendrawtransaction", sign_inputs(unsigned, coins, key).serialize().hex())
        self.node.mine()

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        return make_claim(account_id(f"{self.network.chain}:{self.address(secret)}"), "bip-137", message, secret)


class AnvilSide:
    """The exchange's side of a real EVM node with one test token."""

    def __init__(self, harness: AnvilHarness) -> None:
        self.network: Network = harness.network
        self.harness = harness

    def provider(self) -> Provider:
        return self.harness.provider

    def assets(self) -> tuple[AssetId, ...]:
        token = self.harness.token()
        assert token is not None
        return AssetId(self.network.native_asset), token

    def address(self, secret: bytes) -> str:
        return address_of_key(secret)

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        native, token = self.assets()
        for to, units in amounts.items():
            self.harness.anvil.send(to=to, value=hex(units[native]))
            minted = MINT + balance_of(to)[4:] + units[token].to_bytes(32)
            self.harness.anvil.send(to=token.rpartition(":")[2], data="0x" + minted.hex())

    def send(self, secret: bytes, to: str, units: int) -> None:
        sender = address_of_key(secret)
        self.harness.anvil.rpc("anvil_impersonateAccount", sender)
        self.harness.anvil.rpc("eth_sendTransaction", {"from": sender, "to": to, "value": hex(units)})
        self.harness.advance()

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        return make_claim(account_id(f"{self.network.chain}:{self.address(secret)}"), "eip-191", message, secret)
