"""A real answer of TON's main network is proven from its block's hash, and any change of it is refused."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import ProofError
from chains.ton.cells import read_cells
from chains.ton.proof import prove_account

REAL = json.loads((Path(__file__).parent / "ton_mainnet_proof.json").read_text("utf-8"))
BLOCK = bytes.fromhex(REAL["root_hash"])
SHARD_PROOF, ACCOUNT_PROOF = bytes.fromhex(REAL["shard_proof"]), bytes.fromhex(REAL["account_proof"])
ACCOUNT = bytes.fromhex(REAL["address"].removeprefix("0:"))
NANOTONS = 5_273_094_811


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_real_account_is_proven_from_the_hash_of_the_masterchain_block() -> None:
    assert prove_account(BLOCK, SHARD_PROOF, ACCOUNT_PROOF, 0, ACCOUNT) == NANOTONS


def test_a_proof_with_any_bit_changed_is_refused() -> None:
    for bit in range(8 * len(SHARD_PROOF)):
        with pytest.raises(ProofError):
            prove_account(BLOCK, flipped(SHARD_PROOF, bit), ACCOUNT_PROOF, 0, ACCOUNT)


def test_an_account_proof_with_a_bit_of_any_byte_changed_is_refused() -> None:
    for place in range(len(ACCOUNT_PROOF)):
        with pytest.raises(ProofError):
            prove_account(BLOCK, SHARD_PROOF, flipped(ACCOUNT_PROOF, 8 * place + place % 8), 0, ACCOUNT)


@pytest.mark.long
def test_an_account_proof_with_any_bit_changed_is_refused() -> None:
    for bit in range(8 * len(ACCOUNT_PROOF)):
        with pytest.raises(ProofError):
            prove_account(BLOCK, SHARD_PROOF, flipped(ACCOUNT_PROOF, bit), 0, ACCOUNT)


def test_another_block_is_refused() -> None:
    for bit in range(256):
        with pytest.raises(ProofError):
            prove_account(flipped(BLOCK, bit), SHARD_PROOF, ACCOUNT_PROOF, 0, ACCOUNT)


def test_a_proof_says_nothing_of_accounts_whose_branch_it_leaves_out() -> None:
    """Another account is in another shard, or behind a pruned branch, or shown to be absent, and then holds nothing."""
    absent = []
    for bit in range(256):
        try:
            absent.append((bit, prove_account(BLOCK, SHARD_PROOF, ACCOUNT_PROOF, 0, flipped(ACCOUNT, bit))))
        except ProofError:
            continue
    assert absent
    assert {units for _, units in absent} == {0}


@pytest.mark.parametrize("workchain", [-1, 1, 7])
def test_the_same_account_of_another_workchain_is_refused(workchain: int) -> None:
    for proof in (SHARD_PROOF, b""):
        with pytest.raises(ProofError):
            prove_account(BLOCK, proof, ACCOUNT_PROOF, workchain, ACCOUNT)


def test_a_hash_or_an_account_of_another_length_is_refused() -> None:
    for block, account in ((BLOCK[:-1], ACCOUNT), (BLOCK, ACCOUNT[:-1]), (BLOCK, ACCOUNT + b"\0"), (b"", b"")):
        with pytest.raises(ProofError):
            prove_account(block, SHARD_PROOF, ACCOUNT_PROOF, 0, account)


@given(st.lists(st.tuples(st.integers(0, len(ACCOUNT_PROOF) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_proof_changed_in_several_bytes_is_refused_or_the_same(changes: list[tuple[int, int]]) -> None:
    changed = bytearray(ACCOUNT_PROOF)
    for place, byte in changes:
        changed[place] = byte
    try:
        units = prove_account(BLOCK, SHARD_PROOF, bytes(changed), 0, ACCOUNT)
    except ProofError:
        return
    assert bytes(changed) == ACCOUNT_PROOF
    assert units == NANOTONS


@given(st.binary(max_size=300))
def test_a_bag_of_any_bytes_is_cells_or_a_proof_error(data: bytes) -> None:
    for bag in (data, bytes.fromhex("b5ee9c72") + data, bytes.fromhex("b5ee9c7201010101") + data):
        try:
            read_cells(bag)
        except ProofError:
            continue


def test_a_state_that_the_block_does_not_lead_to_is_refused_though_the_blocks_hash_is_right() -> None:
    """A pruned branch under a Merkle update keeps two hashes, and the block's own hash covers only the second."""
    state_hash = read_cells(ACCOUNT_PROOF)[1].refs[0].hashes[0]
    place = ACCOUNT_PROOF.rindex(state_hash)
    forged = ACCOUNT_PROOF[:place] + bytes(32) + ACCOUNT_PROOF[place + 32 :]
    with pytest.raises(ProofError, match="of other trees"):
        prove_account(BLOCK, SHARD_PROOF, forged, 0, ACCOUNT)


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda proof: b"",
    "the magic": lambda proof: proof[:4],
    "half": lambda proof: proof[: len(proof) // 2],
    "a byte less": lambda proof: proof[:-1],
    "a byte more": lambda proof: proof + b"\0",
    "the other proof": lambda proof: ACCOUNT_PROOF if proof == SHARD_PROOF else SHARD_PROOF,
    "one root": lambda proof: proof[:7] + b"\x01" + proof[8:],
    "too long": lambda proof: proof + bytes(1_000_001),
}


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_no_proof_is_refused(cut: str) -> None:
    with pytest.raises(ProofError):
        prove_account(BLOCK, CUTS[cut](SHARD_PROOF), ACCOUNT_PROOF, 0, ACCOUNT)
    with pytest.raises(ProofError):
        prove_account(BLOCK, SHARD_PROOF, CUTS[cut](ACCOUNT_PROOF), 0, ACCOUNT)


