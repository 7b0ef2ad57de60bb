"""The two kinds of task a build consists of: rows become leaf records, and the records of a prefix become a part.

Both are pure: what they write depends on their arguments alone, so a task that was lost or ran twice changes nothing.
"""

import json
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from verifier.errors import InputError, UnavailableError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import TreeAsset
from verifier.inclusion.wire import read_json
from verifier.liabilities.publisher.blocks import cut_blocks
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Engine, kernel_of, record_width
from verifier.liabilities.publisher.leaf_files import write_part
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.sources import Piece
from verifier.liabilities.publisher.split import split_rows
from verifier.liabilities.publisher.table import Reject, read_rows

P = ParamSpec("P")
R = TypeVar("R")


class Order(NamedTuple):
    """What is to be built: an accounts table and everything its root depends on.

    `secret` is the run's 32 bytes, `parts` the leaves per account; with `base_units` the table holds integers of base
    units instead of whole coins.
    """

    source: str
    assets: tuple[TreeAsset, ...]
    run_id: str
    as_of: str
    secret: bytes
    parts: int = 1
    base_units: bool = False


class Job(NamedTuple):
    """What every task of a run needs to know; it travels to the workers, and so do the keys in it.

    `assets` say how the table is read: with no decimals when it holds base units. `parts` is the leaves per account.
    """

    assets: tuple[TreeAsset, ...]
    run_id: str
    key: bytes
    split_key: bytes
    parts: int
    engine: Engine
    prefix_bits: int
    spill: Place
    leaves: Place


def job_of(order: Order, engine: Engine, prefix_bits: int, spill: Place, leaves: Place) -> Job:
    """Return what the tasks of an order need: the run's keys, and how its table is read."""
    assets = tuple(asset._replace(decimals=0) for asset in order.assets) if order.base_units else order.assets
    key, split_key = (derive(order.secret, order.run_id) for derive in (sum_tree.salt_key, sum_tree.split_key))
    return Job(assets, order.run_id, key, split_key, order.parts, engine, prefix_bits, spill, leaves)


class Sorted(NamedTuple):
    """A piece's leaf records lie in order of their prefix: how many under each, and the totals as Arrow added them.

    `checks` are the checksums of each prefix's records. With rejects nothing was written but their list.
    """

    number: int
    counts: tuple[int, ...]
    totals: tuple[int, ...]
    checks: tuple[int, ...] = ()
    rejects: int = 0


class Slice(NamedTuple):
    """Where records of a prefix lie: the piece, the first record in its file, their number and their checksum."""

    piece: int
    first: int
    records: int
    check: int


class Built(NamedTuple):
    """A prefix's part of the leaf list is written: nodes before its first whole block, block roots, nodes after.

    `check` is the checksum of those nodes, `doubled` are the positions that more than one account has.
    """

    prefix: int
    head: int
    roots: int
    tail: int
    check: int = 0
    doubled: tuple[bytes, ...] = ()


class Spent(NamedTuple):
    """What a task took from its worker, whose peak memory is that of its whole life, in bytes."""

    cpu_seconds: float
    peak_bytes: int


def measured(task: Callable[P, R], /, *arguments: P.args, **named: P.kwargs) -> tuple[R, Spent]:
    """Run a task in a worker and say what it took."""
    before = time.thread_time()
    done = task(*arguments, **named)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return done, Spent(time.thread_time() - before, peak)


def sort_piece(job: Job, piece: Piece) -> Sorted:
    """Hash a piece of the table and write its leaf records in order of their prefixes; or the list of its rejects."""
    batch = read_rows(piece.read(), piece.first_row, job.assets)
    if isinstance(batch, list):
        job.spill.write(rejects_name(piece.number), json.dumps(batch).encode())
        return Sorted(piece.number, (), (), rejects=len(batch))
    kernel = kernel_of(job.engine)
    split = split_rows(job.split_key, batch.ids, batch.units, job.parts)
    parts = [kernel.leaf_records(job.key, job.run_id, batch.ids, units, part) for part, units in enumerate(split)]
    records = np.concatenate(parts) if len(parts) > 1 else parts[0]
    prefixes = prefixes_of(records, job.prefix_bits)
    order = np.argsort(prefixes, kind="stable")
    records = records[order]
    job.spill.write(records_name(piece.number), records.reshape(-1))
    counts = np.bincount(prefixes, minlength=1 << job.prefix_bits)
    checks = (checksum(part) for part in np.split(records, np.cumsum(counts)[:-1]))
    done = Sorted(piece.number, tuple(counts.tolist()), batch.totals, tuple(checks))
    job.spill.write(index_name(piece.number), _to_json(done))
    return done


