"""Rebuild a large tree from its leaf list, part by part, and explain every leaf by the exchange's own books."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verifier.inclusion.commitment import Commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.sum_tree import padding
from verifier.liabilities.audit import Audit, differences
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.blocks import cut_blocks, fold_top, join_blocks, to_node
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Engine, kernel_of, node_width
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.store import LeafList

_HASH_WORD = slice(POSITION_BYTES, POSITION_BYTES + 8)


class PartAudit(NamedTuple):
    """What one part shows: its nodes cut at blocks, its first and last position, the first word of each leaf hash."""

    nodes: list[Bytes]
    ends: tuple[bytes, bytes]
    ordered: bool
    padded: int
    words: NDArray[np.uint64]


def audit_list(leaf_list: LeafList, executor: Executor, progress: Progress, engine: Engine = "plain") -> Audit:
    """Rebuild root, totals and count from every leaf; leaves stand in order, none twice, none is padding.

    Raises UnavailableError when a part cannot be read, InputError when one is malformed or a sum exceeds 2^128 - 1.
    """
    commitment, index = leaf_list.commitment, leaf_list.index
    # 1. Each part is folded on its own
    tasks = [
        executor.submit(audit_part, commitment, leaf_list.leaves, number, engine) for number in range(len(index.parts))
    ]
    parts = []
    for number, task in enumerate(tasks):
        parts.append(task.result())
        progress("leaves rebuilt", index.parts[number].begin + index.parts[number].rows, commitment.leaf_count)
    # 2. The blocks are joined and lead to the top
    kernel, width = kernel_of(engine), node_width(len(commitment.assets))
    roots = join_blocks(kernel, (part.nodes for part in parts), commitment.leaf_count, width)
    top = to_node(fold_top(kernel, roots, commitment.leaf_count)[-1][0])
    # 3. What no honest list has
    found = [*_misplaced(parts), *_repeated(leaf_list, parts), *differences(commitment, commitment.leaf_count, top)]
    return Audit(commitment.leaf_count, top.sums, top.hash, tuple(found))


def audit_part(commitment: Commitment, leaves: Place, number: int, engine: Engine) -> PartAudit:
    """Fold one part of a leaf list up to its blocks."""
    leaf_list = LeafList(commitment, leaves)
    records = leaf_list.part_records(number)
    words = np.ascontiguousarray(records[:, :POSITION_BYTES]).view(">u8").astype(np.uint64)
    high, low = words[:, 0], words[:, 1]
    ordered = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
    empty = np.frombuffer(padding(0, 1).hash[:8], dtype=">u8")[0]
    hashes = np.ascontiguousarray(records[:, _HASH_WORD]).view(">u8")[:, 0].astype(np.uint64)
    ends = (records[0, :POSITION_BYTES].tobytes(), records[-1, :POSITION_BYTES].tobytes())
    nodes = cut_blocks(kernel_of(engine), records[:, POSITION_BYTES:], leaf_list.index.parts[number].begin)
    return PartAudit(nodes, ends, bool(ordered.all()), int(np.count_nonzero(hashes == empty)), hashes)


def _misplaced(parts: Sequence[PartAudit]) -> list[Finding]:
    found = []
    ends = [end for part in parts for end in part.ends]
    if ends != sorted(ends) or not all(part.ordered for part in parts):
        text = "the leaves do not stand in ascending order of their positions: proofs cannot be drawn from this list"
        found.append(Finding("leaf-misplaced", text))
    if padded := sum(part.padded for part in parts):
        found.append(Finding("padding-listed", f"{padded:,} leaves of the list are padding"))
    return found


def _repeated(leaf_list: LeafList, parts: Sequence[PartAudit]) -> list[Finding]:
    """Find leaf hashes that are listed twice: by their first words, and where those are equal by all their bytes."""
    words = np.sort(np.concatenate([part.words for part in parts]))
    suspects = np.unique(words[1:][words[1:] == words[:-1]])
    if not len(suspects):
        return []
    seen: set[bytes] = set()
    again: list[str] = []
    for number, part in enumerate(parts):
        for row in np.flatnonzero(np.isin(part.words, suspects)):
            leaf = leaf_list.leaf_hash(number, int(row))
            if leaf in seen:
                again.append(leaf.hex())
            seen.add(leaf)
    if not again:
        return []
    return [Finding("leaf-repeated", f"{len(again):,} leaves are listed a second time: {', '.join(again[:10])}")]