def test_a_proof_shortened_anywhere_is_refused() -> None:
    for length in range(len(SHARD_PROOF)):
        with pytest.raises(ProofError):
            prove_account(BLOCK, SHARD_PROOF[:length], ACCOUNT_PROOF, 0, ACCOUNT)


class Node(NamedTuple):
    """A cell to be written: its bits as text, what it refers to, and whether it is a special one."""

    bits: str = ""
    refs: tuple["Node", ...] = ()
    special: bool = False


def bag(*roots: Node) -> bytes:
    """Write cells as a bag, each as often as it occurs; the level of every cell written here is 0."""
    order, children = list(roots), []
    for node in order:
        children.append(range(len(order), len(order) + len(node.refs)))
        order.extend(node.refs)
    body = b""
    for node, numbers in zip(order, children, strict=True):
        whole, rest = divmod(len(node.bits), 8)
        padded = node.bits + ("1" + "0" * (7 - rest) if rest else "")
        body += bytes([len(node.refs) + 8 * node.special, 2 * whole + (rest > 0)])
        body += bytes(int(padded[place : place + 8], 2) for place in range(0, len(padded), 8))
        body += b"".join(number.to_bytes(2, "big") for number in numbers)
    head = bytes.fromhex("b5ee9c720203") + len(order).to_bytes(2, "big") + len(roots).to_bytes(2, "big") + bytes(2)
    listed = b"".join(number.to_bytes(2, "big") for number in range(len(roots)))
    return head + len(body).to_bytes(3, "big") + listed + body


def digest(node: Node) -> bytes:
    return read_cells(bag(node))[0].hashes[0]


