"""Build the tree of millions of accounts in two passes of independent tasks; any executor gives the same root."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment, TreeAsset, commitment_of
from verifier.inclusion.sum_tree import HASH_BYTES
from verifier.liabilities.blocks import BLOCK_HEIGHT, BLOCK_LEAVES, fold, node_width, to_node
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.ingest import GROUP_ROWS, Reject, read_group, row_groups, shard_csv
from verifier.liabilities.places import COMMITMENT, SPILL, STORE
from verifier.liabilities.records import leaf_records, record_width, sort_records
from verifier.liabilities.store import PARTS, part_name, save_top, write_part

Bytes = NDArray[np.uint8]

REJECTS_NAMED = 5


class RejectedError(InputError):
    """The table has doubtful cells; `rejects` lists all of them."""

    def __init__(self, path: Path, rejects: Sequence[Reject]) -> None:
        shown = "; ".join(f"row {row}, {column}: {reason}" for row, column, reason in rejects[:REJECTS_NAMED])
        super().__init__(f"{path}: {len(rejects):,} cells are refused: {shown}")
        self.rejects = tuple(rejects)


class Job(NamedTuple):
    """What every task of a run needs to know; it travels to the workers."""

    source: str
    spill: str
    store: str
    assets: tuple[TreeAsset, ...]
    run_id: str
    key: bytes
    prefix_bits: int


class Piece(NamedTuple):
    """What one prefix contributes: nodes before its first whole block, its blocks' roots, nodes after the last."""

    head: Bytes
    roots: Bytes
    tail: Bytes


def publish(
    source: Path, assets: Sequence[TreeAsset], run_id: str, as_of: str, secret: bytes, out: Path, executor: Executor
) -> Commitment:
    """Build the tree of an accounts table (Parquet or CSV) into the folder `out`: commitment and private store.

    Raises RejectedError with every doubtful cell, InputError for a duplicate account or an empty table. A run that was
    killed is started again from the beginning of its unfinished tasks; a finished task's file is kept.
    """
    spill, store = out / SPILL, out / STORE
    for folder in (spill, store / PARTS):
        folder.mkdir(parents=True, exist_ok=True)
    table = source
    if source.suffix.lower() == ".csv":
        table = spill / "table.parquet"
        shard_csv(source, table)
    groups = row_groups(table)
    bits = max(0, (sum(groups) // GROUP_ROWS).bit_length())
    key = sum_tree.salt_key(secret, run_id)
    job = Job(str(table), str(spill), str(store), tuple(assets), run_id, key, bits)
    # 1. Every row group becomes leaf records, in the order of their positions
    starts = [0, *accumulate(groups)]
    counts = _gather(source, [executor.submit(sort_group, job, n, starts[n] + 1) for n in range(len(groups))])
    # 2. Every prefix becomes a part of the store, and the roots of its blocks
    sizes = [sum(column) for column in zip(*counts, strict=True)]
    begins = [0, *accumulate(sizes)]
    total = begins[-1]
    if total == 0:
        raise InputError(f"{source}: there is no account: a tree needs at least one")
    offsets = [[0, *accumulate(row)] for row in counts]
    pieces = [
        executor.submit(build_prefix, job, prefix, begins[prefix], [row[prefix : prefix + 2] for row in offsets])
        for prefix in range(len(sizes))
    ]
    # 3. The driver joins the blocks and folds the top
    depth = sum_tree.depth_of(total)
    roots = _join((piece.result() for piece in pieces), min(depth, BLOCK_HEIGHT), len(assets))
    top = fold(roots, BLOCK_HEIGHT, max(0, depth - BLOCK_HEIGHT))
    root = to_node(top[0])
    header = Commitment(run_id, as_of, tuple(assets), total, depth, root.hash, root.sums)
    commitment = commitment_of(header.to_record())
    save_top(store, roots)
    save_commitment(out / COMMITMENT, commitment)
    shutil.rmtree(spill)
    return commitment


def _gather(source: Path, tasks: list[Future[list[int] | list[Reject]]]) -> list[list[int]]:
    counts: list[list[int]] = []
    rejects: list[Reject] = []
    for task in tasks:
        done = task.result()
        for item in done:
            if isinstance(item, Reject):
                rejects.append(item)
        counts.append([item for item in done if isinstance(item, int)])
    if rejects:
        raise RejectedError(source, rejects)
    return counts


def sort_group(job: Job, group: int, first_row: int) -> list[int] | list[Reject]:
    """Hash one row group, write its records in order, and return how many fall under each prefix (or the rejects)."""
    batch = read_group(Path(job.source), group, first_row, job.assets)
    if isinstance(batch, list):
        return batch
    records = leaf_records(job.key, job.run_id, batch.accounts, batch.units, len(job.assets))
    records = sort_records(records)
    first = np.ascontiguousarray(records[:, :4]).view(">u4").astype(np.uint64)[:, 0]
    prefixes = (first >> np.uint64(32 - job.prefix_bits)).astype(np.int64) if job.prefix_bits else first * 0
    target = Path(job.spill) / f"{group:06d}"
    records.tofile(target.with_suffix(".partial"))
    target.with_suffix(".partial").replace(target)
    return [int(count) for count in np.bincount(prefixes.astype(np.int64), minlength=1 << job.prefix_bits)]


def build_prefix(job: Job, prefix: int, begin: int, slices: Sequence[Sequence[int]]) -> Piece:
    """Collect one prefix from all spilled groups, write its part of the store, and fold its whole blocks.

    `begin` is the index of the prefix's first leaf in the tree; `slices` are the rows [from, to) in each group.
    """
    width = record_width(len(job.assets))
    parts = [
        np.fromfile(
            Path(job.spill) / f"{group:06d}", dtype=np.uint8, count=(end - start) * width, offset=start * width
        ).reshape(-1, width)
        for group, (start, end) in enumerate(slices)
        if end > start
    ]
    records = sort_records(np.concatenate(parts)) if parts else np.empty((0, width), dtype=np.uint8)
    write_part(Path(job.store) / PARTS / part_name(prefix), records, begin, job.assets)
    nodes = records[:, HASH_BYTES:]
    aligned = min(-begin % BLOCK_LEAVES, len(nodes))
    whole = (len(nodes) - aligned) // BLOCK_LEAVES
    end = aligned + whole * BLOCK_LEAVES
    roots = fold(nodes[aligned:end], 0, BLOCK_HEIGHT) if whole else nodes[:0]
    return Piece(nodes[:aligned], roots, nodes[end:])


def _join(pieces: Iterator[Piece], levels: int, assets: int) -> Bytes:
    """Return the roots of all blocks in order; blocks that two prefixes share are put together here."""
    carry = np.empty((0, node_width(assets)), dtype=np.uint8)
    roots = []
    for head, whole, tail in pieces:
        carry = np.concatenate([carry, head])
        if len(carry) == BLOCK_LEAVES:
            roots.append(fold(carry, 0, BLOCK_HEIGHT))
            carry = carry[:0]
        roots.append(whole)
        carry = np.concatenate([carry, tail])
    if len(carry):
        roots.append(fold(carry, 0, levels))
    return np.concatenate(roots)
