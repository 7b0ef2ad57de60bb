"""The hash tree that distributor contracts check claims by: sorted leaves, sorted pairs, Keccak-256."""

from collections.abc import Sequence
from enum import StrEnum

from chains.evm.keccak import keccak256

WIDTH = 32


class Kind(StrEnum):
    """How a contract hashes a claim: with its index and packed, or hashed twice (OpenZeppelin's standard tree)."""

    INDEXED = "indexed"
    STANDARD = "standard"


def claim_hash(kind: Kind, index: int, address: str, units: int) -> bytes:
    """Return a claim's leaf; `index` counts only where the kind has one.

    Source: Uniswap's MerkleDistributor, keccak256(abi.encodePacked(uint256 index, address account, uint256 amount));
    OpenZeppelin's StandardMerkleTree, keccak256(keccak256(abi.encode(address account, uint256 amount))).
    """
    account = bytes.fromhex(address[2:])
    match kind:
        case Kind.INDEXED:
            return keccak256(index.to_bytes(32) + account + units.to_bytes(32))
        case Kind.STANDARD:
            return keccak256(keccak256(bytes(12) + account + units.to_bytes(32)))


def pair_hash(one: bytes, other: bytes) -> bytes:
    """Return the hash of two nodes, the smaller first, so that a proof needs no directions."""
    return keccak256(one + other if one < other else other + one)


def fold(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its proof lead to."""
    node = leaf
    for beside in proof:
        node = pair_hash(node, beside)
    return node


class ClaimHashes:
    """The whole tree in one piece of memory, the root first; the node at n has its children at 2n + 1 and 2n + 2.

    Leaves stand sorted, the smallest last. A million of them take 64 MB. Source: OpenZeppelin's merkle-tree.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        count = len(leaves)
        order = sorted(range(count), key=leaves.__getitem__)
        self._nodes = bytearray(WIDTH * (2 * count - 1))
        self._place = [0] * count
        for rank, number in enumerate(order):
            place = 2 * count - 2 - rank
            self._place[number] = place
            self._nodes[WIDTH * place : WIDTH * (place + 1)] = leaves[number]
        for place in range(count - 2, -1, -1):
            hashed = pair_hash(self._node(2 * place + 1), self._node(2 * place + 2))
            self._nodes[WIDTH * place : WIDTH * (place + 1)] = hashed

    @property
    def root(self) -> bytes:
        """The hash that the contract is given."""
        return self._node(0)

    def proof(self, number: int) -> list[bytes]:
        """Return the siblings on the way up from a leaf, by its number in what was given."""
        place, found = self._place[number], []
        while place:
            found.append(self._node(place + 1 if place % 2 else place - 1))
            place = (place - 1) // 2
        return found

    def _node(self, place: int) -> bytes:
        return bytes(self._nodes[WIDTH * place : WIDTH * (place + 1)])
