"""Present the EVM inside this process as a harness of the behaviour suite."""

from collections.abc import Iterator
from contextlib import contextmanager

from chains.embedded.evm_tester import CHAIN, EmbeddedEvm
from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId, account_id, asset_id


class EmbeddedEvmHarness:
    """The embedded EVM with the test token."""

    def __init__(self, evm: EmbeddedEvm) -> None:
        self.evm = evm
        self.network = evm.network
        self.provider = evm.provider()
        self.token_address = evm.deploy_token()
        self._accounts = 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        address = account.rpartition(":")[2]
        if asset is None:
            self.evm.fund({address: units})
        else:
            self.evm.mint(asset.rpartition(":")[2], {address: units})
        self.advance()
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return account_id(f"{CHAIN}:0x{keccak256(f'account {self._accounts}'.encode())[12:].hex()}")

    def token(self) -> AssetId | None:
        return asset_id(f"{CHAIN}/erc20:{self.token_address}")

    def advance(self) -> None:
        self.evm.mine()

    def reorganise(self) -> bool:
        self.evm.replace_tip()
        return True


@contextmanager
def harness() -> Iterator[EmbeddedEvmHarness]:
    with EmbeddedEvm() as evm:
        yield EmbeddedEvmHarness(evm)