def build_prefix(job: Job, prefix: int, begin: int, slices: Sequence[Slice]) -> Built:
    """Collect one prefix from the spilled pieces, write its part of the leaf list, and fold its whole blocks.

    `begin` is the index of the prefix's first leaf in the tree.
    """
    records, doubled = sort_records(collect_prefix(job, slices))
    if doubled:
        return Built(prefix, 0, 0, 0, doubled=doubled)
    if len(records):
        write_part(job.leaves, prefix, records, begin, job.assets)
    cut = cut_blocks(kernel_of(job.engine), records[:, POSITION_BYTES:], begin)
    nodes = np.concatenate(cut)
    job.spill.write(nodes_name(prefix), nodes.reshape(-1))
    head, roots, tail = map(len, cut)
    done = Built(prefix, head, roots, tail, checksum(nodes))
    job.spill.write(built_name(prefix), _to_json(done))
    return done


def collect_prefix(job: Job, slices: Sequence[Slice]) -> Bytes:
    """Read a prefix's records from the spilled pieces, in no order. Raises UnavailableError when they were changed."""
    width = record_width(len(job.assets))
    spilled = [
        read_rows_of(job.spill, records_name(one.piece), one.first, one.records, width, one.check) for one in slices
    ]
    return np.concatenate(spilled) if spilled else np.empty((0, width), dtype=np.uint8)


def read_rows_of(place: Place, name: str, first: int, count: int, width: int, check: int) -> Bytes:
    """Read rows of a fixed width. Raises UnavailableError when the checksum is not that of what was written."""
    rows = place.read_range(name, first * width, count * width).reshape(-1, width)
    if checksum(rows) != check:
        raise UnavailableError(f"{place.url}/{name}: was changed on its way; remove {place.url} and build again")
    return rows


def checksum(rows: Bytes) -> int:
    """Add up rows as 64-bit words: it finds what storage garbles, not what somebody forges."""
    return int(np.ascontiguousarray(rows).view("<u8").sum(dtype=np.uint64))


def sort_records(records: Bytes) -> tuple[Bytes, tuple[bytes, ...]]:
    """Return records in ascending order of position, and every position that stands there more than once."""
    words = np.ascontiguousarray(records[:, :POSITION_BYTES]).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0])
    first = words[order, 0]
    doubled: tuple[bytes, ...] = ()
    if np.any(first[1:] == first[:-1]):
        order = np.lexsort((words[:, 1], words[:, 0]))
        ordered = words[order]
        same = np.flatnonzero(np.all(ordered[1:] == ordered[:-1], axis=1))
        doubled = tuple(sorted({records[order[row], :POSITION_BYTES].tobytes() for row in same}))
    return records[order], doubled


def records_name(piece: int) -> str:
    """Return the name of a piece's spilled records."""
    return f"piece-{piece:06d}.records"


def index_name(piece: int) -> str:
    """Return the name of the file that says a piece is done."""
    return f"piece-{piece:06d}.json"


def rejects_name(piece: int) -> str:
    """Return the name of the list of a piece's rejects."""
    return f"piece-{piece:06d}.rejects"


def nodes_name(prefix: int) -> str:
    """Return the name of the nodes that a prefix hands to the driver."""
    return f"prefix-{prefix:06d}.nodes"


def built_name(prefix: int) -> str:
    """Return the name of the file that says a prefix is done."""
    return f"prefix-{prefix:06d}.json"


def read_rejects(spill: Place, piece: int) -> list[Reject]:
    """Return a piece's rejects."""
    return [Reject(*entry) for entry in read_json(spill.read(rejects_name(piece)), spill.url)]


def read_done(spill: Place, name: str, kind: type[R]) -> R:
    """Return what a task said when it was done. Raises InputError when the file was changed."""
    try:
        record = read_json(spill.read(name), spill.url)
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in record.items()})
    except (ValueError, TypeError) as error:
        raise InputError(f"{spill.url}/{name}: was changed; remove the folder {spill.url} and build again") from error


def _to_json(done: Any) -> bytes:
    return json.dumps(done._asdict()).encode()


def prefixes_of(records: Bytes, bits: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the key prefix of each record: the first bits of its position."""
    first = np.ascontiguousarray(records[:, :2]).view(">u2")[:, 0]
    return (first >> np.uint16(16 - bits)).astype(np.uint16) if bits else np.zeros(len(records), dtype=np.uint16)
