"""Draw the proofs of all accounts in the order of the leaves, block by block, each checked before it leaves."""

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import Commitment
from verifier.inclusion.own_proof import check_proof
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.wire import show
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.block_view import BlockView
from verifier.liabilities.publisher.blocks import BLOCK_HEIGHT, BLOCK_LEAVES
from verifier.liabilities.publisher.books import Books, list_job
from verifier.liabilities.publisher.kernels import POSITION_BYTES, Bytes, Engine, kernel_of
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.sources import Piece, Source, rows_per_task
from verifier.liabilities.publisher.store import LeafList, Store
from verifier.liabilities.publisher.table import Batch, id_array, read_rows
from verifier.liabilities.publisher.tasks import Job, prefixes_of

BLOCKS_PER_TASK = 8
_AHEAD = 4

Receipt = tuple[str, bytes]


def export(
    leaf_list: LeafList, books: Books, executor: Executor, progress: Progress, engine: Engine = "plain"
) -> Iterator[Receipt]:
    """Yield (account, proof as canonical JSON) for every account of the table the tree was built from.

    Raises InputError when the table has accounts without a leaf or leaves without an account.
    """
    if leaf_list.commitment.parts > 1:
        yield from _one_by_one(leaf_list, books, progress, engine)
        return
    with tempfile.TemporaryDirectory(prefix="por-export-") as folder:
        spill = Place(folder)
        job = list_job(leaf_list, books, spill, engine)
        source = Source(books.source, rows_per_task(len(job.assets), 1))
        # 1. Every account's position and salt, in order of prefixes
        pieces = list(source.pieces(job.assets, spill.below("shards")))
        for task in [executor.submit(list_holders, job, piece) for piece in pieces]:
            task.result()
        # 2. Every part's holders, in order of its leaves
        numbers = [piece.number for piece in pieces]
        parts = range(len(leaf_list.index.parts))
        for task in [executor.submit(order_holders, job, leaf_list.commitment, part, numbers) for part in parts]:
            task.result()
        # 3. A few blocks at a time become receipts
        yield from _in_order(leaf_list, job, executor, progress)


def list_holders(job: Job, piece: Piece) -> None:
    """Write whose leaves a piece of the table holds, one batch for each prefix."""
    batch = _rows(job, piece)
    records = kernel_of(job.engine).leaf_records(job.key, job.run_id, batch.ids, batch.units)
    prefixes = prefixes_of(records, job.prefix_bits)
    edges = [0, *np.cumsum(np.bincount(prefixes, minlength=1 << job.prefix_bits)).tolist()]
    holders = _holders(records[:, :POSITION_BYTES], id_array(batch.ids)).take(np.argsort(prefixes, kind="stable"))
    _write(job.spill, _listed_name(piece.number), holders, edges)


def order_holders(job: Job, commitment: Commitment, number: int, pieces: Sequence[int]) -> None:
    """Bring a part's holders into the order of its leaves, one batch for each block; every leaf has its holder."""
    leaf_list = LeafList(commitment, job.leaves)
    part = leaf_list.index.parts[number]
    found = [_read(job.spill, _listed_name(piece), part.prefix) for piece in pieces]
    holders = pa.Table.from_batches(found).combine_chunks().to_batches()
    listed = leaf_list.part_records(number)[:, :POSITION_BYTES]
    ordered = _ordered(holders[0]) if holders else None
    if ordered is None or not np.array_equal(_positions(ordered), listed):
        raise InputError(
            f"the table is not the one the tree was built from: under prefix {part.prefix} it has"
            f" {sum(map(len, holders)):,} accounts, the leaf list {part.rows:,} leaves;"
            " `por tree audit --accounts` says which differ"
        )
    first = part.begin % BLOCK_LEAVES
    edges = [0, *range(BLOCK_LEAVES - first, part.rows, BLOCK_LEAVES), part.rows]
    _write(job.spill, _ordered_name(number), ordered, edges)


def receipts_of(job: Job, commitment: Commitment, number: int, batches: Sequence[int]) -> list[Receipt]:
    """Draw and check the proofs of some blocks of a part; the text is the canonical JSON of the checked proof."""
    leaf_list = LeafList(commitment, job.leaves)
    part = leaf_list.index.parts[number]
    join = lru_cache(maxsize=4 * BLOCK_LEAVES)(sum_tree.parent)  # neighbours share most of their way to the top
    receipts = []
    for batch in batches:
        block = (part.begin >> BLOCK_HEIGHT) + batch
        view = BlockView(leaf_list, kernel_of(job.engine), block)
        first = max(part.begin - (block << BLOCK_HEIGHT), 0)
        accounts = _read(job.spill, _ordered_name(number), batch)["account"].to_pylist()
        for inside, account in enumerate(accounts, first):
            salt, _ = sum_tree.salt_and_position(job.key, account)
            proof = view.proof(inside, salt, account.decode())
            result = check_proof(proof, join=join)
            if result.verdict is not ProofVerdict.ACCEPTED:
                text = result.findings[0].text
                raise InputError(f"{show(proof.account)}: the leaf list is damaged: {text}; build it again")
            receipts.append((proof.account, view.text(proof)))
    return receipts


