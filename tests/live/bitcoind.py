"""Start real full nodes (Bitcoin Knots, litecoind) on free loopback ports, and drive them for the behaviour suite."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from chains.errors import ChainError
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, AssetId, ChainId, chain_id
from chains.jsonrpc import JsonRpc
from chains.network import Network, network_of
from chains.providers import Provider
from tests.live.esplora_facade import EsploraFacade
from tests.live.require import free_port, require_binary

BITCOIN_REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
LITECOIN_REGTEST = "bip122:530827f38f93b43ed12af0b3ad25a288"
KNOTS_HOW = "run `python tests/live/install_knots.py`"
LITECOIND_HOW = "run `apt-get install --no-install-recommends litecoind`"
PATIENCE = 60.0
BLOCKS_TO_MATURITY = 101


class Node:
    """A running regtest node with a wallet `miner` (coinbases, change) and a wallet `holders` (funded accounts)."""

    def __init__(self, network: Network, provider: Provider) -> None:
        self.network = network
        self.provider = provider
        self._transport = HttpTransport(Limits(tries=1))

    def call(self, method: str, *parameters: Any, wallet: str = "") -> Any:
        provider = self.provider
        if wallet:
            provider = replace(provider, url=f"{provider.url}/wallet/{wallet}")
        return JsonRpc(self._transport, provider).call(method, *parameters).result

    def mine(self, count: int = 1) -> list[str]:
        address = self.call("getnewaddress", wallet="miner")
        blocks: list[str] = self.call("generatetoaddress", count, address)
        return blocks


@contextmanager
def running(
    binary: Path, chain: str, *arguments: str, selector: str = "-regtest", wallets: bool = True
) -> Iterator[Node]:
    """Run `binary` on a fresh chain in a temporary folder until the block ends; it never leaves this machine."""
    network, port = network_of(chain_id(chain)), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(binary), selector, f"-datadir={folder}", "-server", "-listen=0", "-connect=0", "-dnsseed=0",
            "-fallbackfee=0.0001", "-keypool=20", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", f"-rpcport={port}",
            "-printtoconsole=0", *arguments,
        ]  # fmt: skip
        # Debian's litecoind is a script that writes into the home folder before it starts the node
        environment = {**os.environ, "HOME": folder}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            node = _wait_until_ready(process, network, port, Path(folder))
            for wallet in ("miner", "holders") if wallets else ():
                node.call("createwallet", wallet)
            yield node
        finally:
            # its folder goes with it, so there is nothing to save; asked politely, litecoind waits 30 s for connections
            process.kill()
            process.communicate()


def _wait_until_ready(process: subprocess.Popen[bytes], network: Network, port: int, folder: Path) -> Node:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            reason = process.stderr.read().decode(errors="replace") if process.stderr else ""
            raise RuntimeError(f"the node stopped: {reason[-500:]}")
        try:
            cookie = next(folder.rglob(".cookie"))
            user, _, password = cookie.read_text("ascii").strip().partition(":")
            url = f"http://127.0.0.1:{port}"
            node = Node(
                network, Provider("local-node", ChainId(network.chain), "bitcoin-core", (), url, user, password)
            )
            node.call("getblockcount")
        except (OSError, StopIteration, ChainError):
            time.sleep(0.05)
        else:
            return node
    raise RuntimeError(f"the node did not answer within {PATIENCE:g} s")


@contextmanager
def knots(*arguments: str) -> Iterator[Node]:
    """Run Bitcoin Knots on regtest.

    Its wallet dates a transaction's lock time back at random, and its mempool refuses the lock time 21 as
    "parasite-cat21": one payment in a thousand would stay out of the next block, so that rule is switched off.
    """
    with running(require_binary("bitcoind", KNOTS_HOW), BITCOIN_REGTEST, "-rejectparasites=0", *arguments) as node:
        yield node


@contextmanager
def litecoind() -> Iterator[Node]:
    """Run litecoind on regtest."""
    with running(require_binary("litecoind", LITECOIND_HOW), LITECOIN_REGTEST) as node:
        yield node


class NodeHarness:
    """What the shared behaviour suite needs, done by a real node; `provider` is who the reader under test asks."""

    def __init__(self, node: Node, provider: Provider, address_types: tuple[str, ...]) -> None:
        self.network = node.network
        self.provider = provider
        self.node = node
        self._address_types = address_types
        self._count = 0
        node.mine(BLOCKS_TO_MATURITY)

    def _new_account(self) -> AccountId:
        kind = self._address_types[self._count % len(self._address_types)]
        self._count += 1
        address = self.node.call("getnewaddress", "", kind, wallet="holders")
        return AccountId(f"{self.network.chain}:{address}")

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        if asset not in (None, self.network.native_asset):
            raise ValueError(f"{self.network.name} has no tokens")
        account = self._new_account()
        if units:
            amount = str(Decimal(units).scaleb(-self.network.decimals))
            self.node.call("sendtoaddress", account.rpartition(":")[2], amount, wallet="miner")
        self.node.mine()
        received = self.node.call("getreceivedbyaddress", account.rpartition(":")[2], wallet="holders")
        if received.scaleb(self.network.decimals) != units:
            raise RuntimeError(f"{account} was to receive {units} units, and {received} coins were mined")
        return account

    def empty(self) -> AccountId:
        return self._new_account()

    def token(self) -> AssetId | None:
        return None

    def advance(self) -> None:
        self.node.mine()

    def reorganise(self) -> bool:
        """Declare the tip invalid and mine another block with the same transactions in its place."""
        self.node.call("invalidateblock", self.node.call("getbestblockhash"))
        self.node.mine()
        return True


BITCOIN_TYPES = ("bech32", "bech32m", "legacy", "p2sh-segwit")
LITECOIN_TYPES = ("bech32", "legacy", "p2sh-segwit")


@contextmanager
def knots_harness() -> Iterator[NodeHarness]:
    with knots() as node:
        yield NodeHarness(node, node.provider, BITCOIN_TYPES)


@contextmanager
def history_harness() -> Iterator[NodeHarness]:
    """Run Bitcoin Knots with compact filters, asked as of past blocks."""
    with knots("-blockfilterindex=1") as node:
        provider = replace(node.provider, operator="local-node-with-filters", dialect="bitcoin-core-history")
        yield NodeHarness(node, provider, BITCOIN_TYPES)


@contextmanager
def litecoin_harness() -> Iterator[NodeHarness]:
    with litecoind() as node:
        yield NodeHarness(node, node.provider, LITECOIN_TYPES)


@contextmanager
def esplora_harness() -> Iterator[NodeHarness]:
    with knots() as node, EsploraFacade(node.call).server() as server:
        provider = Provider("local-explorer", node.provider.chain, "esplora", (), server.url)
        yield NodeHarness(node, provider, BITCOIN_TYPES)


@contextmanager
def bitcoinlib_harness() -> Iterator[NodeHarness]:
    with knots() as node, EsploraFacade(node.call).server() as server:
        options = (("client", "mempool"),)
        provider = Provider("local-mempool", node.provider.chain, "bitcoinlib", options, server.url)
        yield NodeHarness(node, provider, BITCOIN_TYPES)
