"""Check that a block holds a transaction: the node's own proofs (`gettxoutproof`) and Electrum's branches.

A block's Merkle tree does not say which of its numbers are transactions and which are inner nodes, and it repeats the
last number of an odd row. Whoever can choose transactions can use both to prove what is not there. So a transaction of
64 bytes proves nothing, an inner node that reads as a transaction is refused (a true one does so once in a thousand
million), and so is a row that repeats a number.
Source: BIP-37; CVE-2012-2459; CVE-2017-12842.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from chains.bitcoin.header_chain import HEADER_BYTES, block_hash
from chains.errors import ProofError

HASH_BYTES = 32
MAX_TRANSACTIONS = 4_000_000 // (4 * 60)  # a block's weight (BIP-141) over that of the smallest transaction
MAX_DEPTH = MAX_TRANSACTIONS.bit_length()
INNER_BYTES = 64
MAX_RAW = 4_000_000


class MerkleBlock(NamedTuple):
    """What a `gettxoutproof` proves: transactions of the block, by position; hashes are reversed hex."""

    block_hash: str
    transaction_count: int
    transactions: dict[int, str]


class _Walk:
    """A walk through a partial tree, depth first, that uses up its bits and hashes."""

    def __init__(self, count: int, hashes: Sequence[bytes], bits: bytes) -> None:
        self.count, self.hashes, self.bits = count, hashes, bits
        self.hash_at = self.bit_at = 0
        self.matches: dict[int, bytes] = {}

    def width(self, height: int) -> int:
        return (self.count + (1 << height) - 1) >> height

    def take_bit(self) -> bool:
        if self.bit_at >= 8 * len(self.bits):
            raise ProofError("Merkle block: it ends before its tree is complete (too few bits)")
        self.bit_at += 1
        return bool(self.bits[self.bit_at - 1 >> 3] >> (self.bit_at - 1 & 7) & 1)

    def take_hash(self) -> bytes:
        if self.hash_at >= len(self.hashes):
            raise ProofError("Merkle block: it ends before its tree is complete (too few hashes)")
        self.hash_at += 1
        return self.hashes[self.hash_at - 1]

    def node(self, height: int, position: int) -> bytes:
        """Return the number of a node; its depth is at most `MAX_DEPTH`."""
        is_parent = self.take_bit()
        if height == 0 or not is_parent:
            taken = self.take_hash()
            if height == 0 and is_parent:
                self.matches[position] = taken
            return taken
        left = right = self.node(height - 1, 2 * position)
        if 2 * position + 1 < self.width(height - 1):
            right = self.node(height - 1, 2 * position + 1)
            if left == right:
                raise ProofError(f"Merkle block: a row repeats {left[::-1].hex()}, which a true block does not")
        return _join(left, right)


def check_merkle_block(proof: bytes) -> MerkleBlock:
    """Check a `gettxoutproof` (header and partial tree) by itself and return what it proves of which block.

    Whether that block is on the best chain is for `header_chain`. Each transaction must be shown as well
    (`transaction_id`) before it counts. Raises ProofError.
    """
    count, hashes, bits = _parts(proof)
    if not 0 < count <= MAX_TRANSACTIONS:
        raise ProofError(f"Merkle block: {count} transactions; a block has 1 to {MAX_TRANSACTIONS}")
    if len(hashes) > count:
        raise ProofError(f"Merkle block: {len(hashes)} hashes for {count} transactions")
    walk = _Walk(count, hashes, bits)
    root = walk.node((count - 1).bit_length(), 0)
    if walk.hash_at != len(hashes) or (walk.bit_at + 7) // 8 != len(bits):
        raise ProofError("Merkle block: it holds bits or hashes that its tree does not use")
    if walk.bit_at % 8 and bits[-1] >> walk.bit_at % 8:
        raise ProofError("Merkle block: the bits that fill its last byte are not zero")
    _compare(root, proof[:HEADER_BYTES])
    matches = {position: found[::-1].hex() for position, found in walk.matches.items()}
    return MerkleBlock(block_hash(proof[:HEADER_BYTES])[::-1].hex(), count, matches)


def check_branch(raw_transaction: bytes, siblings: Sequence[str], position: int, header: bytes) -> str:
    """Check Electrum's `blockchain.transaction.get_merkle`: siblings (reversed hex, lowest first) and a position.

    The raw transaction is needed, because a branch alone can pass an inner node off as a transaction. Returns its id
    in reversed hex. Raises ProofError.
    """
    if len(header) != HEADER_BYTES:
        raise ProofError(f"Merkle branch: a header of {len(header)} bytes; it has {HEADER_BYTES}")
    if len(siblings) > MAX_DEPTH or not 0 <= position < 1 << len(siblings):
        raise ProofError(f"Merkle branch: position {position} does not exist below {len(siblings)} siblings")
    name = transaction_id(raw_transaction)
    node = bytes.fromhex(name)[::-1]
    for height, text in enumerate(siblings):
        sibling = _sibling(text)
        is_right = position >> height & 1
        if sibling == node and is_right:
            raise ProofError(f"Merkle branch: {text} stands beside itself, which a true block does only at a row's end")
        node = _join(sibling, node) if is_right else _join(node, sibling)
    _compare(node, header)
    return name


def transaction_id(raw: bytes) -> str:
    """Return the id (reversed hex) of a raw transaction, without its witnesses if it has any.

    Raises ProofError for one of 64 bytes, which could be two inner nodes in disguise, and for what is no transaction.
    """
    if not 60 <= len(raw) <= MAX_RAW:
        raise ProofError(f"a transaction of {len(raw)} bytes; it has 60 to {MAX_RAW}")
    stripped = _without_witnesses(raw)
    if len(stripped) == INNER_BYTES:
        raise ProofError(
            "a transaction of 64 bytes: two inner nodes of the tree would look the same, so it proves nothing"
        )
    return sha256(sha256(stripped).digest()).digest()[::-1].hex()


def _without_witnesses(raw: bytes) -> bytes:
    """Return version, inputs, outputs and lock time; all bytes must belong to the transaction. Source: BIP-144."""
    marked = raw[4:6] == b"\x00\x01"
    start = 6 if marked else 4
    inputs, at = _size(raw, start)
    for _ in range(_bounded(inputs, raw)):
        length, at = _size(raw, at + 36)
        at += length + 4
    outputs, at = _size(raw, at)
    for _ in range(_bounded(outputs, raw)):
        length, at = _size(raw, at + 8)
        at += length
    end = at
    for _ in range(inputs if marked else 0):
        items, at = _size(raw, at)
        for _ in range(_bounded(items, raw)):
            length, at = _size(raw, at)
            at += length
    if at + 4 != len(raw) or not inputs or not outputs:
        raise ProofError(f"what should be a transaction ends at byte {at + 4} of {len(raw)}, or has nothing in it")
    return raw[:4] + raw[start:end] + raw[-4:]


def _bounded(count: int, raw: bytes) -> int:
    if count > len(raw):
        raise ProofError(f"a transaction of {len(raw)} bytes announces {count} parts")
    return count


def _size(raw: bytes, at: int) -> tuple[int, int]:
    """Return a CompactSize and where it ends."""
    if at >= len(raw):
        raise ProofError(f"the bytes end at {len(raw)}, where a length is expected")
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    width = 1 << (first - 0xFC)
    value = int.from_bytes(raw[at + 1 : at + 1 + width], "little")
    if at + 1 + width > len(raw) or value < (0xFD, 0x1_0000, 0x1_0000_0000)[first - 0xFD]:
        raise ProofError(f"the length at byte {at} is cut off or not in its shortest form")
    return value, at + 1 + width


def _parts(proof: bytes) -> tuple[int, list[bytes], bytes]:
    """Split a Merkle block after its header into the number of transactions, hashes and bits."""
    if not HEADER_BYTES + 6 <= len(proof) <= HEADER_BYTES + 20 + MAX_TRANSACTIONS * (HASH_BYTES + 1):
        raise ProofError(f"Merkle block: {len(proof)} bytes; expected a header and a tree")
    count = int.from_bytes(proof[HEADER_BYTES : HEADER_BYTES + 4], "little")
    number, at = _size(proof, HEADER_BYTES + 4)
    if number * HASH_BYTES > len(proof) - at:
        raise ProofError(f"Merkle block: announces {number} hashes, more than fit into {len(proof)} bytes")
    hashes = [proof[at + HASH_BYTES * place : at + HASH_BYTES * (place + 1)] for place in range(number)]
    size, at = _size(proof, at + HASH_BYTES * number)
    if size != len(proof) - at:
        raise ProofError(f"Merkle block: announces {size} bytes of bits; {len(proof) - at} follow")
    return count, hashes, proof[at:]


def _sibling(text: str) -> bytes:
    try:
        sibling = bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise ProofError(f"Merkle branch: {str(text)[:80]!r} is not hexadecimal") from error
    if len(sibling) != HASH_BYTES:
        raise ProofError(f"Merkle branch: a sibling of {len(sibling)} bytes; it has {HASH_BYTES}")
    return sibling[::-1]


def _join(left: bytes, right: bytes) -> bytes:
    """Return the node above two, unless it could itself be a transaction that hides a made-up one below it."""
    both = left + right
    if both[4] == 1 and _reads_as_transaction(both):
        raise ProofError(f"an inner node of the Merkle tree reads as a transaction: {both.hex()}; it proves nothing")
    return sha256(sha256(both).digest()).digest()


def _reads_as_transaction(both: bytes) -> bool:
    try:
        _without_witnesses(both)
    except ProofError:
        return False
    return True


def _compare(root: bytes, header: bytes) -> None:
    if root != header[36:68]:
        raise ProofError(
            f"the Merkle root comes to {root[::-1].hex()}; the header says {header[36:68][::-1].hex()}, so this is no "
            "proof for this block"
        )
