"""Start and stop anvil, and present it as a harness of the behaviour suite."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from chains.embedded.contracts import bytecode
from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId, ChainId, account_id, asset_id
from chains.network import network_of
from chains.providers import Provider
from tests.live.require import free_port, require_binary

CHAIN = ChainId("eip155:31337")
HOW = "run `python tests/live/install_anvil.py`"
_PATIENCE_SECONDS = 20
MINT = keccak256(b"mint(address,uint256)")[:4]


class Anvil:
    """A running anvil, steered by its own JSON-RPC methods."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def rpc(self, method: str, *parameters: Any) -> Any:
        return self.batch([(method, parameters)])[0]

    def batch(self, calls: list[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        questions = [{"jsonrpc": "2.0", "id": n, "method": m, "params": list(p)} for n, (m, p) in enumerate(calls)]
        answers = self._session.post(self.url, json=questions, timeout=120).json()
        refused = [answer["error"] for answer in answers if "error" in answer]
        assert not refused, refused[0]
        return [answer["result"] for answer in sorted(answers, key=lambda answer: answer["id"])]

    def send(self, **transaction: str) -> dict[str, Any]:
        """Send from the node's first unlocked account and return the receipt of a success."""
        sender = self.rpc("eth_accounts")[0]
        sent = self.rpc("eth_sendTransaction", {"from": sender, **transaction})
        deadline = time.monotonic() + _PATIENCE_SECONDS
        receipt = None
        while receipt is None:
            # anvil answers before the block that it makes at once is finished.
            assert time.monotonic() < deadline, "anvil mines nothing"
            receipt = self.rpc("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x1", receipt
        return dict(receipt)

    def deploy(self, creation: bytes) -> str:
        return str(self.send(data="0x" + creation.hex())["contractAddress"])


@contextmanager
def running_anvil(*arguments: str) -> Iterator[Anvil]:
    """Start anvil on a free loopback port; stop it at the end. Skips visibly when anvil is not installed."""
    binary = require_binary("anvil", HOW)
    port = free_port()
    command = [str(binary), "--host", "127.0.0.1", "--port", str(port), "--silent", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            anvil = Anvil(f"http://127.0.0.1:{port}")
            _wait(anvil, process)
            yield anvil
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(anvil: Anvil, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            anvil.rpc("eth_chainId")
        except requests.ConnectionError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"anvil did not start: {process.communicate()[1]}") from None
            time.sleep(0.02)
        else:
            return


class AnvilHarness:
    """Anvil with the test token, and Multicall3's stand-in at its usual address."""

    def __init__(self, anvil: Anvil, dialect: str) -> None:
        self.anvil = anvil
        self.network = network_of(CHAIN)
        self.provider = Provider("anvil", CHAIN, dialect, (), anvil.url)
        assert self.network.evm is not None
        anvil.rpc("anvil_setCode", self.network.evm.multicall3, "0x" + bytecode("BalanceBatch").hex())
        self.token_address = anvil.deploy(bytecode("DemoToken"))
        self._accounts = 0

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        address = account.rpartition(":")[2]
        if asset is None:
            # Not anvil_setBalance: it rewrites the state of the block that is the tip just now.
            self.anvil.send(to=address, value=hex(units))
        else:
            self.anvil.send(
                to=asset.rpartition(":")[2],
                data="0x" + (MINT + balance_of(address)[4:] + units.to_bytes(32)).hex(),
            )
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return account_id(f"{CHAIN}:0x{keccak256(f'account {self._accounts}'.encode())[12:].hex()}")

    def token(self) -> AssetId | None:
        return asset_id(f"{CHAIN}/erc20:{self.token_address}")

    def advance(self) -> None:
        self.anvil.rpc("evm_mine")

    def reorganise(self) -> bool:
        self.anvil.rpc("anvil_reorg", 1, [])
        return True


@contextmanager
def harness() -> Iterator[AnvilHarness]:
    with running_anvil() as anvil:
        yield AnvilHarness(anvil, "json-rpc")


@contextmanager
def web3_harness() -> Iterator[AnvilHarness]:
    with running_anvil() as anvil:
        yield AnvilHarness(anvil, "web3")
