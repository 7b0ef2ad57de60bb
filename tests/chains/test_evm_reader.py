"""The JSON-RPC reader against nodes that refuse, prune, lie and run hostile contracts."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from chains.embedded.evm_tester import CHAIN, EmbeddedEvm, address_of_key
from chains.embedded.loopback import LoopbackServer, RpcFaultError
from chains.errors import IdentifierError, InvalidAnswerError, NetworkDataError, ProviderError
from chains.evm.abi import AGGREGATE3, balance_of, decode_aggregate3, eth_balance
from chains.evm.hexadecimal import hexadecimal
from chains.evm.reader import MULTICALL_FROM, EvmReader
from chains.http import HttpTransport, Limits
from chains.ids import AssetId, ChainId, account_id, asset_id
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef, Holding, Reading
from chains.network import Finality, network_of
from chains.providers import Provider
from chains.transcript import RecordingTransport, ReplayTransport
from chains.transport import Request, Response
from tests.live.anvil import AnvilHarness, running_anvil

NATIVE = AssetId(network_of(CHAIN).native_asset)
HASH = "0x" + "ab" * 32
BLOCK = BlockRef(CHAIN, 7, HASH, 1_700_000_000)
ADDRESS = "0x" + "aa" * 20
TOKEN = asset_id(f"{CHAIN}/erc20:0x{'cc' * 20}")
JSON_BLOCK = {"number": "0x7", "hash": HASH, "timestamp": hex(BLOCK.time)}
# balanceOf(account) of this contract sends its own coins to the account, then answers zero:
# stop when there is no calldata; CALL(gas, calldata[4], selfbalance, no input, no output); return 32 zero bytes.
GIVING_TOKEN = bytes.fromhex("36600557005b" + "6000600060006000476004355af150" + "60206000f3")
# balanceOf of this contract burns all gas it is given (INVALID).
BURNING_TOKEN = b"\xfe"
KEY = b"\x17" * 32


def _creation(runtime: bytes) -> bytes:
    """Wrap runtime code in creation code that returns it: CODECOPY from byte 12, RETURN."""
    size = f"60{len(runtime):02x}"
    return bytes.fromhex(f"{size}600c600039{size}6000f3") + runtime


def _holding(number: int, asset: AssetId = NATIVE) -> Holding:
    return Holding(account_id(f"{CHAIN}:0x{number:040x}"), asset)


class CountingTransport(HttpTransport):
    """Count and keep the questions on their way through."""

    def __init__(self) -> None:
        super().__init__(Limits(tries=1))
        self.bodies: list[bytes] = []

    def send(self, provider: Provider, request: Request) -> Response:
        self.bodies.append(request.body)
        return super().send(provider, request)


@pytest.fixture(scope="module")
def evm() -> Iterator[EmbeddedEvm]:
    with EmbeddedEvm() as running:
        running.fund({address_of_key(KEY): 10**18})
        running.mine()
        yield running


def _reader(evm: EmbeddedEvm, **options: str) -> tuple[EvmReader, CountingTransport]:
    transport = CountingTransport()
    provider = dataclasses.replace(evm.provider(), options=tuple(sorted(options.items())))
    return EvmReader(evm.network, provider, transport), transport


@contextmanager
def _node(methods: Mapping[str, Any], **options: str) -> Iterator[EvmReader]:
    """A node that answers each method with a value, a function, or an RpcFaultError."""

    def method(answer: Any) -> Any:
        def call(*parameters: Any) -> Any:
            result = answer(*parameters) if callable(answer) else answer
            if isinstance(result, RpcFaultError):
                raise result
            return result

        return call

    with LoopbackServer({name: method(answer) for name, answer in methods.items()}) as server:
        provider = Provider("liar", CHAIN, "json-rpc", tuple(options.items()), server.url)
        yield EvmReader(network_of(CHAIN), provider, HttpTransport(Limits(tries=1)))


def _one(methods: Mapping[str, Any], holding: Holding | None = None, **options: str) -> Reading:
    with _node(methods, **options) as reader:
        (reading,) = reader.read_balances(BLOCK, [holding or _holding(1)])
        return reading


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "missing trie node 1f3a (path )"),
        (-32602, "BlockOutOfRangeError: block height is 512 but requested was 1"),
        (-32000, "root hash mismatch"),
        (-32001, "header for hash not found"),
        (-32000, "hash is not currently canonical"),
        (3, "execution reverted"),
    ],
)
def test_a_pruned_or_refusing_node_is_never_read_as_zero(code: int, message: str) -> None:
    for name, holding in (("eth_getBalance", _holding(1)), ("eth_call", _holding(1, TOKEN))):
        reading = _one({name: RpcFaultError(code, message)}, holding)
        assert reading.units is None
        assert message in reading.failure
        assert reading.evidence


@pytest.mark.parametrize("answer", [None, "", "0x", "5", 5, 5.5, True, "-0x1", "0x1_0", "0x" + "f" * 65, [], {}])
def test_a_malformed_balance_is_a_failure(answer: Any) -> None:
    reading = _one({"eth_getBalance": answer})
    assert reading.units is None
    assert reading.failure


@pytest.mark.parametrize(
    "answer", [None, "", "0x", "0x0", "0x" + "00" * 31, "0x" + "00" * 33, "0x" + "00" * 64, 0, "0x" + "zz" * 32]
)
def test_a_malformed_token_balance_is_a_failure(answer: Any) -> None:
    reading = _one({"eth_call": answer}, _holding(1, TOKEN))
    assert reading.units is None
    assert reading.failure


def test_the_largest_balances_are_read_exactly() -> None:
    top = "0x" + "f" * 64
    assert _one({"eth_getBalance": top}).units == 2**256 - 1
    assert _one({"eth_call": top}, _holding(1, TOKEN)).units == 2**256 - 1


def test_a_read_names_the_block_by_hash_and_requires_it_canonical() -> None:
    asked: list[Any] = []

    def balance(address: str, block: Any) -> str:
        asked.append((address, block))
        return "0x5"

    assert _one({"eth_getBalance": balance}).units == 5
    assert asked == [(f"0x{1:040x}", {"blockHash": HASH, "requireCanonical": True})]


@pytest.mark.parametrize(
    "block",
    [
        None,
        5,
        [],
        {},
        JSON_BLOCK | {"hash": None},
        JSON_BLOCK | {"hash": "0xab"},
        JSON_BLOCK | {"number": None},
        JSON_BLOCK | {"number": "7"},
        JSON_BLOCK | {"timestamp": "later"},
    ],
)
def test_a_malformed_block_is_an_error(block: Any) -> None:
    with _node({"eth_getBlockByNumber": block}) as reader:
        with pytest.raises((InvalidAnswerError, ProviderError), match="liar"):
            reader.final_block()
        with pytest.raises((InvalidAnswerError, ProviderError), match="liar"):
            reader.block_at(7)


def test_a_block_of_another_height_is_an_error() -> None:
    with _node({"eth_getBlockByNumber": JSON_BLOCK}) as reader:
        assert reader.block_at(7) == BLOCK
        with pytest.raises(InvalidAnswerError, match="asked for block 8, got block 7"):
            reader.block_at(8)


@pytest.mark.parametrize("answer", [None, "1", 1, "0x", "mainnet"])
def test_a_malformed_chain_id_is_an_error(answer: Any) -> None:
    with _node({"eth_chainId": answer}) as reader, pytest.raises(InvalidAnswerError):
        reader.chain()


@pytest.mark.parametrize(
    ("finality", "asked"),
    [
        (Finality(rule="finalized", meaning="tag"), "finalized"),
        (Finality(rule="tip", meaning="newest"), "latest"),
        (Finality(rule="depth", depth=3, meaning="three below"), "0x7"),
    ],
)
def test_the_final_block_follows_the_networks_rule(finality: Finality, asked: str) -> None:
    seen: list[str] = []

    def block(which: str, full: bool) -> Any:
        seen.append(which)
        return JSON_BLOCK

    network = network_of(CHAIN).model_copy(update={"finality": finality})
    with LoopbackServer({"eth_getBlockByNumber": block, "eth_blockNumber": lambda: "0xa"}) as server:
        provider = Provider("node", CHAIN, "json-rpc", (), server.url)
        assert EvmReader(network, provider, HttpTransport()).final_block() == BLOCK
    assert seen == [asked]


def test_a_chain_shorter_than_its_finality_has_no_final_block() -> None:
    network = network_of(CHAIN).model_copy(update={"finality": Finality(rule="depth", depth=30, meaning="thirty")})
    with LoopbackServer({"eth_blockNumber": lambda: "0xa"}) as server:
        provider = Provider("node", CHAIN, "json-rpc", (), server.url)
        with pytest.raises(ProviderError, match="shorter than 30"):
            EvmReader(network, provider, HttpTransport()).final_block()


def test_what_is_not_of_this_network_is_a_failure_of_its_own() -> None:
    other = account_id(f"eip155:1:{ADDRESS}")
    strange = [
        Holding(other, AssetId("eip155:1/slip44:60")),
        Holding(_holding(1).account, asset_id(f"{CHAIN}/erc721:0x{'cc' * 20}")),
        Holding(account_id(f"{CHAIN}:0x1234"), NATIVE),
        Holding(_holding(1).account, asset_id(f"{CHAIN}/erc20:0x12")),
    ]
    with _node({"eth_getBalance": "0x5"}) as reader:
        readings = reader.read_balances(BLOCK, [*strange, _holding(1)])
    assert [reading.units for reading in readings] == [None] * 4 + [5]
    assert all(reading.failure for reading in readings[:4])


def test_a_block_of_another_chain_is_refused() -> None:
    with _node({}) as reader, pytest.raises(IdentifierError, match="eip155:1"):
        reader.read_balances(BLOCK._replace(chain=ChainId("eip155:1")), [_holding(1)])


@pytest.mark.parametrize(
    "options",
    [
        {"batch": "0"},
        {"batch": "1001"},
        {"batch": "many"},
        {"multicall": "on"},
        {"block_parameter": "tag"},
        {"speed": "9"},
    ],
)
def test_an_unknown_option_or_value_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(NetworkDataError, match="node/json-rpc"):
        EvmReader(network_of(CHAIN), Provider("node", CHAIN, "json-rpc", tuple(options.items())), HttpTransport())


def test_multicall_and_single_calls_give_the_same_readings_with_fewer_requests(evm: EmbeddedEvm) -> None:
    token = evm.deploy_token()
    addresses = [f"0x{number:040x}" for number in range(5000, 5040)]
    evm.fund({address: 10**15 + number for number, address in enumerate(addresses)})
    evm.mint(token, {address: 10**6 + number for number, address in enumerate(addresses)})
    block = evm.mine()
    assets = [NATIVE, asset_id(f"{CHAIN}/erc20:{token}")]
    holdings = [Holding(account_id(f"{CHAIN}:{address}"), asset) for address in addresses for asset in assets]
    expected = [units for number in range(40) for units in (10**15 + number, 10**6 + number)]
    requests = {}
    for name, options in {
        "multicall": {"multicall": "7"},
        "batches": {"multicall": "off", "batch": "9"},
        "by number": {"block_parameter": "number"},
    }.items():
        reader, transport = _reader(evm, **options)
        readings = reader.read_balances(block, holdings)
        assert [reading.units for reading in readings] == expected, name
        assert [reading.holding for reading in readings] == holdings, name
        assert all(reading.evidence for reading in readings), name
        requests[name] = len(transport.bodies)
    # 40 of each in calls of 7 are 6 + 6 calls, all in one request, after one question for the code.
    assert requests == {"multicall": 2, "batches": 9, "by number": 3}


def test_few_holdings_are_asked_without_looking_for_multicall(evm: EmbeddedEvm) -> None:
    reader, transport = _reader(evm)
    reader.read_balances(reader.final_block(), [_holding(number) for number in range(MULTICALL_FROM - 1)])
    assert not any(b"eth_getCode" in body for body in transport.bodies)


def test_a_bad_token_spoils_no_other_in_one_aggregate(evm: EmbeddedEvm) -> None:
    token = evm.deploy_token()
    burning = evm.deploy(KEY, _creation(BURNING_TOKEN))
    addresses = [f"0x{number:040x}" for number in range(6000, 6010)]
    evm.mint(token, dict.fromkeys(addresses, 9))
    block = evm.mine()
    good, burn, absent = (asset_id(f"{CHAIN}/erc20:{where}") for where in (token, burning, "0x" + "de" * 20))
    holdings = [
        Holding(account_id(f"{CHAIN}:{address}"), asset) for address in addresses for asset in (burn, good, absent)
    ]
    reader, _ = _reader(evm)
    readings = reader.read_balances(block, holdings)
    assert [reading.units for reading in readings] == [None, 9, None] * 10
    assert "no such token contract" in readings[2].failure


def test_a_hostile_token_cannot_inflate_a_balance_read_with_it(evm: EmbeddedEvm) -> None:
    """In one aggregate the token's coins would already have moved when the native balance is asked."""
    giving = evm.deploy(KEY, _creation(GIVING_TOKEN))
    evm.transfer(KEY, giving, 10**17)
    block = evm.mine()
    asset = asset_id(f"{CHAIN}/erc20:{giving}")
    accounts = [account_id(f"{CHAIN}:0x{number:040x}") for number in range(7000, 7010)]
    holdings = [Holding(account, kind) for account in accounts for kind in (asset, NATIVE)]
    assert _inflated(evm, giving, accounts[0].rpartition(":")[2]) == 10**17
    reader, _ = _reader(evm)
    for readings in (reader.read_balances(block, holdings), reader.read_balances(block, holdings[::-1])):
        native = [reading.units for reading in readings if reading.holding.asset == NATIVE]
        assert native == [0] * 10


