"""The hashing rules of our liabilities tree: what a leaf, a node and padding are (docs/liabilities-tree.md)."""

import hmac
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256, shake_256
from itertools import pairwise
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from verifier.errors import InputError

if TYPE_CHECKING:
    from hashlib import _Hash

TREE_FORMAT = "reserve-verifier/liabilities-tree/1"
HASH_BYTES = 32
SALT_BYTES = 16
SECRET_BYTES = 32
UNIT_BYTES = 16
MAX_UNITS = 2 ** (8 * UNIT_BYTES) - 1
MAX_ACCOUNT_BYTES = 10_000
MAX_PARTS = 16
MAX_ASSETS = 2_000
MAX_DEPTH = 53
MAX_LEAVES = 2**MAX_DEPTH - 1  # the largest integer canonical JSON writes

Sums = tuple[int, ...]


class SumError(InputError):
    """An amount or a sum is negative or exceeds 2^128 - 1."""


class Node(NamedTuple):
    """One place in the tree: its 32-byte hash and, per asset, the base units below it."""

    hash: bytes
    sums: Sums


Join = Callable[[Node, Node], Node]


def tag_prefix(name: str) -> bytes:
    """Return the 64 bytes that stand before every message hashed under a tag. Source: BIP-340."""
    return sha256(f"{TREE_FORMAT}/{name}".encode()).digest() * 2


# The prefix fills one SHA-256 block, so an object that has read it is copied instead of hashing it again.
_LEAF, _NODE, _PADDING, _COMMITMENT, _SALT, _SPLIT = (
    sha256(tag_prefix(name)) for name in ("leaf", "node", "padding", "commitment", "salt", "split")
)


def encode_sums(sums: Sums) -> bytes:
    """Write one amount per asset as 16-byte big-endian unsigned integers. Raises SumError outside 0 … 2^128 - 1."""
    try:
        return b"".join([units.to_bytes(UNIT_BYTES, "big") for units in sums])
    except OverflowError as error:
        raise SumError("an amount is negative or exceeds 2^128 - 1 base units") from error


def add_sums(left: Sums, right: Sums) -> Sums:
    """Add two vectors of amounts, asset by asset. Raises SumError instead of wrapping."""
    total = tuple(map(add, left, right))
    if max(total) > MAX_UNITS:
        raise SumError("a sum exceeds 2^128 - 1 base units")
    return total


def salt_key(secret: bytes, run_id: str) -> bytes:
    """Derive a run's key from the publisher's 32-byte secret, so that a re-used secret links no two runs."""
    return _finish(_SALT.copy(), secret + run_id.encode())


def salt_and_position(key: bytes, account: bytes, part: int = 0) -> tuple[bytes, bytes]:
    """Return a leaf's salt and the key by which leaves are sorted, 16 bytes each, from the run's salt key.

    `account` is the id's UTF-8 bytes, `part` counts the leaves of one account. Who does not know the key learns
    nothing of the account from either half.
    """
    keyed = hmac.digest(key, part.to_bytes(2, "big") + account, "sha256")
    return keyed[:SALT_BYTES], keyed[SALT_BYTES:]


def split_key(secret: bytes, run_id: str) -> bytes:
    """Derive the run's key for splitting balances over several leaves."""
    return _finish(_SPLIT.copy(), secret + run_id.encode())


def split_units(key: bytes, account: bytes, units: Sums, parts: int) -> list[Sums]:
    """Return the amounts of each of an account's leaves: every balance cut at places drawn from the split key."""
    words = shake_256(key + account).digest(8 * (parts - 1) * len(units))
    drawn = [int.from_bytes(words[place : place + 8], "big") for place in range(0, len(words), 8)]
    columns = []
    for number, value in enumerate(units):
        cuts = sorted(value * word >> 64 for word in drawn[number * (parts - 1) : (number + 1) * (parts - 1)])
        columns.append([upper - lower for lower, upper in pairwise([0, *cuts, value])])
    return list(zip(*columns, strict=True))


def leaf_hash(run_id: str, salt: bytes, account: bytes, units: Sums, part: int = 0) -> bytes:
    """Hash what a leaf binds: run, salt, part number, account id (its UTF-8 bytes) and every balance in base units."""
    message = b"".join((salt, part.to_bytes(2, "big"), len(account).to_bytes(4, "big"), account, encode_sums(units)))
    return _finish(leaf_state(run_id), message)


def node_state() -> "_Hash":
    """Return the hash of nodes before their message, to be copied: for code that hashes many."""
    return _NODE


def leaf_state(run_id: str) -> "_Hash":
    """Return the hash of one run's leaves before the salt, to be copied."""
    run = run_id.encode()
    state = _LEAF.copy()
    state.update(len(run).to_bytes(2, "big") + run)
    return state


def parent(left: Node, right: Node) -> Node:
    """Join two nodes: the hash commits to each child's hash and to each child's sums. Raises SumError."""
    message = b"".join((left.hash, encode_sums(left.sums), right.hash, encode_sums(right.sums)))
    return Node(_finish(_NODE.copy(), message), add_sums(left.sums, right.sums))


@lru_cache(maxsize=4096)
def padding(height: int, assets: int) -> Node:
    """Return the root of a subtree of 2^height places that hold nobody; all its sums are zero."""
    if height == 0:
        return Node(_PADDING.digest(), (0,) * assets)
    below = padding(height - 1, assets)
    return parent(below, below)


def depth_of(leaf_count: int) -> int:
    """Return the height of the smallest perfect binary tree with room for so many leaves."""
    return (leaf_count - 1).bit_length()


def fold_path(leaf: Node, index: int, path: Sequence[Node], join: Join = parent) -> Node:
    """Walk from a leaf to the root; `path` holds the siblings from the leaf upwards, bit k of `index` the side."""
    node = leaf
    for height, sibling in enumerate(path):
        node = join(sibling, node) if index >> height & 1 else join(node, sibling)
    return node


def fold_level(nodes: Sequence[Node], height: int) -> list[Node]:
    """Return the parents of one level's nodes, whose subtrees have 2^height places; a last odd one meets padding."""
    above = [parent(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
    if len(nodes) % 2:
        above.append(parent(nodes[-1], padding(height, len(nodes[-1].sums))))
    return above


def fold_leaves(leaves: Iterable[Node], assets: int) -> tuple[int, Node]:
    """Return the number of leaves and the root, keeping one node per level. Raises InputError when there is no leaf."""
    count = 0
    open_subtrees: list[tuple[int, Node]] = []
    for leaf in leaves:
        _close(open_subtrees, 0, leaf)
        count += 1
    if not open_subtrees:
        raise InputError("a tree needs at least one leaf")
    while len(open_subtrees) > 1:
        height, node = open_subtrees.pop()
        _close(open_subtrees, height + 1, parent(node, padding(height, assets)))
    return count, open_subtrees[0][1]


def commitment_digest(header: bytes) -> str:
    """Hash the canonical JSON of a commitment; these 64 hex digits are what an exchange publishes."""
    return _finish(_COMMITMENT.copy(), header).hex()


def _close(open_subtrees: list[tuple[int, Node]], height: int, node: Node) -> None:
    while open_subtrees and open_subtrees[-1][0] == height:
        node = parent(open_subtrees.pop()[1], node)
        height += 1
    open_subtrees.append((height, node))


def _finish(state: "_Hash", message: bytes) -> bytes:
    state.update(message)
    return state.digest()
