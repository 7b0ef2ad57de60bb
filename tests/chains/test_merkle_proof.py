"""A transaction is in a block, or the proof is refused: own trees, btclib's trees, and Bitcoin Knots'."""

import struct
from contextlib import suppress
from hashlib import sha256

import pytest
from btclib.block.partial_merkle_tree import PartialMerkleTree
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.merkle_proof import (
    MAX_TRANSACTIONS,
    MerkleBlock,
    check_branch,
    check_merkle_block,
    transaction_id,
)
from chains.errors import ProofError
from tests.live.bitcoind import BLOCKS_TO_MATURITY, knots


def sha256d(raw: bytes) -> bytes:
    return sha256(sha256(raw).digest()).digest()


def transaction(number: int, script: bytes = bytes(30)) -> bytes:
    """Make the smallest thing that has a transaction's form."""
    inputs = b"\x01" + number.to_bytes(32, "big") + bytes(4) + b"\x00" + bytes(4)
    return b"\x02\x00\x00\x00" + inputs + b"\x01" + bytes(8) + bytes([len(script)]) + script + bytes(4)


def header_of(root: bytes) -> bytes:
    return struct.pack("<i32s32sIII", 4, bytes(32), root, 1_700_000_000, 0x207FFFFF, 0)


def rows_of(leaves: list[bytes]) -> list[list[bytes]]:
    rows = [leaves]
    while len(rows[-1]) > 1:
        row = [*rows[-1], rows[-1][-1]] if len(rows[-1]) % 2 else rows[-1]
        rows.append([sha256d(row[at] + row[at + 1]) for at in range(0, len(row), 2)])
    return rows


def branch_of(rows: list[list[bytes]], position: int) -> list[str]:
    siblings = []
    for row in rows[:-1]:
        siblings.append(row[min(position ^ 1, len(row) - 1)][::-1].hex())
        position >>= 1
    return siblings


def proof_of(count: int, chosen: set[int]) -> tuple[bytes, list[str]]:
    """Return a Merkle block made by btclib over our transactions, and all ids."""
    names = [transaction_id(transaction(number)) for number in range(count)]
    tree = PartialMerkleTree.from_txids(names, [number in chosen for number in range(count)])
    root = rows_of([bytes.fromhex(name)[::-1] for name in names])[-1][0]
    return header_of(root) + tree.serialize(), names


@given(st.integers(1, 40), st.sets(st.integers(0, 39), max_size=6))
def test_a_merkle_block_of_any_shape_proves_what_it_names(count: int, chosen: set[int]) -> None:
    chosen = {number for number in chosen if number < count}
    proof, names = proof_of(count, chosen)
    proven = check_merkle_block(proof)
    expected = {number: names[number] for number in sorted(chosen)}
    assert proven == MerkleBlock(sha256d(proof[:80])[::-1].hex(), count, expected)


@given(st.integers(1, 40), st.data())
def test_a_branch_of_any_position_proves_its_transaction(count: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, count - 1))
    leaves = [sha256d(transaction(number)) for number in range(count)]
    rows = rows_of(leaves)
    header = header_of(rows[-1][0])
    assert check_branch(transaction(position), branch_of(rows, position), position, header) == (
        leaves[position][::-1].hex()
    )
    with pytest.raises(ProofError):
        check_branch(transaction(count), branch_of(rows, position), position, header)


def test_every_flipped_bit_of_a_merkle_block_is_refused_or_names_another_block() -> None:
    proof, names = proof_of(7, {2, 5})
    for bit in range(8 * len(proof)):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            proven = check_merkle_block(bytes(changed))
        except ProofError:
            continue
        outside_root = bit < 36 * 8 or 68 * 8 <= bit < 80 * 8  # fields of the header that name the block
        if outside_root:
            assert proven.block_hash != sha256d(proof[:80])[::-1].hex()
        else:  # the number of transactions is not committed to; what is proven stays within the block
            assert 80 * 8 <= bit < 84 * 8 or bit >= 8 * (len(proof) - 2)
            assert set(proven.transactions.values()) <= set(names)


def test_every_cut_and_addition_to_a_merkle_block_is_refused() -> None:
    proof, _ = proof_of(9, {3})
    for size in range(len(proof)):
        with pytest.raises(ProofError):
            check_merkle_block(proof[:size])
    with pytest.raises(ProofError, match="follow"):
        check_merkle_block(proof + b"\x00")


def rebuilt(count: int, hashes: list[bytes], bits: bytes, root: bytes) -> bytes:
    sized = bytes([len(hashes)]) + b"".join(hashes) + bytes([len(bits)]) + bits
    return header_of(root) + count.to_bytes(4, "little") + sized


