"""Block headers: the hash everyone quotes follows from the fields, in every upgrade's form."""

from pathlib import Path
from typing import Any

import pytest
import requests

from chains.embedded.evm_tester import EmbeddedEvm
from chains.errors import ProofError
from chains.evm.header import header_hash, verify_header
from chains.evm.state_proof import EMPTY_ROOT
from chains.ids import ChainId
from chains.network import network_of
from tests.chains.mainnet_vectors import mainnet
from tests.live.anvil import running_anvil

GENESIS: dict[str, Any] = {
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "transactionsRoot": "0x" + EMPTY_ROOT.hex(),
    "receiptsRoot": "0x" + EMPTY_ROOT.hex(),
    "logsBloom": "0x" + "00" * 256,
    "number": "0x0",
    "gasUsed": "0x0",
    "mixHash": "0x" + "00" * 32,
}
# The genesis blocks as the networks publish them: one before London, one at London.
MAINNET_GENESIS = GENESIS | {
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "difficulty": "0x400000000",
    "gasLimit": "0x1388",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "nonce": "0x0000000000000042",
}
SEPOLIA_GENESIS = GENESIS | {
    "stateRoot": "0x5eb6e371a698b8d68f665192350ffcecbbbf322916f4b51bd79bb6887da3f494",
    "difficulty": "0x20000",
    "gasLimit": "0x1c9c380",
    "timestamp": "0x6159af19",
    "extraData": "0x" + b"Sepolia, Athens, Attica, Greece!".hex(),
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x3b9aca00",
}
LONDON, SHANGHAI, CANCUN, PRAGUE = "baseFeePerGas", "withdrawalsRoot", "parentBeaconBlockRoot", "requestsHash"


def test_the_hash_of_ethereums_first_block_is_recomputed() -> None:
    assert header_hash(MAINNET_GENESIS) == "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"


def test_sepolias_canary_is_recomputed() -> None:
    canary = network_of(ChainId("eip155:11155111")).canary
    assert canary is not None
    assert verify_header(SEPOLIA_GENESIS, canary.hash).height == canary.height


def test_ethereums_canary_is_recomputed_from_the_real_block() -> None:
    canary = network_of(ChainId("eip155:1")).canary
    assert canary is not None
    header = verify_header(mainnet("block.json"), canary.hash)
    assert header.height == canary.height
    assert header.time == 1_740_508_595


def test_missing_real_data_skips_with_a_reason_or_fails_when_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POR_REQUIRE_VECTORS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"block\.json is not there"):
        mainnet("block.json", tmp_path)
    monkeypatch.setenv("POR_REQUIRE_VECTORS", "1")
    with pytest.raises(pytest.fail.Exception, match=r"block\.json is not there"):
        mainnet("block.json", tmp_path)


def _prague_block() -> dict[str, Any]:
    with EmbeddedEvm() as evm:
        evm.mine()
        question = {"jsonrpc": "2.0", "id": 0, "method": "eth_getBlockByNumber", "params": ["latest", False]}
        return dict(requests.post(evm.url, json=question, timeout=10).json()["result"])


def test_a_prague_block_of_py_evm_is_recomputed() -> None:
    block = _prague_block()
    assert PRAGUE in block
    assert header_hash(block) == block["hash"]


@pytest.mark.real_anvil
@pytest.mark.parametrize(
    ("hardfork", "newest", "missing"),
    [
        ("berlin", "nonce", LONDON),
        ("london", LONDON, SHANGHAI),
        ("shanghai", SHANGHAI, CANCUN),
        ("cancun", CANCUN, PRAGUE),
        ("prague", PRAGUE, "blockAccessListHash"),
    ],
)
def test_blocks_of_every_upgrade_are_recomputed_from_anvil(hardfork: str, newest: str, missing: str) -> None:
    with running_anvil("--hardfork", hardfork) as anvil:
        anvil.rpc("evm_mine")
        block = anvil.rpc("eth_getBlockByNumber", "latest", False)
    assert block.get(newest) is not None
    assert block.get(missing) is None
    assert verify_header(block, block["hash"]).height == 1


def test_any_changed_field_changes_the_hash() -> None:
    block = _prague_block()
    expected = block["hash"]
    fields = [*GENESIS, "stateRoot", "difficulty", "gasLimit", "timestamp", "nonce", LONDON, SHANGHAI, CANCUN, PRAGUE]
    for name in fields:
        text = block[name]
        changed = text[:-1] + ("1" if text[-1] == "0" else "0")
        with pytest.raises(ProofError, match="hashes to"):
            verify_header(block | {name: changed}, expected)


def test_a_missing_malformed_or_out_of_order_field_is_refused() -> None:
    block = _prague_block()
    for name in (*GENESIS, "stateRoot", "nonce", "blobGasUsed", "excessBlobGas", LONDON, SHANGHAI, CANCUN):
        without = {key: value for key, value in block.items() if key != name}
        with pytest.raises(ProofError):
            header_hash(without)
        for bad in (5, [], "0x", "0xzz", "0x" + "00" * 300):
            with pytest.raises(ProofError):
                header_hash(block | {name: bad})


def test_a_half_cancun_header_is_refused() -> None:
    block = {key: value for key, value in _prague_block().items() if key not in (PRAGUE, CANCUN)}
    with pytest.raises(ProofError, match="came with it"):
        header_hash(block)
