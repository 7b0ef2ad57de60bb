"""The web3 reader: a second, independent implementation over the same recorded transport."""

import dataclasses
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from chains.embedded.evm_tester import CHAIN, EmbeddedEvm
from chains.embedded.loopback import LoopbackServer, RpcFaultError
from chains.errors import ChainError, InvalidAnswerError, NetworkDataError, ProviderError, TransportError
from chains.evm.reader import EvmReader
from chains.evm.web3_reader import Web3Reader
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, account_id, asset_id
from chains.model import BlockRef, Holding
from chains.network import network_of
from chains.providers import Provider
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Request, Response

NATIVE = AssetId(network_of(CHAIN).native_asset)
BLOCK = BlockRef(CHAIN, 7, "0x" + "ab" * 32, 1_700_000_000)
TOKEN = asset_id(f"{CHAIN}/erc20:0x{'cc' * 20}")


@pytest.fixture(scope="module")
def evm() -> Iterator[EmbeddedEvm]:
    with EmbeddedEvm() as running:
        yield running


def _portfolio(evm: EmbeddedEvm) -> list[Holding]:
    token = evm.deploy_token()
    addresses = [f"0x{number:040x}" for number in range(3000, 3010)]
    evm.fund({address: 10**18 + number for number, address in enumerate(addresses)})
    evm.mint(token, {address: 10**6 + number for number, address in enumerate(addresses[:5])})
    evm.mine()
    assets = [NATIVE, asset_id(f"{CHAIN}/erc20:{token}"), TOKEN, asset_id(f"{CHAIN}/erc721:{token}")]
    return [Holding(account_id(f"{CHAIN}:{address}"), asset) for address in addresses for asset in assets]


def test_both_implementations_give_the_same_blocks_and_numbers(evm: EmbeddedEvm) -> None:
    holdings = _portfolio(evm)
    ours = EvmReader(evm.network, evm.provider(), HttpTransport())
    theirs = Web3Reader(evm.network, evm.provider(dialect="web3"), HttpTransport())
    assert theirs.chain() == ours.chain()
    block = ours.final_block()
    assert theirs.final_block() == block
    assert theirs.block_at(1) == ours.block_at(1)
    expected = [reading.units for reading in ours.read_balances(block, holdings)]
    assert [reading.units for reading in theirs.read_balances(block, holdings)] == expected
    assert expected[:4] == [10**18, 10**6, None, None]


def test_a_recorded_reading_replays_without_a_node_or_a_socket(
    evm: EmbeddedEvm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holdings = _portfolio(evm)
    provider = evm.provider(dialect="web3")
    recording = RecordingTransport(HttpTransport(), tmp_path / "journal.jsonl")
    recorder = Web3Reader(evm.network, provider, recording)
    block = recorder.final_block()
    live = recorder.read_balances(block, holdings)
    replaying = ReplayTransport(recording.close())

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise AssertionError("a replay opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    replayer = Web3Reader(evm.network, dataclasses.replace(provider, url=""), replaying)
    assert replayer.final_block() == block
    assert list(replayer.read_balances(block, holdings)) == list(live)
    assert replaying.unused() == 0


def _reader(url: str) -> Web3Reader:
    provider = Provider("liar", CHAIN, "web3", (), url)
    return Web3Reader(network_of(CHAIN), provider, HttpTransport(Limits(tries=1)))


@pytest.mark.parametrize("answer", [None, "", "5", 5.5, "0x1_0", "zz", "0x" + "f" * 65, [], {}])
def test_a_malformed_balance_is_a_failure(answer: Any) -> None:
    with LoopbackServer({"eth_getBalance": lambda *_: answer}) as server:
        (reading,) = _reader(server.url).read_balances(BLOCK, [Holding(account_id(f"{CHAIN}:0x{'aa' * 20}"), NATIVE)])
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize("answer", [None, "", "0x", "0x00", "0x" + "00" * 31, "0x" + "00" * 64, "zz", 5])
def test_a_malformed_token_balance_is_a_failure(answer: Any) -> None:
    with LoopbackServer({"eth_call": lambda *_: answer}) as server:
        (reading,) = _reader(server.url).read_balances(BLOCK, [Holding(account_id(f"{CHAIN}:0x{'aa' * 20}"), TOKEN)])
    assert reading.units is None
    assert reading.failure


def test_a_pruned_node_is_never_read_as_zero() -> None:
    def pruned(*_: Any) -> Any:
        raise RpcFaultError(-32000, "missing trie node 1f3a (path )")

    with LoopbackServer({"eth_getBalance": pruned, "eth_call": pruned}) as server:
        account = account_id(f"{CHAIN}:0x{'aa' * 20}")
        readings = _reader(server.url).read_balances(BLOCK, [Holding(account, NATIVE), Holding(account, TOKEN)])
    assert [reading.units for reading in readings] == [None, None]
    assert all("missing trie node" in reading.failure and reading.evidence for reading in readings)


class _Reverting:
    """Answer every call with a revert that carries data."""

    def __init__(self, carried: str) -> None:
        self._body = json.dumps(
            {"jsonrpc": "2.0", "id": 0, "error": {"code": 3, "message": "execution reverted", "data": carried}}
        ).encode()

    def send(self, provider: Provider, request: Request) -> Response:
        return Response(200, self._body, "evidence")


def test_a_contract_cannot_send_the_reader_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """ERC-3668 lets a revert name an address to ask instead; that would be a connection outside the transcript."""
    asked: list[Any] = []
    monkeypatch.setattr("web3.eth.eth.handle_offchain_lookup", lambda *arguments, **named: asked.append(arguments))
    lookup = encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"],
        ["0x" + "cc" * 20, ["https://elsewhere.example/{sender}/{data}"], b"", b"\x00" * 4, b""],
    )
    reader = Web3Reader(network_of(CHAIN), Provider("liar", CHAIN, "web3"), _Reverting("0x556f1830" + lookup.hex()))
    (reading,) = reader.read_balances(BLOCK, [Holding(account_id(f"{CHAIN}:0x{'aa' * 20}"), TOKEN)])
    assert reading.units is None
    assert not asked


@pytest.mark.parametrize("block", [None, 5, {}, {"number": "0x7", "hash": None, "timestamp": "0x1"}])
def test_a_malformed_block_is_an_error(block: Any) -> None:
    expected = pytest.raises((InvalidAnswerError, ProviderError), match="liar")
    with LoopbackServer({"eth_getBlockByNumber": lambda *_: block}) as server, expected:
        _reader(server.url).final_block()


def test_an_unreachable_provider_is_an_error_without_its_address() -> None:
    with pytest.raises(TransportError) as caught:
        _reader("http://127.0.0.1:9/secret-key").chain()
    assert "secret" not in str(caught.value)
    with pytest.raises(ChainError):
        _reader("http://127.0.0.1:9").read_balances(BLOCK, [Holding(account_id(f"{CHAIN}:0x{'aa' * 20}"), NATIVE)])


def test_options_are_refused() -> None:
    with pytest.raises(NetworkDataError, match="no options"):
        Web3Reader(network_of(CHAIN), Provider("a", CHAIN, "web3", (("batch", "5"),)), HttpTransport())
