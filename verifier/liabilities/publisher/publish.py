"""Build the tree of millions of accounts in two passes of independent tasks; any executor gives the same root."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment, commitment_of
from verifier.inclusion.sum_tree import MAX_PARTS, MAX_UNITS
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.blocks import fold_top, join_blocks, to_node
from verifier.liabilities.publisher.kernels import Bytes, Engine, kernel_of, node_width
from verifier.liabilities.publisher.leaf_index import LeafIndex, PartEntry, save_index
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.rejects import RejectedError, locate_doubled
from verifier.liabilities.publisher.sources import Piece, Source, rows_per_task
from verifier.liabilities.publisher.tasks import (
    Built,
    Order,
    Slice,
    Sorted,
    Spent,
    build_prefix,
    built_name,
    index_name,
    job_of,
    measured,
    nodes_name,
    read_done,
    read_rows_of,
    sort_piece,
)

Done = TypeVar("Done", Sorted, Built)

MANIFEST = "job.json"
MAX_PREFIX_BITS = 16


class Published(NamedTuple):
    """The commitment, and what building it took: core-seconds of all tasks, the largest worker's peak in bytes."""

    commitment: Commitment
    cpu_seconds: float
    peak_bytes: int


def publish(
    order: Order, spill: Place, leaves: Place, executor: Executor, progress: Progress, engine: Engine = "plain"
) -> Published:
    """Build the tree of a table into the leaf list `leaves`; `spill` keeps the work in between.

    A run that was killed goes on where it stood: what a task has finished is kept as long as table, keys and options
    are the same. Raises RejectedError for doubtful cells and accounts listed twice, InputError for an empty table.
    """
    run = _Run(order, spill, leaves, executor, progress, engine)
    # 1. Every piece of the table becomes leaf records, in the order of their prefixes
    pieces = run.sort_pieces()
    # 2. Every prefix becomes a part of the leaf list, and the roots of its blocks
    built, begins = run.build_prefixes(pieces)
    # 3. The driver joins the blocks, folds the top, and compares it with Arrow's own sums of the table
    return run.close(pieces, built, begins)


def commit(
    order: Order, nodes: Iterable[Sequence[Bytes]], leaf_count: int, engine: Engine = "plain"
) -> tuple[Commitment, list[Bytes]]:
    """Join what the prefixes hand over, fold the top; return the commitment, and the levels above the blocks."""
    kernel, width = kernel_of(engine), node_width(len(order.assets))
    levels = fold_top(kernel, join_blocks(kernel, nodes, leaf_count, width), leaf_count)
    root, depth = to_node(levels[-1][0]), sum_tree.depth_of(leaf_count)
    header = Commitment(order.run_id, order.as_of, order.assets, order.parts, leaf_count, depth, root.hash, root.sums)
    return commitment_of(header.to_record()), levels  # refuses a header that no reader would accept


