"""What the shared behaviour suite needs from a real chain, and which chains offer it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from chains.ids import AccountId, AssetId
from chains.network import Network
from chains.providers import Provider


class ChainHarness(Protocol):
    """A running chain that the suite may fund, advance and reorganise."""

    network: Network
    provider: Provider

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        """Return a fresh account that holds exactly `units` of `asset` (the native coin when None), confirmed."""

    def empty(self) -> AccountId:
        """Return a valid account the chain has never seen."""

    def token(self) -> AssetId | None:
        """Return a deployed token's asset id, or None on chains without tokens."""

    def advance(self) -> None:
        """Add one block."""

    def reorganise(self) -> bool:
        """Replace the tip by another block of at least the same height; False when this engine cannot."""


# name -> "module:function", a context manager yielding a ChainHarness; the suite runs over every entry.
HARNESSES: dict[str, str] = {
    "anvil": "tests.live.anvil:harness",
    "anvil-web3": "tests.live.anvil:web3_harness",
    "embedded-evm": "tests.live.embedded_evm:harness",
    "simulated-xrpl": "tests.live.simulated_xrpl:harness",
    "simulated-tron": "tests.live.simulated_tron:harness",
    "simulated-stellar": "tests.live.simulated_stellar:harness",
    "litesvm": "tests.live.litesvm:harness",
    "simulated-ton": "tests.live.simulated_ton:harness",
    "knots": "tests.live.bitcoind:knots_harness",
    "knots-history": "tests.live.bitcoind:history_harness",
    "knots-esplora": "tests.live.bitcoind:esplora_harness",
    "knots-bitcoinlib": "tests.live.bitcoind:bitcoinlib_harness",
    "electrum": "tests.live.electrumx:harness",
    "litecoind": "tests.live.bitcoind:litecoin_harness",
    "embedded-bitcoin": "tests.live.embedded_bitcoin:harness",
}


@contextmanager
def open_harness(name: str) -> Iterator[ChainHarness]:
    module, _, function = HARNESSES[name].partition(":")
    with getattr(import_module(module), function)() as harness:
        yield harness
