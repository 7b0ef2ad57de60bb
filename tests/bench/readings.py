"""Measure how fast balances are read from a real node, each way of asking side by side in one run.

Run `python -m tests.bench.readings [wallets ...]`; it starts anvil itself (tests/live/install_anvil.py). Every way
must give the same numbers, or the run fails.
"""

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import requests
from eth_utils.address import to_checksum_address
from web3 import HTTPProvider, Web3

from chains.embedded.evm_tester import mint_many
from chains.evm.abi import balance_of
from chains.evm.reader import EvmReader
from chains.evm.web3_reader import ERC20_ABI, Web3Reader
from chains.http import HttpTransport
from chains.ids import AssetId, account_id, address_of, asset_id, token_contract
from chains.model import BlockRef, Holding
from chains.providers import Provider
from chains.transport import Request, Response
from tests.live.anvil import CHAIN, Anvil, AnvilHarness, running_anvil

FUNDED_PER_REQUEST = 500
MINTED_PER_TRANSACTION = 200


class Measurement(NamedTuple):
    name: str
    seconds: float
    requests: int


class CountingTransport(HttpTransport):
    """Count the HTTP requests on their way through."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def send(self, provider: Provider, request: Request) -> Response:
        self.sent += 1
        return super().send(provider, request)


Way = Callable[[BlockRef, Sequence[Holding]], tuple[list[int | None], int]]


def fund(harness: AnvilHarness, wallets: int) -> tuple[list[Holding], list[int]]:
    """Give each wallet native coins and tokens; return the holdings and what they must read."""
    addresses = [f"0x{number:040x}" for number in range(0x100000, 0x100000 + wallets)]
    anvil = harness.anvil
    for start in range(0, wallets, FUNDED_PER_REQUEST):
        part = addresses[start : start + FUNDED_PER_REQUEST]
        anvil.batch([("anvil_setBalance", (a, hex(10**15 + start + n))) for n, a in enumerate(part)])
    for start in range(0, wallets, MINTED_PER_TRANSACTION):
        entries = [(a, 10**6 + start + n) for n, a in enumerate(addresses[start : start + MINTED_PER_TRANSACTION])]
        anvil.send(to=harness.token_address, data="0x" + mint_many(entries).hex(), gas=hex(25_000_000))
    anvil.rpc("evm_mine")
    token = asset_id(f"{CHAIN}/erc20:{harness.token_address}")
    assets = [AssetId(harness.network.native_asset), token]
    holdings = [Holding(account_id(f"{CHAIN}:{address}"), asset) for address in addresses for asset in assets]
    return holdings, [base + number for number in range(wallets) for base in (10**15, 10**6)]


def ours(harness: AnvilHarness, **options: str) -> Way:
    """Read through EvmReader."""

    def read(block: BlockRef, holdings: Sequence[Holding]) -> tuple[list[int | None], int]:
        transport = CountingTransport()
        provider = dataclasses.replace(harness.provider, options=tuple(options.items()))
        readings = EvmReader(harness.network, provider, transport).read_balances(block, holdings)
        return [reading.units for reading in readings], transport.sent

    return read


def through_web3_reader(harness: AnvilHarness) -> Way:
    """Read through Web3Reader: web3, one call per holding, over our transport."""

    def read(block: BlockRef, holdings: Sequence[Holding]) -> tuple[list[int | None], int]:
        transport = CountingTransport()
        readings = Web3Reader(harness.network, harness.provider, transport).read_balances(block, holdings)
        return [reading.units for reading in readings], transport.sent

    return read


def through_plain_web3(url: str) -> Way:
    """Read as a web3 tutorial does: one call per holding, by block number."""

    def read(block: BlockRef, holdings: Sequence[Holding]) -> tuple[list[int | None], int]:
        web3 = Web3(HTTPProvider(url))
        contracts: dict[str, Any] = {}
        units: list[int | None] = []
        for holding in holdings:
            owner = to_checksum_address(address_of(holding.account))
            token = token_contract(holding.asset)
            if token is None:
                units.append(web3.eth.get_balance(owner, block_identifier=block.height))
                continue
            if token not in contracts:
                contracts[token] = web3.eth.contract(to_checksum_address(token), abi=ERC20_ABI)
            units.append(contracts[token].functions.balanceOf(owner).call(block_identifier=block.height))
        return units, len(holdings)

    return read


def through_plain_requests(url: str) -> Way:
    """Read with the requests package: one call per holding on a connection that stays open."""

    def read(block: BlockRef, holdings: Sequence[Holding]) -> tuple[list[int | None], int]:
        units: list[int | None] = []
        with requests.Session() as session:
            session.trust_env = False
            for holding in holdings:
                address, token = address_of(holding.account), token_contract(holding.asset)
                method, parameters = ("eth_getBalance", [address, hex(block.height)])
                if token is not None:
                    call = {"to": token, "data": "0x" + balance_of(address).hex()}
                    method, parameters = "eth_call", [call, hex(block.height)]  # type: ignore[list-item]
                question = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
                units.append(int(session.post(url, json=question, timeout=60).json()["result"], 16))
        return units, len(holdings)

    return read


def measure(harness: AnvilHarness, wallets: int) -> list[Measurement]:
    """Time every way of reading over the same holdings at the same block; the naive one comes first."""
    holdings, expected = fund(harness, wallets)
    block = EvmReader(harness.network, harness.provider, HttpTransport()).final_block()
    url = harness.anvil.url
    ways: dict[str, Way] = {
        "web3, one call each (naive)": through_plain_web3(url),
        "requests, one call each": through_plain_requests(url),
        "Web3Reader, one call each": through_web3_reader(harness),
        "EvmReader, batches of 500": ours(harness, multicall="off"),
        "EvmReader, Multicall3": ours(harness),
    }
    measured = []
    for name, way in ways.items():
        way(block, holdings[:100])
        started = time.perf_counter()
        units, sent = way(block, holdings)
        seconds = time.perf_counter() - started
        assert units == expected, f"{name}: wrong numbers"
        measured.append(Measurement(name, seconds, sent))
    return measured


def show(wallets: int, measured: Sequence[Measurement]) -> None:
    naive = measured[0]
    print(f"\n{wallets:,} wallets x (native + ERC-20) = {2 * wallets:,} readings")
    print(f"{'way':<30}{'seconds':>9}{'readings/s':>12}{'speed':>9}{'requests per 1,000 wallets':>28}{'fewer':>9}")
    for name, seconds, sent in measured:
        print(
            f"{name:<30}{seconds:>9.2f}{2 * wallets / seconds:>12,.0f}{naive.seconds / seconds:>8.1f}x"
            f"{1000 * sent / wallets:>28,.1f}{naive.requests / sent:>8.0f}x"
        )


def main(arguments: Sequence[str] = ()) -> None:
    for wallets in [int(argument) for argument in arguments] or [1_000, 10_000]:
        with running_anvil("--gas-limit", "300000000") as anvil:
            show(wallets, measure(AnvilHarness(Anvil(anvil.url), "json-rpc"), wallets))


if __name__ == "__main__":
    main(sys.argv[1:])