def _in_order(leaf_list: LeafList, job: Job, executor: Executor, progress: Progress) -> Iterator[Receipt]:
    """Run a few tasks ahead of the reader, so that receipts never pile up."""
    waiting: deque[Future[list[Receipt]]] = deque()
    done = 0
    for number, batches in _portions(leaf_list):
        waiting.append(executor.submit(receipts_of, job, leaf_list.commitment, number, batches))
        if len(waiting) >= _AHEAD:
            receipts = waiting.popleft().result()
            done += len(receipts)
            progress("receipts checked", done, leaf_list.commitment.leaf_count)
            yield from receipts
    for task in waiting:
        yield from task.result()


def _portions(leaf_list: LeafList) -> Iterator[tuple[int, list[int]]]:
    for number, part in enumerate(leaf_list.index.parts):
        last = (part.begin + part.rows - 1 >> BLOCK_HEIGHT) - (part.begin >> BLOCK_HEIGHT)
        for start in range(0, last + 1, BLOCKS_PER_TASK):
            yield number, list(range(start, min(start + BLOCKS_PER_TASK, last + 1)))


def _one_by_one(leaf_list: LeafList, books: Books, progress: Progress, engine: Engine) -> Iterator[Receipt]:
    """Draw the proofs of accounts whose leaves lie apart, in the order of the table."""
    store = Store(leaf_list, books.secret, engine)
    with tempfile.TemporaryDirectory(prefix="por-export-") as folder:
        job = list_job(leaf_list, books, Place(folder), engine)
        source = Source(books.source, rows_per_task(len(job.assets), job.parts))
        done = 0
        for piece in source.pieces(job.assets, job.spill.below("shards")):
            for account in accounts_of(job, piece):
                yield account, store.prove(account).to_json()
                done += 1
                progress("receipts checked", done, leaf_list.commitment.leaf_count // job.parts)


def accounts_of(job: Job, piece: Piece) -> list[str]:
    """Return the account ids of a piece of the table."""
    ids = _rows(job, piece).ids
    data = ids.data.tobytes()
    return [data[begin:end].decode() for begin, end in pairwise(ids.starts.tolist())]


def _rows(job: Job, piece: Piece) -> Batch:
    batch = read_rows(piece.read(), piece.first_row, job.assets)
    if isinstance(batch, list):
        raise InputError(
            f"{piece.named}: {len(batch):,} cells are refused; it is not the table the tree was built from"
        )
    return batch


def _listed_name(piece: int) -> str:
    return f"holders-{piece:06d}.arrow"


def _ordered_name(part: int) -> str:
    return f"ordered-{part:06d}.arrow"


def _holders(positions: Bytes, accounts: pa.Array) -> pa.RecordBatch:
    raw = pa.py_buffer(np.ascontiguousarray(positions))
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(POSITION_BYTES), len(positions), [None, raw])
    return pa.RecordBatch.from_arrays([fixed, accounts], ["position", "account"])


def _positions(holders: pa.RecordBatch) -> Bytes:
    column = holders["position"]
    raw = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return raw.reshape(-1, POSITION_BYTES)[column.offset : column.offset + len(column)]


def _ordered(holders: pa.RecordBatch) -> pa.RecordBatch:
    words = np.ascontiguousarray(_positions(holders)).view(">u8").astype(np.uint64)
    return holders.take(pa.array(np.lexsort((words[:, 1], words[:, 0]))))


def _write(place: Place, name: str, holders: pa.RecordBatch, edges: Sequence[int]) -> None:
    """Write holders cut into batches at the edges, each of which can be read alone."""
    with place.writing(name) as stream, pa.ipc.new_file(stream, holders.schema) as writer:
        for start, end in pairwise(edges):
            writer.write_batch(holders.slice(start, end - start))


def _read(place: Place, name: str, batch: int) -> pa.RecordBatch:
    with place.open(name) as file:
        return pa.ipc.open_file(file).get_batch(batch)