def _inflated(evm: EmbeddedEvm, giving: str, address: str) -> int:
    """Ask the token and then the native balance in one aggregate, as our reader must not."""
    assert evm.network.evm is not None
    multicall = evm.network.evm.multicall3
    calls = [(giving, True, balance_of(address)), (multicall, True, eth_balance(address))]
    asked = AGGREGATE3 + encode(["(address,bool,bytes)[]"], [calls])
    rpc = JsonRpc(HttpTransport(), evm.provider())
    answer = rpc.call("eth_call", {"to": multicall, "data": hexadecimal(asked)}, "latest")
    returned = decode_aggregate3(answer.result, 2)[1]
    assert returned is not None
    return int.from_bytes(returned)


def test_a_multicall_that_answers_nonsense_is_not_believed() -> None:
    methods = {"eth_getCode": "0x60", "eth_call": "0x" + "00" * 40, "eth_getBalance": "0x5"}
    with _node(methods) as reader:
        readings = reader.read_balances(BLOCK, [_holding(number) for number in range(MULTICALL_FROM)])
    assert [reading.units for reading in readings] == [5] * MULTICALL_FROM


def test_reading_by_number_notices_a_block_replaced_meanwhile() -> None:
    moved = JSON_BLOCK | {"hash": "0x" + "cd" * 32}
    methods = {"eth_getBalance": "0x5", "eth_getBlockByNumber": moved}
    reading = _one(methods, block_parameter="number")
    assert reading.units is None
    assert "is now 0xcdcd" in reading.failure
    assert _one(methods | {"eth_getBlockByNumber": JSON_BLOCK}, block_parameter="number").units == 5
    gone = _one(methods | {"eth_getBlockByNumber": RpcFaultError(-32000, "shutting down")}, block_parameter="number")
    assert gone.units is None
    assert "shutting down" in gone.failure


