"""State proofs: they prove exactly what they say, and one flipped bit proves nothing."""

import json
from typing import Any

import pytest
import requests
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chains.embedded.evm_tester import EmbeddedEvm
from chains.errors import ChainError, ProofError
from chains.evm.header import verify_header
from chains.evm.keccak import keccak256
from chains.evm.state_proof import ABSENT, EMPTY_ROOT, MAX_NODE_BYTES, prove_value, verify_proof
from tests.chains.mainnet_vectors import mainnet
from tests.live.anvil import AnvilHarness, running_anvil

DEPOSIT_CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa"
KEYS = st.binary(min_size=32, max_size=32)
# Short keys with a common start make deep trees; short values make nodes that stand inside their parents.
SIMILAR_KEYS = st.binary(min_size=1, max_size=2).map(lambda tail: tail.rjust(32, b"\x11"))
TREES = st.dictionaries(st.one_of(KEYS, SIMILAR_KEYS), st.binary(min_size=1, max_size=60), max_size=30)


def _tree(entries: dict[bytes, bytes]) -> HexaryTrie:
    tree = HexaryTrie({})
    for key, value in entries.items():
        tree[key] = value
    return tree


def _proof(tree: HexaryTrie, key: bytes, *, inner: bool) -> list[bytes]:
    nodes = [rlp.encode(node) for node in tree.get_proof(key)]
    return [node for number, node in enumerate(nodes) if number == 0 or inner or len(node) >= 32]


@given(TREES, st.booleans(), st.data())
def test_every_present_and_absent_key_of_any_tree_is_proven(
    entries: dict[bytes, bytes], inner: bool, data: st.DataObject
) -> None:
    tree = _tree(entries)
    for key in [*entries, data.draw(KEYS), data.draw(SIMILAR_KEYS)]:
        assert prove_value(tree.root_hash, key, _proof(tree, key, inner=inner)) == entries.get(key)


@settings(max_examples=50)
@given(TREES.filter(len), st.booleans(), st.data())
def test_any_flipped_bit_any_lost_or_added_node_is_refused(
    entries: dict[bytes, bytes], inner: bool, data: st.DataObject
) -> None:
    tree = _tree(entries)
    key = data.draw(st.sampled_from(sorted(entries)))
    nodes = _proof(tree, key, inner=inner)
    where = data.draw(st.integers(0, len(nodes) - 1))
    bit = data.draw(st.integers(0, 8 * len(nodes[where]) - 1))
    flipped = bytearray(nodes[where])
    flipped[bit // 8] ^= 1 << bit % 8
    forgeries = [
        [*nodes[:where], bytes(flipped), *nodes[where + 1 :]],
        [*nodes, nodes[where]],
        [*nodes, b""],
        [nodes[0], *nodes],
    ]
    if len(nodes[-1]) >= 32 or len(nodes) == 1:
        forgeries.append(nodes[:-1])
    for forged in forgeries:
        with pytest.raises(ProofError):
            prove_value(tree.root_hash, key, forged)


@given(TREES.filter(len), st.data())
def test_a_proof_of_one_key_proves_no_other_value(entries: dict[bytes, bytes], data: st.DataObject) -> None:
    tree = _tree(entries)
    key, other = data.draw(st.sampled_from(sorted(entries))), data.draw(KEYS)
    try:
        found = prove_value(tree.root_hash, other, _proof(tree, key, inner=False))
    except ProofError:
        return
    assert found == entries.get(other)


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_garbage_never_raises_anything_but_our_error(nodes: list[bytes]) -> None:
    root = keccak256(nodes[0]) if nodes else bytes(32)
    try:
        prove_value(root, bytes(32), nodes)
    except ProofError:
        return
    assert nodes


def test_the_empty_tree_proves_absence_with_no_node_or_its_one_node() -> None:
    assert prove_value(EMPTY_ROOT, bytes(32), []) is None
    assert prove_value(EMPTY_ROOT, bytes(32), [b"\x80"]) is None
    for nodes in ([b"\x81"], [b"\x80", b"\x80"], [b""]):
        with pytest.raises(ProofError):
            prove_value(EMPTY_ROOT, bytes(32), nodes)


def test_a_proof_too_large_or_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProofError, match="more than"):
        prove_value(bytes(32), bytes(32), [bytes(MAX_NODE_BYTES + 1)])
    with pytest.raises(ProofError, match="more than"):
        prove_value(bytes(32), bytes(32), [b"\x80"] * 100)


def test_deeply_nested_nodes_are_refused_without_recursion() -> None:
    node = b"\xc0"
    for _ in range(300):
        node = rlp.codec.length_prefix(len(node), 0xC0) + node
    assert len(node) <= MAX_NODE_BYTES
    with pytest.raises(ProofError):
        prove_value(keccak256(node), bytes(32), [node])


