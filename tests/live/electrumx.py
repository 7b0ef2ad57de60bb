"""Run a real Electrum server (ElectrumX) on top of a real node, and keep the two in step for the behaviour suite."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from chains.bitcoin.electrum import ElectrumReader
from chains.errors import ChainError
from chains.http import Limits
from chains.ids import AccountId, AssetId
from chains.lines import LineTransport
from chains.providers import Provider
from chains.transport import Request
from tests.live.bitcoind import BITCOIN_TYPES, PATIENCE, Node, NodeHarness, knots
from tests.live.require import free_port

POLL_MILLISECONDS = 50
NEVER = 3_600_000
# Against traffic analysis the server holds small answers back for up to a second, which would be most of the suite's
# time; nothing else of it is changed.
_START = """
from electrumx.server.transport import PaddedRSTransport
PaddedRSTransport.WAIT_FOR_BUFFER_GROWTH_SECONDS = {pause}
from electrumx.cli.electrumx_server import main
main()
"""


class ElectrumServer:
    """A running ElectrumX: the provider that names it, and single questions to it."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._transport = LineTransport(Limits(tries=1))

    def ask(self, method: str, *parameters: Any) -> Any:
        """Ask one question. Raises ChainError when there is no answer, KeyError when it is an error."""
        line = json.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters})
        return json.loads(self._transport.send(self.provider, Request("POST", "", line.encode())).body)["result"]

    def close(self) -> None:
        self._transport.close()


def require_electrumx() -> None:
    """Skip visibly, or fail under POR_REQUIRE_NODES=1, when ElectrumX is not installed."""
    if find_spec("electrumx") and find_spec("plyvel"):
        return
    reason = "electrumx_server is not installed; it comes with the `dev` extra (e-x, plyvel)"
    if os.environ.get("POR_REQUIRE_NODES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def electrumx(node: Node, poll_milliseconds: int = POLL_MILLISECONDS, pause: float = 0.02) -> Iterator[ElectrumServer]:
    """Run ElectrumX over `node` until the block ends; it asks the node for news every so many milliseconds."""
    require_electrumx()
    port, daemon = free_port(), node.provider
    address = daemon.url.removeprefix("http://")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": folder,
            "COIN": "Bitcoin",
            "NET": "regtest",
            "DB_DIRECTORY": folder,
            "DB_ENGINE": "leveldb",
            "SERVICES": f"tcp://127.0.0.1:{port}",
            "ALLOW_ROOT": "1",
            "PEER_DISCOVERY": "off",
            "COST_SOFT_LIMIT": "0",
            "COST_HARD_LIMIT": "0",
            "DAEMON_POLL_INTERVAL_BLOCKS": str(poll_milliseconds),
            "DAEMON_POLL_INTERVAL_MEMPOOL": str(poll_milliseconds),
            "DAEMON_URL": f"http://{daemon.username}:{daemon.password}@{address}/",
        }
        command = [sys.executable, "-c", _START.format(pause=pause)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        provider = Provider("local-index", daemon.chain, "electrum", (), f"tcp://127.0.0.1:{port}")
        server = ElectrumServer(provider)
        try:
            _wait_until_up(process, server, Path(folder) / "log")
            yield server
        finally:
            server.close()
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], server: ElectrumServer, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server stopped: {log.read_text('utf-8', 'replace')[-500:]}")
        try:
            server.ask("server.ping")
        except ChainError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not answer within {PATIENCE:g} s")


class ElectrumHarness(NodeHarness):
    """A real node that is read through a real Electrum server, which has always caught up before a test goes on."""

    def __init__(self, node: Node, server: ElectrumServer) -> None:
        super().__init__(node, server.provider, BITCOIN_TYPES)
        self.server = server
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until the server's announced tip is the node's."""
        height, best = self.node.call("getblockcount"), self.node.call("getbestblockhash")
        reader = ElectrumReader(self.network, self.provider, LineTransport(Limits(tries=1)))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            announced = self.server.ask("blockchain.headers.subscribe")["height"]
            if announced == height and reader.block_at(height).hash == best:
                return
            time.sleep(0.02)
        raise RuntimeError(f"the server did not reach block {height} within {PATIENCE:g} s")

    def await_unconfirmed(self, script_hash: str, count: int) -> None:
        """Wait until the server knows of so many unconfirmed transactions of a script."""
        deadline = time.monotonic() + PATIENCE
        while len(self.server.ask("blockchain.scripthash.get_mempool", script_hash)) != count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server did not see {count} unconfirmed transactions within {PATIENCE:g} s")
            time.sleep(0.02)

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = super().fund(units, asset)
        self.catch_up()
        return account

    def advance(self) -> None:
        super().advance()
        self.catch_up()

    def reorganise(self) -> bool:
        """Replace the tip by two blocks: the server looks for news only when the chain has grown."""
        super().reorganise()
        self.advance()
        return True


@contextmanager
def indexed_node(*arguments: str) -> Iterator[Node]:
    """Run Bitcoin Knots with the index of transactions that an Electrum server needs."""
    require_electrumx()
    with knots("-txindex=1", *arguments) as node:
        yield node


@contextmanager
def harness(*arguments: str) -> Iterator[ElectrumHarness]:
    """Run Bitcoin Knots under ElectrumX."""
    with indexed_node(*arguments) as node, electrumx(node) as server:
        yield ElectrumHarness(node, server)