class _Run:
    """The driver's side of one build."""

    def __init__(
        self, order: Order, spill: Place, leaves: Place, executor: Executor, progress: Progress, engine: Engine
    ) -> None:
        if not 1 <= order.parts <= MAX_PARTS:
            raise InputError(f"{order.parts} leaves per account; expected 1 to {MAX_PARTS}")
        self._order, self._executor, self._progress = order, executor, progress
        self._source = Source(order.source, rows_per_task(len(order.assets), order.parts))
        self._expected = max(1, self._source.row_estimate())
        bits = min(MAX_PREFIX_BITS, (self._expected // self._source.rows).bit_length())
        self._job = job_of(order, engine, bits, spill, leaves)
        self._spent: list[Spent] = []
        self._begin()

    def _begin(self) -> None:
        """Keep what an earlier attempt at the very same job has finished; clear away anything else."""
        job, spill = self._job, self._job.spill
        parameters = [self._source.identity(), job.assets, job.run_id, sha256(job.key).hexdigest(), job.parts]
        manifest = json.dumps([*parameters, job.prefix_bits, self._source.rows]).encode()
        spill.make()
        if MANIFEST in spill.names() and spill.read(MANIFEST) != manifest:
            for folder in (spill, job.leaves):
                folder.make()
                folder.remove()
                folder.make()
        job.leaves.make()
        spill.write(MANIFEST, manifest)
        self._there = spill.names()

    def sort_pieces(self) -> list[Sorted]:
        """Turn every piece of the table into leaf records; return the pieces in the order of the table."""
        tasks: dict[Future[tuple[Sorted, Spent]], Piece] = {}
        done: list[Sorted] = []
        self._pieces: list[Piece] = []
        rows = 0
        for piece in self._source.pieces(self._job.assets, self._job.spill.below("shards")):
            self._pieces.append(piece)
            if index_name(piece.number) in self._there:
                done.append(read_done(self._job.spill, index_name(piece.number), Sorted))
                rows += piece.rows
            else:
                tasks[self._executor.submit(measured, sort_piece, self._job, piece)] = piece
        for task in as_completed(tasks):
            rows += tasks[task].rows
            done.append(self._take(task))
            self._progress("accounts hashed", rows, max(self._expected, rows))
        refused = [self._pieces[item.number] for item in done if item.rejects]
        if refused:
            raise RejectedError(self._order.source, self._job.spill, refused, sum(item.rejects for item in done))
        return sorted(done)

    def build_prefixes(self, pieces: Sequence[Sorted]) -> tuple[list[Built], list[int]]:
        """Turn every prefix into a part of the leaf list; return the parts, and where each begins in the tree."""
        self._refuse_overflow(pieces)
        prefixes = range(1 << self._job.prefix_bits)
        begins = [0, *accumulate(sum(piece.counts[prefix] for piece in pieces) for prefix in prefixes)]
        if begins[-1] == 0:
            raise InputError(f"{self._order.source}: there is no account: a tree needs at least one")
        slices = slices_of(pieces)
        tasks, done = [], []
        for prefix in prefixes:
            if built_name(prefix) in self._there:
                done.append(read_done(self._job.spill, built_name(prefix), Built))
                continue
            tasks.append(
                self._executor.submit(measured, build_prefix, self._job, prefix, begins[prefix], slices[prefix])
            )
        for task in as_completed(tasks):
            done.append(self._take(task))
            self._progress("parts of the tree", len(done), len(prefixes))
        doubled = frozenset(position for item in done for position in item.doubled)
        if doubled:
            raise locate_doubled(self._order.source, self._job, self._pieces, doubled, self._executor)
        return sorted(done), begins

    def close(self, pieces: Sequence[Sorted], built: Sequence[Built], begins: Sequence[int]) -> Published:
        """Fold the top of the tree and write the leaf list's index; return the commitment."""
        order, total = self._order, begins[-1]
        width = node_width(len(order.assets))
        commitment, levels = commit(order, self._nodes(built, width), total, self._job.engine)
        self._cross_check(pieces, commitment)
        parts = [
            PartEntry(p, begins[p], begins[p + 1] - begins[p]) for p in range(len(built)) if begins[p + 1] > begins[p]
        ]
        save_index(self._job.leaves, LeafIndex(self._job.prefix_bits, tuple(parts)), levels)
        peak = max((spent.peak_bytes for spent in self._spent), default=0)
        return Published(commitment, sum(spent.cpu_seconds for spent in self._spent), peak)

    def _take(self, task: Future[tuple[Done, Spent]]) -> Done:
        done, spent = task.result()
        self._spent.append(spent)
        return done

    def _totals(self, pieces: Sequence[Sorted]) -> list[int]:
        return [sum(column) for column in zip(*(piece.totals for piece in pieces), strict=True)]

    def _refuse_overflow(self, pieces: Sequence[Sorted]) -> None:
        for asset, total in zip(self._order.assets, self._totals(pieces), strict=False):
            if total > MAX_UNITS:
                raise InputError(f"{self._order.source}: {asset.symbol} adds up to more than 2^128 - 1 base units")

    def _cross_check(self, pieces: Sequence[Sorted], commitment: Commitment) -> None:
        """Compare the tree with what Arrow counted and added up: two ways that share nothing after the decoding."""
        rows = sum(piece.rows for piece in self._pieces)
        if (rows * self._order.parts, self._totals(pieces)) != (commitment.leaf_count, list(commitment.totals)):
            raise InputError(
                f"{self._order.source}: the tree ({commitment.leaf_count:,} leaves, {commitment.totals}) is not the sum"
                f" of the table ({rows:,} rows, {self._totals(pieces)}); remove {self._job.spill.url} and build again"
            )

    def _nodes(self, built: Sequence[Built], width: int) -> Iterator[list[Bytes]]:
        for item in built:
            count = item.head + item.roots + item.tail
            nodes = read_rows_of(self._job.spill, nodes_name(item.prefix), 0, count, width, item.check)
            yield np.split(nodes, [item.head, item.head + item.roots])


def slices_of(pieces: Sequence[Sorted]) -> list[list[Slice]]:
    """Return for each prefix where its records lie."""
    prefixes = range(len(pieces[0].counts)) if pieces else range(0)
    starts = [[0, *accumulate(piece.counts)] for piece in pieces]
    return [
        [
            Slice(piece.number, start[prefix], piece.counts[prefix], piece.checks[prefix])
            for piece, start in zip(pieces, starts, strict=True)
            if piece.counts[prefix]
        ]
        for prefix in prefixes
    ]
