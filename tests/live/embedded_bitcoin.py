"""The embedded Bitcoin chain, driven for the shared behaviour suite through its loopback JSON-RPC."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chains.bitcoin.address import address_of_script
from chains.embedded.bitcoin_kernel import EmbeddedBitcoin
from chains.embedded.bitcoin_transaction import Key
from chains.ids import AccountId, AssetId
from chains.providers import Provider

BLOCKS_TO_MATURITY = 101


class EmbeddedHarness:
    """A funded embedded chain; every second account is P2PKH."""

    def __init__(self, chain: EmbeddedBitcoin, provider: Provider) -> None:
        self.chain = chain
        self.network = chain.network
        self.provider = provider
        self._count = 0
        chain.mine(BLOCKS_TO_MATURITY)

    def _new_script(self) -> bytes:
        self._count += 1
        key = Key.named(f"holder {self._count}")
        return key.p2wpkh if self._count % 2 else key.p2pkh

    def _account(self, script: bytes) -> AccountId:
        return AccountId(f"{self.network.chain}:{address_of_script(self.network, script)}")

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        if asset not in (None, self.network.native_asset):
            raise ValueError(f"{self.network.name} has no tokens")
        script = self._new_script()
        if units:
            self.chain.pay({script: units})
        self.chain.mine()
        return self._account(script)

    def empty(self) -> AccountId:
        return self._account(self._new_script())

    def token(self) -> AssetId | None:
        return None

    def advance(self) -> None:
        self.chain.mine()

    def reorganise(self) -> bool:
        self.chain.reorganise()
        return True


@contextmanager
def harness() -> Iterator[EmbeddedHarness]:
    pytest.importorskip("pbk", reason="py-bitcoinkernel is not installed")
    with EmbeddedBitcoin() as chain, chain.server() as server:
        provider = Provider("embedded", chain.network.chain, "bitcoin-core", (), server.url)  # type: ignore[arg-type]
        yield EmbeddedHarness(chain, provider)
