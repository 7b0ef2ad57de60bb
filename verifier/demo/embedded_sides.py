"""The played exchange on the two embedded chains: Bitcoin's consensus engine and an Ethereum virtual machine."""

from collections.abc import Mapping

from chains.bitcoin.address import address_of_script, script_of
from chains.embedded.bitcoin_kernel import EmbeddedBitcoin
from chains.embedded.bitcoin_transaction import Key
from chains.embedded.evm_tester import EmbeddedEvm, address_of_key
from chains.errors import ChainError
from chains.ids import AssetId, ChainId, account_id
from chains.network import Network
from chains.providers import Provider
from verifier.declaration import OwnershipClaim
from verifier.ownership.signing import make_claim


class BitcoinSide:
    """The exchange's side of the embedded Bitcoin chain; deposits come from the miner's coins."""

    def __init__(self, chain: EmbeddedBitcoin, url: str) -> None:
        self.network: Network = chain.network
        self._chain = chain
        self._url = url

    def provider(self) -> Provider:
        return Provider("bitcoin-engine", ChainId(self.network.chain), "bitcoin-core", url=self._url)

    def assets(self) -> tuple[AssetId, ...]:
        return (AssetId(self.network.native_asset),)

    def address(self, secret: bytes) -> str:
        found = address_of_script(self.network, Key(secret).p2wpkh)
        if found is None:
            raise ChainError("a witness program has an address on every network of this family")
        return found

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        native = self.assets()[0]
        self._chain.pay({script_of(self.network, to): units[native] for to, units in amounts.items()})
        self._chain.mine()

    def send(self, secret: bytes, to: str, units: int) -> None:
        self._chain.pay({script_of(self.network, to): units}, Key(secret))
        self._chain.mine()

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        return make_claim(account_id(f"{self.network.chain}:{self.address(secret)}"), "bip-137", message, secret)


class EvmSide:
    """The exchange's side of the embedded EVM, with one test token beside the native coin."""

    def __init__(self, chain: EmbeddedEvm) -> None:
        self.network: Network = chain.network
        self._chain = chain
        self._token = chain.deploy_token()

    def provider(self) -> Provider:
        return self._chain.provider("ethereum-engine")

    def assets(self) -> tuple[AssetId, ...]:
        return AssetId(self.network.native_asset), AssetId(f"{self.network.chain}/erc20:{self._token}")

    def address(self, secret: bytes) -> str:
        return address_of_key(secret)

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        native, token = self.assets()
        self._chain.fund({to: units[native] for to, units in amounts.items() if units.get(native)})
        self._chain.mint(self._token, {to: units[token] for to, units in amounts.items() if units.get(token)})
        self._chain.mine()

    def send(self, secret: bytes, to: str, units: int) -> None:
        self._chain.transfer(secret, to, units)
        self._chain.mine()

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        return make_claim(account_id(f"{self.network.chain}:{self.address(secret)}"), "eip-191", message, secret)
