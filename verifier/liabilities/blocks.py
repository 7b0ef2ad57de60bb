"""Fold many nodes at once: the tree's hashing rules over arrays of bytes, 1,024 leaves to a block."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verifier.inclusion.sum_tree import HASH_BYTES, UNIT_BYTES, Node, SumError, node_state, padding

Bytes = NDArray[np.uint8]

BLOCK_HEIGHT = 10
BLOCK_LEAVES = 1 << BLOCK_HEIGHT


def node_width(assets: int) -> int:
    """Return how many bytes a node takes: its hash, then each asset's sum as 16 bytes, big-endian."""
    return HASH_BYTES + assets * UNIT_BYTES


def fold(nodes: Bytes, height: int, levels: int) -> Bytes:
    """Fold rows of nodes (n × node_width) that stand at `height` upwards `levels` times; an odd last one meets padding.

    Raises SumError when a sum exceeds 2^128 - 1.
    """
    for level in range(height, height + levels):
        if len(nodes) % 2:
            nodes = _append(nodes, padding(level, _assets(nodes)))
        nodes = _parents(nodes)
    return nodes


def path_in(nodes: Bytes, index: int, height: int, levels: int) -> list[Node]:
    """Return the siblings of row `index` while folding upwards `levels` times."""
    siblings = []
    for level in range(height, height + levels):
        if len(nodes) % 2:
            nodes = _append(nodes, padding(level, _assets(nodes)))
        siblings.append(to_node(nodes[index ^ 1]))
        nodes, index = _parents(nodes), index >> 1
    return siblings


def to_node(row: Bytes) -> Node:
    """Return one row as a node."""
    raw = row.tobytes()
    places = range(HASH_BYTES, len(raw), UNIT_BYTES)
    return Node(raw[:HASH_BYTES], tuple(int.from_bytes(raw[place : place + UNIT_BYTES], "big") for place in places))


def to_rows(nodes: Sequence[Node]) -> Bytes:
    """Return nodes as rows of bytes."""
    raw = b"".join(node.hash + b"".join(units.to_bytes(UNIT_BYTES, "big") for units in node.sums) for node in nodes)
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(nodes), -1)


def _assets(nodes: Bytes) -> int:
    return int(nodes.shape[1] - HASH_BYTES) // UNIT_BYTES


def _append(nodes: Bytes, node: Node) -> Bytes:
    return np.concatenate([nodes, to_rows([node])])


def _parents(nodes: Bytes) -> Bytes:
    """Join rows two by two; two neighbours lie side by side, so their bytes are the message as it is."""
    count, width = len(nodes) // 2, nodes.shape[1]
    raw, copy = nodes.tobytes(), node_state().copy
    digests = []
    for start in range(0, len(raw), 2 * width):
        state = copy()
        state.update(raw[start : start + 2 * width])
        digests.append(state.digest())
    above = np.empty((count, width), dtype=np.uint8)
    above[:, :HASH_BYTES] = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(count, HASH_BYTES)
    above[:, HASH_BYTES:] = _sums(nodes[:, HASH_BYTES:])
    return above


def _sums(units: Bytes) -> Bytes:
    """Add neighbouring rows of 128-bit numbers as pairs of 64-bit words with carry."""
    words = np.ascontiguousarray(units).view(">u8").reshape(len(units) // 2, 2, -1, 2).astype(np.uint64)
    high, low = words[..., 0], words[..., 1]
    low_sum = low[:, 0] + low[:, 1]
    carry = (low_sum < low[:, 0]).astype(np.uint64)
    partial = high[:, 0] + high[:, 1]
    high_sum = partial + carry
    if np.any(partial < high[:, 0]) or np.any(high_sum < partial):
        raise SumError("a sum exceeds 2^128 - 1 base units")
    out = np.empty((*low_sum.shape, 2), dtype=">u8")
    out[..., 0], out[..., 1] = high_sum, low_sum
    return out.view(np.uint8).reshape(len(out), -1)