A, B = (sha256d(transaction(number)) for number in range(2))


@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        (rebuilt(0, [A], b"\x01", A), "0 transactions"),
        (rebuilt(MAX_TRANSACTIONS + 1, [A], b"\x01", A), "a block has 1 to"),
        (rebuilt(1, [A, B], b"\x01", A), "2 hashes for 1"),
        (rebuilt(2, [A, B], b"\x00", A), "does not use"),
        (rebuilt(1, [A], b"\x01\x00", A), "does not use"),
        (rebuilt(1, [A], b"\x03", A), "not zero"),
        (rebuilt(2, [A], b"\x03", A), "too few hashes"),
        (rebuilt(1, [A], b"", A), "too few bits"),
        (rebuilt(1, [], b"\x01", A), "too few hashes"),
        (rebuilt(2, [A, A], b"\x07", sha256d(A + A)), "repeats"),
        (rebuilt(2, [A, B], b"\x03", sha256d(B + A)), "Merkle root"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_tree_cannot_be_is_refused(proof: bytes, reason: str) -> None:
    with pytest.raises(ProofError, match=reason):
        check_merkle_block(proof)


def test_a_repeated_last_transaction_is_refused_as_a_fourth() -> None:
    leaves = [sha256d(transaction(number)) for number in range(3)]
    rows = rows_of(leaves)
    header, siblings = header_of(rows[-1][0]), branch_of(rows, 2)
    assert check_branch(transaction(2), siblings, 2, header)
    with pytest.raises(ProofError, match="beside itself"):
        check_branch(transaction(2), siblings, 3, header)


def test_a_transaction_of_64_bytes_proves_nothing() -> None:
    raw = transaction(1, bytes(4))
    assert len(raw) == 64
    with pytest.raises(ProofError, match="64 bytes"):
        check_branch(raw, [], 0, header_of(sha256d(raw)))
    assert check_branch(transaction(1, bytes(5)), [], 0, header_of(sha256d(transaction(1, bytes(5)))))


def test_a_made_up_transaction_below_a_real_one_of_64_bytes_is_refused() -> None:
    real = transaction(5, bytes(4))
    left, right = real[:32], real[32:]
    with pytest.raises(ProofError, match="reads as a transaction"):
        check_merkle_block(rebuilt(2, [left, right], b"\x05", sha256d(real)))
    # the id of one in 256 transactions does for a real one's first half; the second half is free
    number = next(number for number in range(10_000) if sha256d(transaction(number))[4] == 1)
    below = header_of(sha256d(sha256d(transaction(number)) + right))
    with pytest.raises(ProofError, match="reads as a transaction"):
        check_branch(transaction(number), [right[::-1].hex()], 0, below)


@pytest.mark.parametrize("siblings", [["zz"], ["00"], [None], ["00" * 33], ["00" * 32] * 40])
def test_siblings_that_are_no_hashes_are_refused(siblings: list[str]) -> None:
    with pytest.raises(ProofError):
        check_branch(transaction(1), siblings, 0, header_of(bytes(32)))


@given(st.binary(max_size=120))
def test_any_bytes_as_a_transaction_are_refused_by_our_error_or_named(raw: bytes) -> None:
    with suppress(ProofError):
        assert len(transaction_id(raw)) == 64


@pytest.mark.real_bitcoind
def test_knots_own_proofs_and_transactions_with_witnesses_hold() -> None:
    with knots() as node:
        node.mine(BLOCKS_TO_MATURITY + 8)
        targets = [node.call("getnewaddress", "", kind, wallet="holders") for kind in ("bech32", "legacy", "bech32m")]
        names = [node.call("sendtoaddress", target, "1.5", wallet="miner") for target in targets * 2]
        (block,) = node.mine()
        about = node.call("getblock", block)
        leaves = [bytes.fromhex(name)[::-1] for name in about["tx"]]
        header = bytes.fromhex(node.call("getblockheader", block, False))
        for wanted in (names[:1], names[1:4], names):
            proof = bytes.fromhex(node.call("gettxoutproof", wanted, block))
            proven = check_merkle_block(proof)
            assert (proven.block_hash, proven.transaction_count) == (block, len(leaves))
            assert sorted(proven.transactions.values()) == sorted(wanted)
            assert all(about["tx"][position] == name for position, name in proven.transactions.items())
            ours = {position: name.hex() for position, name in PartialMerkleTree.parse(proof[80:]).matches}
            assert proven.transactions == ours
        for position, name in enumerate(about["tx"]):
            raw = bytes.fromhex(node.call("getrawtransaction", name, False, block))
            assert check_branch(raw, branch_of(rows_of(leaves), position), position, header) == name
