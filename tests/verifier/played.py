"""A small played exchange on a simulated EVM node: quick inputs for tests of the whole path."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from coincurve import PrivateKey

from chains.evm.keccak import keccak256
from chains.ids import AssetId, account_id
from chains.network import Network, network_of
from chains.providers import Provider, Providers
from tests.chains.simulated_evm import CHAIN, SimulatedNode
from verifier.declaration import OwnershipClaim
from verifier.demo.exchange import PlayedExchange
from verifier.ownership.signing import make_claim

AS_OF = "2026-01-02T00:00:00Z"
ETH = AssetId(f"{CHAIN}/slip44:60")
PRICES = [{"asset": ETH, "currency": "JPY", "low": "498000", "high": "502000", "source": "test", "at": AS_OF}]


class SimulatedSide:
    """The exchange's side of several simulated nodes that agree, until a test makes one lie."""

    def __init__(self, *nodes: SimulatedNode) -> None:
        self.network: Network = network_of(CHAIN)
        self.nodes = nodes

    def provider(self) -> Provider:
        raise NotImplementedError("tests name their providers themselves")

    def assets(self) -> tuple[AssetId, ...]:
        return (ETH,)

    def address(self, secret: bytes) -> str:
        return "0x" + keccak256(PrivateKey(secret).public_key.format(compressed=False)[1:])[12:].hex()

    def deposit(self, amounts: Mapping[str, Mapping[AssetId, int]]) -> None:
        for address, units in amounts.items():
            for node in self.nodes:
                node.balances[address] = node.balances.get(address, 0) + units[ETH]

    def send(self, secret: bytes, to: str, units: int) -> None:
        for node in self.nodes:
            node.balances[self.address(secret)] -= units
            node.balances[to] = node.balances.get(to, 0) + units

    def claim(self, secret: bytes, message: str) -> OwnershipClaim:
        return make_claim(account_id(f"{CHAIN}:{self.address(secret)}"), "eip-191", message, secret)


class Inputs:
    """What a collection starts from, on disk."""

    def __init__(self, folder: Path, exchange: PlayedExchange, providers: Providers) -> None:
        self.declaration = exchange.publish(folder, PRICES)
        self.liabilities = folder / "liabilities"
        self.prices = folder / "prices.json"
        self.exchange = exchange
        self.providers = providers


@contextmanager
def played(folder: Path, nodes: int = 1, minimum: int = 1) -> Iterator[tuple[Inputs, SimulatedSide]]:
    """Open an exchange of 30 users over as many simulated operators as asked for."""
    with ExitStack() as stack:
        side = SimulatedSide(*(SimulatedNode() for _ in range(nodes)))
        voices = [stack.enter_context(node.provider(f"operator-{n}")) for n, node in enumerate(side.nodes)]
        exchange = PlayedExchange.open({"ethereum": side}, {ETH: ("ETH", 18)}, 30, AS_OF)
        yield Inputs(folder, exchange, Providers(tuple(voices), minimum)), side