def text(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def merkle(kind: int, *below: Node) -> Node:
    """Return a Merkle proof (3) or update (4) of whole trees."""
    cells = [read_cells(bag(node))[0] for node in below]
    said = b"".join(cell.hashes[0] for cell in cells) + b"".join(cell.depths[0].to_bytes(2, "big") for cell in cells)
    return Node(text(bytes([kind]) + said), below, special=True)


def block_of(state: Node) -> Node:
    return Node(f"{0x11EF55AA:032b}", (Node(), Node(), merkle(4, Node(), state), Node()))


def proof_of(block: Node, state: Node) -> bytes:
    return bag(merkle(3, block), merkle(3, state))


def state_of(accounts: dict[bytes, int], shard: str = "", chain: int = 0, extra: Sequence[Node] = ()) -> Node:
    """Return a state with at most one account."""
    leaves = [Node(f"10{256:09b}{text(key)}00000{4:04b}{units:032b}", (Node(),)) for key, units in accounts.items()]
    name = f"{0x9023AFE2:032b}{0:032b}00{len(shard):06b}{chain % 2**32:032b}{shard:0<64}"
    return Node(name, (Node(), Node("1" if leaves else "0", tuple(leaves)), Node(), *extra))


def masterchain_of(*shards: Node) -> Node:
    """Return a masterchain state that names the blocks of two shards, of the accounts that begin with 0 and with 1."""
    named = tuple(Node(f"01011{0:0192b}{text(digest(shard))}") for shard in shards)
    shards_of_chain = Node(f"10{32:06b}{0:032b}", (Node("1", named),))
    return state_of({}, "", -1, [Node(f"{0xCC26:016b}1", (shards_of_chain,))])


LOW, HIGH, NOBODY = bytes(32), b"\xff" * 32, b"\x7f" * 32
LOW_STATE, HIGH_STATE = state_of({LOW: 5}, "0"), state_of({HIGH: 7}, "1")
MASTER = masterchain_of(block_of(LOW_STATE), block_of(HIGH_STATE))
TOP = digest(block_of(MASTER))
TOP_PROOF = proof_of(block_of(MASTER), MASTER)


def test_accounts_of_a_small_network_are_proven_and_shown_to_be_absent() -> None:
    assert prove_account(TOP, TOP_PROOF, proof_of(block_of(LOW_STATE), LOW_STATE), 0, LOW) == 5
    assert prove_account(TOP, TOP_PROOF, proof_of(block_of(HIGH_STATE), HIGH_STATE), 0, HIGH) == 7
    assert prove_account(TOP, TOP_PROOF, proof_of(block_of(LOW_STATE), LOW_STATE), 0, NOBODY) == 0


def test_an_account_of_the_masterchain_needs_no_shard() -> None:
    state = state_of({HIGH: 9}, "", -1)
    assert prove_account(digest(block_of(state)), b"", proof_of(block_of(state), state), -1, HIGH) == 9


def test_absence_in_another_shard_proves_nothing() -> None:
    """Even a masterchain that names the wrong shard's block does not make an account absent that is elsewhere."""
    with pytest.raises(ProofError, match="not"):
        prove_account(TOP, TOP_PROOF, proof_of(block_of(HIGH_STATE), HIGH_STATE), 0, NOBODY)
    mixed = masterchain_of(block_of(HIGH_STATE), block_of(LOW_STATE))
    with pytest.raises(ProofError, match="another shard"):
        prove_account(
            digest(block_of(mixed)),
            proof_of(block_of(mixed), mixed),
            proof_of(block_of(HIGH_STATE), HIGH_STATE),
            0,
            NOBODY,
        )


def test_a_state_beside_the_one_the_block_leads_to_is_refused() -> None:
    richer = state_of({LOW: 500}, "0")
    with pytest.raises(ProofError, match="not the one its block leads to"):
        prove_account(TOP, TOP_PROOF, proof_of(block_of(LOW_STATE), richer), 0, LOW)


def test_a_special_cell_is_never_read_as_an_account() -> None:
    """A library cell stands for another one; its bytes, read as a dictionary, would show every account to be absent."""
    library = Node(text(b"\x02" + bytes(32)), special=True)
    state = Node(LOW_STATE.bits, (Node(), library, Node()))
    master = masterchain_of(block_of(state), block_of(HIGH_STATE))
    top = block_of(master)
    with pytest.raises(ProofError, match="leaves out"):
        prove_account(digest(top), proof_of(top, master), proof_of(block_of(state), state), 0, LOW)


def test_a_bag_with_a_second_spelling_or_too_deep_is_refused() -> None:
    nested = Node()
    for _ in range(1024):
        nested = Node("", (nested,))
    assert read_cells(bag(nested))
    with pytest.raises(ProofError, match="deeper"):
        read_cells(bag(Node("", (nested,))))
    assert read_cells(bag(Node("1")))
    with pytest.raises(ProofError, match="no bits"):
        read_cells(bytes.fromhex("b5ee9c7202030001000100000000030000000180"))
    lonely = bytearray(bag(Node(), Node()))
    lonely[8:10] = b"\0\1"
    del lonely[17:19]
    with pytest.raises(ProofError, match="nothing refers to"):
        read_cells(bytes(lonely))