def test_a_node_without_eip_1898_fails_until_reading_by_number_is_allowed() -> None:
    def balance(address: str, block: Any) -> Any:
        return "0x5" if isinstance(block, str) else RpcFaultError(-32602, "invalid argument 1: hex string expected")

    methods = {"eth_getBalance": balance, "eth_getBlockByNumber": JSON_BLOCK}
    assert _one(methods).units is None
    assert _one(methods, block_parameter="number").units == 5


def test_a_recorded_reading_replays_without_a_node(evm: EmbeddedEvm, tmp_path: Path) -> None:
    evm.fund({f"0x{number:040x}": number for number in range(8000, 8030)})
    block = evm.mine()
    holdings = [_holding(number) for number in range(8000, 8030)]
    recording = RecordingTransport(HttpTransport(), tmp_path / "journal.jsonl")
    live = EvmReader(evm.network, evm.provider(), recording).read_balances(block, holdings)
    replaying = ReplayTransport(recording.close())
    unreachable = dataclasses.replace(evm.provider(), url="")
    again = EvmReader(evm.network, unreachable, replaying).read_balances(block, holdings)
    assert list(again) == list(live)
    assert [reading.units for reading in again] == list(range(8000, 8030))


@pytest.mark.real_anvil
def test_a_real_pruned_node_is_a_failure_and_never_zero() -> None:
    with running_anvil("--prune-history") as anvil:
        harness = AnvilHarness(anvil, "json-rpc")
        reader = EvmReader(harness.network, harness.provider, HttpTransport(Limits(tries=1)))
        holding = Holding(harness.fund(12_345), AssetId(harness.network.native_asset))
        block = reader.final_block()
        assert [reading.units for reading in reader.read_balances(block, [holding])] == [12_345]
        anvil.rpc("anvil_mine", hex(20))
        (reading,) = reader.read_balances(block, [holding])
        assert reading.units is None
        assert reading.failure


@pytest.mark.real_anvil
def test_thousands_of_holdings_are_asked_in_requests_that_a_real_node_accepts() -> None:
    with running_anvil() as anvil:
        harness = AnvilHarness(anvil, "json-rpc")
        transport = CountingTransport()
        reader = EvmReader(harness.network, harness.provider, transport)
        native = AssetId(harness.network.native_asset)
        accounts = [account_id(f"{harness.network.chain}:0x{number:040x}") for number in range(10**6, 10**6 + 6000)]
        readings = reader.read_balances(reader.final_block(), [Holding(account, native) for account in accounts])
    assert [reading.units for reading in readings] == [0] * 6000
    assert len(transport.bodies) == 5
    assert max(map(len, transport.bodies)) < 1_500_000


def test_the_core_reader_loads_no_optional_package() -> None:
    check = "import sys, chains.evm.reader, chains.evm.state_proof, chains.evm.header; print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    for name in ("web3", "eth_account", "eth_abi", "eth_utils", "eth_tester", "rlp"):
        assert f"'{name}'" not in modules
    assert "'chains.evm.abi'" in modules
