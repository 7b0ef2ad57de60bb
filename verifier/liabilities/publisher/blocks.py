"""Fold many nodes at once, 1,024 leaves to a block; the kernel hashes, padding comes from the tree's own rules."""

from collections.abc import Iterable, Sequence

import numpy as np

from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES, Node, depth_of, padding
from verifier.liabilities.publisher.kernels import Bytes, Kernel

BLOCK_HEIGHT = 10
BLOCK_LEAVES = 1 << BLOCK_HEIGHT


def fold(kernel: Kernel, nodes: Bytes, height: int, levels: int) -> Bytes:
    """Fold rows of nodes (n × node_width) that stand at `height` upwards `levels` times; an odd last one meets padding.

    Raises SumError when a sum exceeds 2^128 - 1.
    """
    for level in range(height, height + levels):
        nodes = kernel.parents(_even(nodes, level))
    return nodes


def levels_of(kernel: Kernel, nodes: Bytes, height: int, levels: int) -> list[Bytes]:
    """Return the rows at `height` and at each of the `levels` heights above it."""
    found = [nodes]
    for level in range(height, height + levels):
        found.append(kernel.parents(_even(found[-1], level)))
    return found


def path_in(levels: Sequence[Bytes], index: int, height: int) -> list[Node]:
    """Return the siblings of row `index` at each level but the last; beside an odd last one stands padding."""
    siblings = []
    for level, nodes in enumerate(levels[:-1], height):
        beside = (index >> (level - height)) ^ 1
        assets = int(nodes.shape[1] - HASH_BYTES) // UNIT_BYTES
        siblings.append(to_node(nodes[beside]) if beside < len(nodes) else padding(level, assets))
    return siblings


def cut_blocks(kernel: Kernel, nodes: Bytes, begin: int) -> list[Bytes]:
    """Fold the whole blocks among leaves that begin at index `begin`: nodes before, roots of blocks, nodes after."""
    cut = min(-begin % BLOCK_LEAVES, len(nodes))
    end = cut + (len(nodes) - cut) // BLOCK_LEAVES * BLOCK_LEAVES
    roots = fold(kernel, np.ascontiguousarray(nodes[cut:end]), 0, BLOCK_HEIGHT)
    return [np.ascontiguousarray(nodes[:cut]), roots, np.ascontiguousarray(nodes[end:])]


def join_blocks(kernel: Kernel, pieces: Iterable[Sequence[Bytes]], leaf_count: int, width: int) -> Bytes:
    """Return the roots of all blocks in order; blocks that two neighbouring pieces share are put together here."""
    carry = np.empty((0, width), dtype=np.uint8)
    roots = []
    for head, whole, tail in pieces:
        carry = np.concatenate([carry, head])
        if len(carry) == BLOCK_LEAVES:
            roots.append(fold(kernel, carry, 0, BLOCK_HEIGHT))
            carry = carry[:0]
        roots.append(whole)
        carry = np.concatenate([carry, tail])
    if len(carry):
        roots.append(fold(kernel, carry, 0, min(depth_of(leaf_count), BLOCK_HEIGHT)))
    return np.concatenate(roots)


def fold_top(kernel: Kernel, roots: Bytes, leaf_count: int) -> list[Bytes]:
    """Return the levels above the blocks, from their roots to the top of the tree."""
    return levels_of(kernel, roots, BLOCK_HEIGHT, max(0, depth_of(leaf_count) - BLOCK_HEIGHT))


def to_node(row: Bytes | bytes) -> Node:
    """Return one row as a node."""
    raw = bytes(row)
    places = range(HASH_BYTES, len(raw), UNIT_BYTES)
    return Node(raw[:HASH_BYTES], tuple(int.from_bytes(raw[place : place + UNIT_BYTES], "big") for place in places))


def to_rows(nodes: Sequence[Node]) -> Bytes:
    """Return nodes as rows of bytes."""
    raw = b"".join(node.hash + b"".join(units.to_bytes(UNIT_BYTES, "big") for units in node.sums) for node in nodes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(nodes), -1)


def _even(nodes: Bytes, level: int) -> Bytes:
    if not len(nodes) % 2:
        return nodes
    return np.concatenate([nodes, to_rows([padding(level, int(nodes.shape[1] - HASH_BYTES) // UNIT_BYTES)])])
