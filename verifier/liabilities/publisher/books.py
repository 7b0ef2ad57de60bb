"""Compare a large leaf list with the exchange's books: who is left out, whose balance differs, whose is no leaf."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from verifier.inclusion.commitment import Commitment
from verifier.inclusion.finding import Finding
from verifier.inclusion.sum_tree import HASH_BYTES
from verifier.inclusion.wire import show
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Engine
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.publish import slices_of
from verifier.liabilities.publisher.rejects import Found, RejectedError, locate
from verifier.liabilities.publisher.sources import Piece, Source, rows_per_task
from verifier.liabilities.publisher.store import LeafList
from verifier.liabilities.publisher.tasks import (
    Job,
    Order,
    Slice,
    Sorted,
    collect_prefix,
    job_of,
    sort_piece,
    sort_records,
)

SHOWN = 10


class Compared(NamedTuple):
    """Positions of one prefix on which books and leaf list differ; `unexplained` are leaf hashes."""

    doubled: tuple[bytes, ...]
    left_out: tuple[bytes, ...]
    differing: tuple[bytes, ...]
    unexplained: tuple[bytes, ...]


class Books(NamedTuple):
    """The exchange's table of accounts with the run's secret: what a leaf list is compared with."""

    source: str
    secret: bytes
    base_units: bool = False


class Explained(NamedTuple):
    """How many accounts the books have, what does not fit, and the accounts of the leaves that were asked for."""

    accounts: int
    findings: tuple[Finding, ...]
    asked: dict[bytes, Found]


def compare_with_books(
    leaf_list: LeafList,
    books: Books,
    asked: frozenset[bytes],
    executor: Executor,
    progress: Progress,
    engine: Engine = "plain",
) -> Explained:
    """Derive every leaf again from the books and the secret, and compare with the list, leaf by leaf.

    `asked` are positions whose accounts are to be named. Raises RejectedError for doubtful cells of the books.
    """
    with tempfile.TemporaryDirectory(prefix="por-audit-") as folder:
        spill = Place(folder)
        job = list_job(leaf_list, books, spill, engine)
        source = Source(books.source, rows_per_task(len(job.assets), job.parts))
        # 1. The books become leaf records, as they did when the tree was built
        pieces = list(source.pieces(job.assets, spill.below("shards")))
        rows = sum(piece.rows for piece in pieces)
        sorted_pieces = _sort(job, pieces, executor, progress, rows, books.source)
        # 2. Prefix by prefix they are compared with the list
        slices = slices_of(sorted_pieces) or [[] for _ in range(1 << job.prefix_bits)]
        tasks = [
            executor.submit(compare_prefix, job, leaf_list.commitment, prefix, slices[prefix])
            for prefix in range(len(slices))
        ]
        compared = []
        for number, task in enumerate(tasks, 1):
            compared.append(task.result())
            progress("parts compared", number, len(tasks))
        # 3. A last look at the books says whose the first of those positions are
        named = _name(job, pieces, compared, asked, executor)
    return Explained(rows, tuple(_findings(compared, named, job.parts)), {p: named[p] for p in asked if p in named})


def compare_prefix(job: Job, commitment: Commitment, prefix: int, slices: Sequence[Slice]) -> Compared:
    """Compare the records of one prefix that follow from the books with those the leaf list has."""
    books, doubled = sort_records(collect_prefix(job, slices))
    listed = LeafList(commitment, job.leaves).prefix_records(prefix)
    ours, theirs = _positions(books), _positions(listed)
    in_list, in_books = np.isin(ours, theirs), np.isin(theirs, ours)
    both = books[in_list]
    other = listed[np.searchsorted(theirs, ours[in_list])] if len(listed) else both
    differing = both[(both != other).any(axis=1)]
    return Compared(
        doubled,
        _rows(books[~in_list], 0, POSITION_BYTES),
        _rows(differing, 0, POSITION_BYTES),
        _rows(listed[~in_books], POSITION_BYTES, POSITION_BYTES + HASH_BYTES),
    )


def list_job(leaf_list: LeafList, books: Books, spill: Place, engine: Engine) -> Job:
    """Return what tasks need to derive the leaves of a published list from its books again."""
    header = leaf_list.commitment
    order = Order(
        books.source, header.assets, header.run_id, header.as_of, books.secret, header.parts, books.base_units
    )
    return job_of(order, engine, leaf_list.index.prefix_bits, spill, leaf_list.leaves)


def _sort(
    job: Job, pieces: Sequence[Piece], executor: Executor, progress: Progress, rows: int, source: str
) -> list[Sorted]:
    tasks = [executor.submit(sort_piece, job, piece) for piece in pieces]
    done, read = [], 0
    for piece, task in zip(pieces, tasks, strict=True):
        done.append(task.result())
        read += piece.rows
        progress("books hashed", read, rows)
    refused = [pieces[item.number] for item in done if item.rejects]
    if refused:
        raise RejectedError(source, job.spill, refused, sum(item.rejects for item in done))
    return done


def _name(
    job: Job, pieces: Sequence[Piece], compared: Sequence[Compared], asked: frozenset[bytes], executor: Executor
) -> dict[bytes, Found]:
    """Return the accounts of the positions that a finding shows, or that were asked for."""
    shown = {position for kind in ("doubled", "left_out", "differing") for position in _all(compared, kind)[:SHOWN]}
    wanted = asked | shown
    if not wanted:
        return {}
    tasks = [executor.submit(locate, job, piece, wanted) for piece in pieces]
    return {found.position: found for task in tasks for found in task.result()}


def _findings(compared: Sequence[Compared], named: dict[bytes, Found], parts: int) -> list[Finding]:
    found = []
    what = "accounts" if parts == 1 else "leaves of accounts"
    for kind, code, text in (
        ("doubled", "account-doubled", "listed twice in the books"),
        ("left_out", "account-left-out", "of the books without a leaf"),
        ("differing", "balance-differs", "that do not hold what the books say"),
    ):
        if positions := _all(compared, kind):
            # a split account has several leaves: it is named once
            shown = dict.fromkeys(show(named[one].account) for one in positions[:SHOWN] if one in named)
            found.append(Finding(code, f"{len(positions):,} {what} {text}: {', '.join(shown)}"))
    if leaves := _all(compared, "unexplained"):
        text = f"{len(leaves):,} leaves that no account of the books explains: "
        found.append(Finding("leaf-unexplained", text + ", ".join(leaf.hex()[:16] for leaf in leaves[:SHOWN])))
    return found


def _all(compared: Sequence[Compared], kind: str) -> list[bytes]:
    return [value for one in compared for value in getattr(one, kind)]


def _positions(records: Bytes) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    return np.ascontiguousarray(records[:, :POSITION_BYTES]).view(f"S{POSITION_BYTES}")[:, 0]


def _rows(records: Bytes, start: int, end: int) -> tuple[bytes, ...]:
    return tuple(row.tobytes() for row in records[:, start:end])