def test_the_deposit_contracts_real_balance_is_proven() -> None:
    block, proof = mainnet("block.json"), mainnet("proof.json")
    header = verify_header(block, block["hash"])
    proven = verify_proof(header.state_root, DEPOSIT_CONTRACT, proof)
    assert proven.state.balance == 57_657_174_398_349_561_183_621_184
    assert proven.state.nonce == 1
    assert list(proven.storage) == [1]


def test_the_block_builders_real_balance_is_proven() -> None:
    block, proof = mainnet("block.json"), mainnet("block_miner_proof.json")
    proven = verify_proof(verify_header(block, block["hash"]).state_root, block["miner"], proof)
    assert proven.state.balance == 0x9305538E4DF80DBA


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for number, inner in enumerate(value) for leaf in _leaves(inner, (*path, number))]
    return [path]


def _changed(proof: dict[str, Any], path: tuple[Any, ...], where: int, mask: int) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(proof))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    text = inner[path[-1]]
    inner[path[-1]] = text[:where] + f"{int(text[where], 16) ^ mask:x}" + text[where + 1 :]
    return dict(copy)


def test_one_flipped_bit_anywhere_in_a_real_proof_is_refused() -> None:
    root = bytes.fromhex(mainnet("block.json")["stateRoot"][2:])
    proof = mainnet("proof.json")
    tried = 0
    for path in _leaves(proof):
        inner: Any = proof
        for step in path:
            inner = inner[step]
        for where in sorted({2, 3, len(inner) // 2, len(inner) - 1}):
            if not 2 <= where < len(inner):
                continue
            for mask in (1, 2, 4, 8):
                tried += 1
                with pytest.raises(ChainError):
                    verify_proof(root, DEPOSIT_CONTRACT, _changed(proof, path, where, mask))
    assert tried > 100


def test_a_proof_under_another_state_root_is_refused() -> None:
    with pytest.raises(ProofError):
        verify_proof(bytes(32), DEPOSIT_CONTRACT, mainnet("proof.json"))


def test_malformed_answers_are_refused_with_our_error() -> None:
    root = bytes.fromhex(mainnet("block.json")["stateRoot"][2:])
    proof = mainnet("proof.json")
    for name in ("address", "accountProof", "balance", "nonce", "codeHash", "storageHash", "storageProof"):
        for bad in (None, 5, "0x", "zz", [], [5], ["zz"], {}, [["0x"]], ["0x"] * 70):
            if bad == [] and name == "storageProof":
                continue
            with pytest.raises(ProofError):
                verify_proof(root, DEPOSIT_CONTRACT, proof | {name: bad})
        without = {key: value for key, value in proof.items() if key != name}
        with pytest.raises(ProofError):
            verify_proof(root, DEPOSIT_CONTRACT, without)


def _ask(url: str, method: str, *parameters: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(parameters)}
    return requests.post(url, json=question, timeout=30).json()["result"]


def _mapping_slot(holder: str, base: int) -> int:
    return int.from_bytes(keccak256(bytes(12) + bytes.fromhex(holder[2:]) + base.to_bytes(32)))


def _check_node(url: str, token: str, rich: str, units: int, tokens: int, absent: str) -> None:
    """Prove a native balance, a token balance in its storage slot (balanceOf is slot 1), and two absences."""
    block = _ask(url, "eth_getBlockByNumber", "latest", False)
    root = verify_header(block, block["hash"]).state_root
    pin = {"blockHash": block["hash"]}
    slots = [_mapping_slot(rich, 1), _mapping_slot(absent, 1), 0]
    assert verify_proof(root, rich, _ask(url, "eth_getProof", rich, [], pin)).state.balance == units
    assert verify_proof(root, absent, _ask(url, "eth_getProof", absent, [], pin)).state == ABSENT
    keys = [f"0x{slot:064x}" for slot in slots]
    proven = verify_proof(root, token, _ask(url, "eth_getProof", token, keys, pin))
    assert [proven.storage[slot] for slot in slots] == [tokens, 0, tokens]


def test_native_and_token_balances_of_the_embedded_evm_are_proven() -> None:
    rich, absent = "0x" + "aa" * 20, "0x" + "bb" * 20
    with EmbeddedEvm() as evm:
        token = evm.deploy_token()
        evm.fund({rich: 10**18} | {f"0x{number:040x}": 1 for number in range(1000, 1040)})
        evm.mint(token, {rich: 77})
        evm.mine()
        _check_node(evm.url, token, rich, 10**18, 77, absent)


@pytest.mark.real_anvil
def test_native_and_token_balances_of_anvil_are_proven() -> None:
    with running_anvil() as anvil:
        harness = AnvilHarness(anvil, "json-rpc")
        token = harness.token()
        holder = harness.fund(55, token).rpartition(":")[2]
        anvil.send(to=holder, value=hex(10**18))
        _check_node(anvil.url, harness.token_address, holder, 10**18, 55, harness.empty().rpartition(":")[2])
