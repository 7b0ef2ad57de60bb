"""Where each part of a large leaf list begins, and every node above its blocks: what proofs need besides a block."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from verifier.errors import InputError
from verifier.inclusion.sum_tree import Node
from verifier.inclusion.wire import read_json
from verifier.liabilities.publisher.blocks import BLOCK_HEIGHT, to_node
from verifier.liabilities.publisher.kernels import Bytes, node_width
from verifier.liabilities.publisher.place import Place

FORMAT = "reserve-verifier/leaf-list/1"
INDEX = "index.json"
TOP = "top.bin"
MAX_PARTS_LISTED = 1 << 16


class PartEntry(NamedTuple):
    """One part: its key prefix, the index of its first leaf in the tree, and its number of leaves."""

    prefix: int
    begin: int
    rows: int


class LeafIndex(NamedTuple):
    """The parts that hold any leaf, in order; `prefix_bits` of a position tell the part."""

    prefix_bits: int
    parts: tuple[PartEntry, ...]


def save_index(leaves: Place, index: LeafIndex, levels: Sequence[Bytes]) -> None:
    """Write the index, and the nodes of all levels from the blocks' roots to the top."""
    leaves.write(TOP, *(level.reshape(-1) for level in levels))
    record = {"format": FORMAT, "prefix_bits": index.prefix_bits, "parts": index.parts}
    leaves.write(INDEX, json.dumps(record).encode())


def load_index(leaves: Place, leaf_count: int) -> LeafIndex:
    """Read the index of a list of so many leaves. Raises UnavailableError, or InputError when it is malformed."""
    where = f"{leaves.url}/{INDEX}"
    try:
        record = read_json(leaves.read(INDEX), where)
        bits = record["prefix_bits"]
        parts = tuple(PartEntry(*entry) for entry in record["parts"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{where}: not an index of a leaf list: {error}") from error
    if record["format"] != FORMAT or not _whole(bits, 0, 16) or not _joined(parts, bits, leaf_count):
        raise InputError(f"{where}: the parts do not join to the {leaf_count:,} leaves of the commitment")
    return LeafIndex(bits, parts)


class TopLevels:
    """The nodes above the blocks, read one by one from their file."""

    def __init__(self, leaves: Place, leaf_count: int, depth: int, assets: int) -> None:
        self._leaves, self._width = leaves, node_width(assets)
        self._begins = [0]
        count = -(-leaf_count >> BLOCK_HEIGHT)
        self._counts = []
        for _ in range(BLOCK_HEIGHT, max(depth, BLOCK_HEIGHT) + 1):
            self._counts.append(count)
            self._begins.append(self._begins[-1] + count)
            count = (count + 1) // 2

    def count(self, height: int) -> int:
        """Return how many nodes stand at a height."""
        return self._counts[height - BLOCK_HEIGHT]

    def node(self, height: int, index: int) -> Node:
        """Return one node. Raises UnavailableError when the file is cut off."""
        start = (self._begins[height - BLOCK_HEIGHT] + index) * self._width
        return to_node(self._leaves.read_range(TOP, start, self._width))


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _joined(parts: Sequence[PartEntry], bits: int, leaf_count: int) -> bool:
    begin, previous = 0, -1
    for prefix, start, rows in parts:
        if not (_whole(prefix, previous + 1, (1 << bits) - 1) and start == begin and _whole(rows, 1, leaf_count)):
            return False
        begin, previous = begin + rows, prefix
    return begin == leaf_count
