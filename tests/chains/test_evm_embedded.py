"""The embedded EVM: exact money, exact time, the same chain in every run, and quick to start."""

import subprocess
import sys
from typing import Any

import pytest
import requests

from chains.embedded import evm_tester
from chains.embedded.contracts import bytecode
from chains.embedded.evm_tester import CHAIN, EmbeddedEvm, address_of_key
from chains.errors import ChainError
from chains.evm.keccak import keccak256
from chains.evm.reader import EvmReader
from chains.http import HttpTransport
from chains.ids import AssetId, account_id, asset_id
from chains.model import Holding

ALICE, BOB = b"\x01" * 32, b"\x02" * 32


def _units(evm: EmbeddedEvm, address: str, token: str = "") -> int | None:
    asset = asset_id(f"{CHAIN}/erc20:{token}") if token else AssetId(evm.network.native_asset)
    reader = EvmReader(evm.network, evm.provider(), HttpTransport())
    (reading,) = reader.read_balances(reader.final_block(), [Holding(account_id(f"{CHAIN}:{address}"), asset)])
    return reading.units


def _ask(evm: EmbeddedEvm, method: str, *parameters: Any) -> dict[str, Any]:
    question = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(parameters)}
    return dict(requests.post(evm.url, json=question, timeout=10).json())


def test_an_address_follows_from_its_key() -> None:
    assert address_of_key((1).to_bytes(32)) == "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"


def test_selectors_are_the_hashes_of_their_signatures() -> None:
    assert keccak256(b"transfer(address,uint256)")[:4] == evm_tester.TRANSFER
    assert keccak256(b"mintMany(address[],uint256[])")[:4] == evm_tester.MINT_MANY


def test_coins_and_tokens_move_exactly() -> None:
    alice, bob = address_of_key(ALICE), address_of_key(BOB)
    with EmbeddedEvm() as evm:
        evm.fund({alice: 10**18})
        token = evm.deploy_token()
        evm.mint(token, {alice: 1_000_000})
        evm.mine()
        assert (_units(evm, alice), _units(evm, alice, token)) == (10**18, 1_000_000)
        evm.transfer(ALICE, bob, 10**17)
        evm.token_transfer(ALICE, token, bob, 250_000)
        evm.mine()
        assert (_units(evm, bob), _units(evm, bob, token)) == (10**17, 250_000)
        assert _units(evm, alice, token) == 750_000
        left = _units(evm, alice)
        assert left is not None
        assert 0 < 10**18 - 10**17 - left < 10**15
        assert int(_ask(evm, "eth_call", {"to": token, "data": "0x313ce567"}, "latest")["result"], 16) == 6


def test_a_transfer_that_cannot_be_paid_is_an_error() -> None:
    with EmbeddedEvm() as evm:
        evm.transfer(ALICE, address_of_key(BOB), 1)
        with pytest.raises(ChainError, match="block 1 is invalid"):
            evm.mine()
        token = evm.deploy_token()
        evm.fund({address_of_key(ALICE): 10**18})
        evm.mine()
        evm.token_transfer(ALICE, token, address_of_key(BOB), 1)
        with pytest.raises(ChainError, match="transaction 0 failed"):
            evm.mine()


def test_only_the_owner_mints() -> None:
    with EmbeddedEvm() as evm:
        token = evm.deploy_token()
        forbidden = evm_tester.mint_many([("0x" + "aa" * 20, 5)])
        assert "error" in _ask(evm, "eth_call", {"to": token, "data": "0x" + forbidden.hex()}, "latest")


def test_time_is_the_callers_to_set() -> None:
    with EmbeddedEvm(genesis_time=1_600_000_000) as evm:
        assert evm.mine().time == 1_600_000_012
        assert evm.mine(1_650_000_000).time == 1_650_000_000
        with pytest.raises(ChainError, match="invalid"):
            evm.mine(1_650_000_000)


def test_the_same_calls_make_the_same_chain() -> None:
    hashes = []
    for _ in range(2):
        with EmbeddedEvm() as evm:
            evm.fund({address_of_key(ALICE): 5})
            evm.deploy_token()
            hashes.append(evm.mine().hash)
    assert hashes[0] == hashes[1]


def test_more_transfers_than_fit_one_block_take_several() -> None:
    with EmbeddedEvm() as evm:
        before = evm.tip().height
        evm.fund({f"0x{number:040x}": number for number in range(1000, 1700)})
        assert evm.mine().height == before + 2
        assert _units(evm, f"0x{1699:040x}") == 1699


def test_the_first_block_too_can_be_replaced() -> None:
    with EmbeddedEvm() as evm:
        with pytest.raises(ChainError, match="genesis"):
            evm.replace_tip()
        old = evm.mine()
        new = evm.replace_tip()
        assert (new.height, new.hash == old.hash) == (old.height, False)
        refused = _ask(evm, "eth_getBalance", "0x" + "aa" * 20, {"blockHash": old.hash})
        assert "not on the main chain" in refused["error"]["message"]
        assert _ask(evm, "eth_getBlockByHash", old.hash, False)["result"] is None
        assert _ask(evm, "eth_getBlockByHash", new.hash, False)["result"]["number"] == "0x1"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("eth_getBalance", ["0x12", "latest"]),
        ("eth_getBalance", ["0x" + "aa" * 20, "0xffff"]),
        ("eth_getBalance", ["0x" + "aa" * 20, "yesterday"]),
        ("eth_getBalance", ["0x" + "aa" * 20, {"blockHash": "0x12"}]),
        ("eth_getBalance", ["0x" + "aa" * 20, {}]),
        ("eth_call", ["0x", "latest"]),
        ("eth_call", [{"to": "0x", "data": "0x"}, "latest"]),
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_mine", []),
    ],
)
def test_a_question_it_cannot_answer_gets_an_error(method: str, parameters: list[Any]) -> None:
    with EmbeddedEvm() as evm:
        assert "error" in _ask(evm, method, *parameters)


def test_forty_accounts_are_funded_in_one_block() -> None:
    with EmbeddedEvm() as evm:
        keys = [number.to_bytes(32) for number in range(1, 41)]
        token = evm.deploy_token()
        evm.fund({address_of_key(key): 10**18 for key in keys})
        evm.mint(token, {address_of_key(key): 10**6 for key in keys})
        evm.mine()
        assert _units(evm, address_of_key(keys[-1]), token) == 10**6


def test_importing_it_loads_no_web3() -> None:
    check = "import sys, chains.embedded.evm_tester; print('web3' in sys.modules, 'eth_tester' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert answer.split() == ["False", "True"]


def test_the_contracts_code_is_there() -> None:
    assert all(len(bytecode(name)) > 500 for name in ("DemoToken", "BalanceBatch"))
